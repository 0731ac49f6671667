/**
 * `deno task doctor`: examines the adapter and tests its arithmetic.
 *
 * @module
 */

import { findAdapter } from "../lib/gpu/adapter.ts";
import { Device } from "../lib/gpu/device.ts";
import {
  gainsFromWidth,
  hasAvx512,
  isMesa,
  LSCPU,
  MESA_THREADS,
  MESA_WIDTH,
  prepareMesa,
  widthOf,
} from "../lib/gpu/mesa.ts";
import { readArgs } from "./args.ts";
import { variable } from "./environment.ts";
import { explainMissingAdapter, here, type Hint } from "./missing_adapter.ts";
import { type Finding, selfTest, selfTestHalf } from "./self_test.ts";

const COMMAND = {
  name: "doctor",
  about: "Examines the GPU adapter and tests its arithmetic.\n\n" +
    "Where there is none it says what is missing and what mends it. Ends with\n" +
    "status 0 when all is well, 1 when it is not.",
  flags: {
    json: { kind: "switch", help: "Print one JSON object" },
  },
} as const;

const OLDEST_DENO = [2, 8] as const;

/** Limits that decide what can be trained. */
const LIMITS = [
  "maxBufferSize",
  "maxStorageBufferBindingSize",
  "maxStorageBuffersPerShaderStage",
  "maxComputeWorkgroupStorageSize",
  "maxComputeInvocationsPerWorkgroup",
  "maxComputeWorkgroupsPerDimension",
] as const;

/** Who makes an adapter, by the numbers the PCI registry and Khronos give. */
const VENDORS: Readonly<Record<number, string>> = {
  0x1002: "AMD",
  0x1010: "Imagination",
  0x106b: "Apple",
  0x10005: "Mesa",
  0x10de: "NVIDIA",
  0x13b5: "Arm",
  0x1414: "Microsoft",
  0x5143: "Qualcomm",
  0x8086: "Intel",
};

/** What is known of an adapter. */
interface AdapterReport {
  readonly name: string;
  readonly vendor: string;
  readonly software: boolean;
  /** What Mesa's software driver was told; null elsewhere, or where hidden. */
  readonly threads: string | null;
  readonly limits: Readonly<Record<string, number>>;
  readonly features: {
    /** Lanes of a subgroup, 0 where they differ or are not granted. */
    readonly subgroups: number;
    readonly f16: boolean;
    readonly timestamps: boolean;
  };
  readonly tests: readonly Finding[];
  readonly seconds: number;
}

/** All there is to say. */
interface Report {
  readonly ok: boolean;
  readonly deno: { readonly version: string; readonly ok: boolean };
  readonly adapter: AdapterReport | null;
  readonly warnings: readonly string[];
  readonly hints: readonly Hint[];
}

/** Runs the command and returns the exit code. */
export async function doctor(args: string[]): Promise<number> {
  const parsed = readArgs(COMMAND, args);
  if (parsed === null) return 0;
  const report = await examine();
  if (parsed.values.json) console.log(JSON.stringify(report, null, 2));
  else console.log(inWords(report));
  return report.ok ? 0 : 1;
}

async function examine(): Promise<Report> {
  const version = Deno.version.deno;
  const deno = { version, ok: isNewEnough(version) };
  const hints: Hint[] = deno.ok ? [] : [{
    problem: `Deno ${version} is older than ${OLDEST_DENO.join(".")}`,
    remedy: "deno upgrade, or sh setup.sh",
  }];
  prepareMesa();
  const adapter = await findAdapter();
  if (adapter === null) {
    hints.push(...explainMissingAdapter(here));
    return { ok: false, deno, adapter: null, warnings: [], hints };
  }
  const report = await examineAdapter(adapter);
  const failed = report.tests.filter(({ passed }) => !passed);
  for (const { name, detail } of failed) {
    if (name === HALF_PRECISION) continue;
    hints.push({
      problem: `${report.name} computes wrongly: ${name}: ${detail}`,
      remedy:
        "update its driver; to see whether the software driver is right: sh setup.sh",
    });
  }
  const warnings: string[] = [];
  if (report.software) {
    warnings.push(
      `${report.name} computes on the CPU: results are right, but training takes tens to hundreds of times as long as on a GPU`,
    );
  }
  const bits = widthOf(report);
  if (bits !== null) {
    const gains = gainsFromWidth();
    const avx512 = bits === 256 && gains !== false ? hasAvx512() : null;
    const width = variable(MESA_WIDTH);
    warnings.push(...aboutWidth({ bits, gains, avx512, width }));
  }
  return { ok: hints.length === 0, deno, adapter: report, warnings, hints };
}

