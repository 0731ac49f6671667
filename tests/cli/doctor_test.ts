import {
  assert,
  assertEquals,
  assertGreaterOrEqual,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import { fromFileUrl } from "@std/path";
import { aboutWidth } from "../../cli/doctor.ts";
import {
  explainMissingAdapter,
  type Surroundings,
} from "../../cli/missing_adapter.ts";
import { selfTest, selfTestHalf } from "../../cli/self_test.ts";
import { compare } from "../../cli/verdict.ts";
import { Device } from "../../lib/gpu/device.ts";

const program = fromFileUrl(new URL("../../cli/main.ts", import.meta.url));

async function doctor(
  { args = [], permissions = ["--allow-read"], env = {} }: {
    args?: string[];
    permissions?: string[];
    env?: Record<string, string>;
  } = {},
): Promise<{ code: number; out: string; err: string }> {
  const { code, stdout, stderr } = await new Deno.Command("deno", {
    args: ["run", "--no-prompt", ...permissions, program, "doctor", ...args],
    env: { NO_COLOR: "1", ...env },
    stdin: "null",
  }).output();
  const [out, err] = [stdout, stderr].map((b) => new TextDecoder().decode(b));
  return { code, out, err };
}

Deno.test("doctor says what computes, what it can, and that all is well", async () => {
  const { code, out } = await doctor();
  assertEquals(code, 0, out);
  assertMatch(
    out,
    new RegExp(`^Deno +${RegExp.escape(Deno.version.deno)}$`, "m"),
  );
  for (
    const name of [
      "adapter",
      "vendor",
      "subgroups",
      "f16",
      "timestamps",
      "maxBufferSize",
      "maxStorageBufferBindingSize",
    ]
  ) assertMatch(out, new RegExp(`^${name} +\\S`, "m"));
  assertGreaterOrEqual(out.match(/^ {2}ok {3}/gm)?.length ?? 0, 8);
  assert(!out.includes("FAIL"));
  assertMatch(out, /\nall is well\n$/);
  // Slow is said, not left to be found out.
  assertEquals(out.includes("(software: slow)"), out.includes("warning: "));
});

Deno.test("doctor --json prints one object and nothing else", async () => {
  const { code, out } = await doctor({ args: ["--json"] });
  assertEquals(code, 0);
  const report = JSON.parse(out);
  assertEquals([report.ok, report.deno.ok], [true, true]);
  assertEquals(report.hints, []);
  const { name, software, tests, limits, features } = report.adapter;
  assertEquals(typeof name, "string");
  assertEquals(report.warnings.length > 0, software);
  assertGreaterOrEqual(tests.length, 8);
  assertGreaterOrEqual(limits.maxBufferSize, 2 ** 28);
  const half = tests.some((test: { name: string }) =>
    test.name === "half precision"
  );
  assertEquals(half, features.f16);
});

Deno.test("doctor needs no permission to find all well", async () => {
  const { code } = await doctor({ permissions: [] });
  assertEquals(code, 0);
});

Deno.test("doctor says what settings software computes with", async () => {
  const env = { LP_NUM_THREADS: "3", LP_NATIVE_VECTOR_WIDTH: "256" };
  const permissions = [
    `--allow-env=${Object.keys(env)}`,
    "--allow-run=/usr/bin/lscpu",
  ];
  const { out } = await doctor({ permissions, env });
  if (!/^adapter +llvmpipe/m.test(out)) return;
  assertMatch(out, /^subgroups +8 lanes$/m);
  assertMatch(out, /^threads +3$/m);
});

Deno.test("AVX-512 that is not used is said, with what mends it", () => {
  const old = { bits: 256, gains: true, avx512: true, width: null } as const;
  assertEquals(aboutWidth({ ...old, avx512: false }), []);
  assertEquals(aboutWidth({ ...old, bits: 512 }), []);
  for (const unseen of [{ gains: null }, { avx512: null }]) {
    const [line] = aboutWidth({ ...old, ...unseen });
    assertStringIncludes(line, "cannot be seen without --allow-env=LP_NUM");
  }
  assertStringIncludes(aboutWidth(old)[0], "run with --allow-env=LP_NUM_THRE");
  assertStringIncludes(
    aboutWidth({ ...old, width: "256" })[0],
    'LP_NATIVE_VECTOR_WIDTH is "256"',
  );
});

Deno.test("a width that a later Mesa is slow with is said", () => {
  const later = { gains: false, avx512: null, width: null } as const;
  assertEquals(aboutWidth({ ...later, bits: 256 }), []);
  const [line] = aboutWidth({ ...later, bits: 512, width: "512" });
  assertMatch(line, /^LP_NATIVE_VECTOR_WIDTH=512 .* leave it unset$/);
});

Deno.test("doctor --help tells of its flags; others are refused", async () => {
  const help = await doctor({ args: ["--help"] });
  assertEquals(help.code, 0);
  assertStringIncludes(help.out, "--json");
  const wrong = await doctor({ args: ["--jsno"] });
  assertEquals([wrong.code, wrong.out], [2, ""]);
  assertStringIncludes(wrong.err, "did you mean --json?");
});

const hidden = {
  DENO_WEBGPU_BACKEND: "vulkan",
  VK_DRIVER_FILES: "/nonexistent/driver.json",
  VK_ICD_FILENAMES: "/nonexistent/driver.json",
};

Deno.test("without an adapter doctor fails, and says what to do", async () => {
  if (Deno.build.os !== "linux") return;
  for (const permissions of [[], ["--allow-read"]]) {
    const { code, out } = await doctor({ env: hidden, permissions });
    assertEquals(code, 1);
    assertMatch(out, /^adapter +none$/m);
    assertMatch(out, /^problem: \S.*\n +try: \S/m);
    assertMatch(out, /\nnot all is well\n$/);
  }
});

Deno.test("doctor sees through the environment where it may", async () => {
  if (Deno.build.os !== "linux") return;
  const permissions = ["--allow-read", "--allow-env"];
  const { out } = await doctor({ env: hidden, permissions, args: ["--json"] });
  const report = JSON.parse(out);
  assertEquals([report.ok, report.adapter], [false, null]);
  assertEquals(report.hints[0], {
    problem:
      "VK_DRIVER_FILES names /nonexistent/driver.json, which is not there",
    remedy: "unset VK_DRIVER_FILES",
  });
});

/** A Linux machine with these folders, files and variables. */
function machine(
  folders: Record<string, readonly string[] | null>,
  { files = {}, env = {}, os = "linux" }: {
    files?: Record<string, string>;
    env?: Record<string, string>;
    os?: string;
  } = {},
): Surroundings {
  return {
    os,
    list: (folder) => folder in folders ? folders[folder] : [],
    read: (path) => files[path] ?? null,
    env: (name) => env[name] ?? null,
  };
}

const libraries = "/usr/lib/x86_64-linux-gnu";
const drivers = "/usr/share/vulkan/icd.d";
const software = {
  [libraries]: ["libvulkan.so.1", "libvulkan_lvp.so"],
  [drivers]: ["lvp_icd.json"],
  "/dev": null,
};
const softwareFile = {
  [`${drivers}/lvp_icd.json`]: JSON.stringify({
    ICD: { library_path: `${libraries}/libvulkan_lvp.so` },
  }),
};

const cases: readonly [
  name: string,
  around: Surroundings,
  ...hints: readonly [problem: string, remedy: string][],
][] = [
  [
    "a bare machine",
    machine({ "/dev": null }),
    ["libvulkan.so.1", "apt-get install libvulkan1"],
    ["no Vulkan driver", "apt-get install mesa-vulkan-drivers"],
  ],
  [
    "a loader without drivers",
    machine({ [libraries]: ["libvulkan.so.1"], "/dev": null }),
    [
      "no Vulkan driver is named in /usr/share/vulkan/icd.d",
      "mesa-vulkan-drivers",
    ],
  ],
  [
    "an NVIDIA container without graphics",
    machine({
      [libraries]: ["libvulkan.so.1", "libcuda.so.1"],
      "/dev": ["nvidia0", "null"],
    }),
    ["no Vulkan driver", "NVIDIA_DRIVER_CAPABILITIES=all"],
  ],
  [
    "a driver's file without the driver",
    machine({ ...software, [libraries]: ["libvulkan.so.1"] }, {
      files: softwareFile,
    }),
    ["/usr/share/vulkan/icd.d/lvp_icd.json", "--reinstall mesa-vulkan-drivers"],
  ],
  [
    "an NVIDIA driver's file whose library was not passed in",
    machine({
      "/etc/vulkan/icd.d": ["nvidia_icd.json"],
      "/usr/lib64": ["libvulkan.so.1"],
      "/usr/bin": ["nvidia-smi"],
      "/dev": null,
    }, {
      files: {
        "/etc/vulkan/icd.d/nvidia_icd.json":
          '{ "ICD": { "library_path": "libGLX_nvidia.so.0" } }',
      },
    }),
    ["nvidia_icd.json", "NVIDIA_DRIVER_CAPABILITIES=all"],
  ],
  [
    "no GPU passed into a container",
    machine({ ...software, "/dev": ["null", "zero"] }, { files: softwareFile }),
    ["neither /dev/dri nor /dev/nvidia0", "--device /dev/dri"],
  ],
  [
    "everything in place",
    machine(software, { files: softwareFile }),
    ["none of them offered an adapter", "unset VK_DRIVER_FILES"],
  ],
  [
    "a misspelt backend",
    machine(software, {
      files: softwareFile,
      env: { DENO_WEBGPU_BACKEND: "vulcan" },
    }),
    [
      'DENO_WEBGPU_BACKEND is "vulcan", and linux has vulkan and gl',
      "unset DENO_WEBGPU_BACKEND",
    ],
  ],
  [
    "a backend of another system",
    machine({}, { env: { DENO_WEBGPU_BACKEND: "vk" }, os: "darwin" }),
    ["darwin has metal", "unset DENO_WEBGPU_BACKEND"],
  ],
  [
    "a driver named that is not there",
    machine({ ...software, "/opt": ["a.json"] }, {
      files: softwareFile,
      env: { VK_ICD_FILENAMES: "/opt/a.json:/opt/b.json" },
    }),
    ["VK_ICD_FILENAMES names /opt/b.json, which", "unset VK_ICD_FILENAMES"],
  ],
  [
    "folders that may not be read",
    { ...machine({}), list: () => null },
    ["cannot be read without --allow-read", "deno task doctor"],
  ],
  [
    "Windows without a driver",
    machine({}, { os: "windows" }),
    ["offered no adapter", "Direct3D 12"],
  ],
];

for (const [name, around, ...expected] of cases) {
  Deno.test(`${name}: ${expected.length === 1 ? "one hint" : "hints"}`, () => {
    const hints = explainMissingAdapter(around);
    assertEquals(hints.length, expected.length, JSON.stringify(hints));
    for (const [i, [problem, remedy]] of expected.entries()) {
      assertStringIncludes(hints[i].problem, problem);
      assertStringIncludes(hints[i].remedy, remedy);
    }
  });
}

Deno.test("a backend by another of its names is none misspelt", () => {
  for (const backend of ["vulkan", "VK", "metal,gl", "opengl"]) {
    const around = machine(software, {
      files: softwareFile,
      env: { DENO_WEBGPU_BACKEND: backend },
    });
    const [{ problem }] = explainMissingAdapter(around);
    assertStringIncludes(problem, "none of them offered an adapter");
  }
});

Deno.test("the self-test is passed without subgroups too", async () => {
  using device = await Device.open({ subgroups: false });
  const before = device.bytesInUse;
  for await (const { name, passed, detail } of selfTest(device)) {
    assert(passed, `${name}: ${detail}`);
  }
  assertEquals(device.bytesInUse, before);
});

Deno.test("a device that fails is a finding, not an exception", async () => {
  const device = await Device.open();
  device[Symbol.dispose]();
  const findings = await Array.fromAsync(selfTest(device));
  assert(findings.length >= 8);
  for (const { passed, detail } of findings) {
    assertEquals(passed, false);
    assertMatch(detail!, /^[^\n]+$/);
  }
});

Deno.test("half precision on a device without it is a finding", async () => {
  const adapter = (await navigator.gpu.requestAdapter())!;
  using device = new Device(await adapter.requestDevice(), adapter.info);
  const { passed, detail } = await selfTestHalf(device);
  assertEquals(passed, false);
  assertStringIncludes(detail!, "f16");
});

Deno.test("compare() finds what is wrong, NaN included", () => {
  assertEquals(compare([["a", 1, 1, 0], ["b", 1.5, 1, 0.5]]), null);
  assertEquals(compare([["a", Infinity, Infinity, 0]]), null);
  for (const actual of [2, NaN, Infinity, -1]) {
    assertEquals(compare([["a", 1, 1, 0], ["b", actual, 1, 0.5]]), {
      wrong: `b is ${actual}, expected 1`,
    });
  }
});