/** Advice on the bits that Mesa computes at a time. */
export function aboutWidth({ bits, gains, avx512, width }: {
  bits: number;
  /** Whether this Mesa gains from 512 where the CPU has them; null if unseen. */
  gains: boolean | null;
  avx512: boolean | null;
  /** What is asked for. */
  width: string | null;
}): string[] {
  if (bits === 512 && gains === false) {
    return [
      `${MESA_WIDTH}=512 makes training several times as slow with this version of Mesa: leave it unset`,
    ];
  }
  if (bits !== 256 || gains === false || avx512 === false) return [];
  const times = "make training 1.1 to 1.5 times as fast";
  const needed = [
    `--allow-env=${MESA_THREADS},${MESA_WIDTH}`,
    "--allow-read=/usr/share/vulkan",
    `--allow-run=${LSCPU}`,
  ].join(" ");
  if (gains === null || avx512 === null) {
    return [
      `whether 512 bits at a time would ${times} (with AVX-512 and Mesa 22.3 they would) cannot be seen without ${needed}, a manifest of Mesa's and lscpu`,
    ];
  }
  const remedy = width === null
    ? `run with ${needed}, or set ${MESA_WIDTH}=512`
    : `${MESA_WIDTH} is "${width}", set it to 512 or leave it unset`;
  return [
    `the CPU has AVX-512, which is not used and would ${times}: ${remedy}`,
  ];
}

const HALF_PRECISION = "half precision";

async function examineAdapter(adapter: GPUAdapter): Promise<AdapterReport> {
  const start = performance.now();
  const f16 = adapter.features.has("shader-f16");
  using device = await Device.open();
  const tests = await Array.fromAsync(selfTest(device));
  if (f16) tests.push(await testHalf());
  const { limits } = device.gpu;
  return {
    ...device.adapter,
    vendor: vendorOf(adapter.info),
    threads: isMesa(device.adapter) ? variable(MESA_THREADS) : null,
    limits: Object.fromEntries(LIMITS.map((name) => [name, limits[name]])),
    features: {
      subgroups: device.subgroupSize,
      f16,
      timestamps: adapter.features.has("timestamp-query"),
    },
    tests,
    seconds: Math.round(performance.now() - start) / 1000,
  };
}

/** Tests half precision on a device of its own: it may fail and harm no other. */
async function testHalf(): Promise<Finding> {
  const adapter = await findAdapter();
  try {
    const gpu = await adapter!.requestDevice({
      requiredFeatures: ["shader-f16"],
    });
    using device = new Device(gpu, adapter!.info);
    return { ...await selfTestHalf(device), name: HALF_PRECISION };
  } catch (error) {
    const detail = (error as Error).message.split("\n")[0];
    return { name: HALF_PRECISION, passed: false, detail };
  }
}

function isNewEnough(version: string): boolean {
  const [major, minor] = version.split(".").map(Number);
  return major > OLDEST_DENO[0] ||
    (major === OLDEST_DENO[0] && minor >= OLDEST_DENO[1]);
}

function vendorOf({ vendor }: GPUAdapterInfo): string {
  return VENDORS[Number(vendor)] ?? (vendor || "unknown");
}

function inWords({ ok, deno, adapter, warnings, hints }: Report): string {
  const lines = [
    row("Deno", `${deno.version}${deno.ok ? "" : ", too old"}`),
    ...adapter === null ? [row("adapter", "none")] : adapterInWords(adapter),
    "",
    ...warnings.map((warning) => `warning: ${warning}`),
    ...hints.flatMap(({ problem, remedy }) => [
      `problem: ${problem}`,
      `    try: ${remedy}`,
    ]),
    ok ? "all is well" : "not all is well",
  ];
  return lines.join("\n");
}

function adapterInWords(
  { name, vendor, software, threads, limits, features, tests, seconds }:
    AdapterReport,
): string[] {
  const { subgroups, f16, timestamps } = features;
  const half = tests.find((test) => test.name === HALF_PRECISION);
  const rows = [
    row("adapter", `${name}${software ? " (software: slow)" : ""}`),
    row("vendor", vendor),
    row("subgroups", subgroups ? `${subgroups} lanes` : "not of one size"),
    ...threads === null ? [] : [row("threads", threads)],
    row(
      "f16",
      !f16 || !half
        ? "not offered"
        : half.passed
        ? "works"
        : `wrong results, do not use (${half.detail})`,
    ),
    row("timestamps", timestamps ? "offered" : "not offered"),
    "",
    ...Object.entries(limits).map(([limit, value]) =>
      `${limit.padEnd(36)}${amount(limit, value)}`
    ),
    "",
    `self-test (${seconds.toFixed(1)} s)`,
  ];
  for (const { name, passed, detail } of tests) {
    if (name === HALF_PRECISION) continue;
    const said = detail === undefined
      ? ""
      : passed
      ? ` (note: ${detail})`
      : `: ${detail}`;
    rows.push(`  ${passed ? "ok  " : "FAIL"} ${name}${said}`);
  }
  return rows;
}

function row(name: string, value: string): string {
  return `${name.padEnd(12)}${value}`;
}

/** Sizes in MiB where they are large, all else as it is. */
function amount(limit: string, value: number): string {
  return limit.endsWith("Size") && value >= 2 ** 20
    ? `${Math.floor(value / 2 ** 20)} MiB`
    : `${value}`;
}
