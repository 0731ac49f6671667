import { assert, assertEquals, assertMatch } from "@std/assert";
import { fromFileUrl } from "@std/path";
import {
  gainsFromWidth,
  hasAvx512,
  type Host,
  listsAvx512,
  LSCPU,
  setMesa,
} from "../../lib/gpu/mesa.ts";

/** Lines as real machines print them, shortened where flags do not matter. */
const WITH = {
  "lscpu, Xeon of Skylake's kind": `Architecture:        x86_64
CPU op-mode(s):      32-bit, 64-bit
Vendor ID:           GenuineIntel
Model name:          Intel(R) Xeon(R) CPU @ 2.00GHz
Flags:               fpu vme de pse tsc msr sse4_1 sse4_2 avx f16c hypervisor avx2 bmi2 erms invpcid rtm mpx avx512f avx512dq rdseed adx smap clflushopt clwb avx512cd avx512bw avx512vl xsaveopt xsavec xgetbv1 xsaves arat md_clear arch_capabilities
Vulnerability Mds:   Mitigation; Clear CPU buffers`,
  "lscpu, EPYC of Zen 4": `Architecture:                            x86_64
Model name:                              AMD EPYC
Flags:                                   fpu vme sse sse2 ht syscall nx avx f16c avx2 smep bmi2 erms invpcid avx512f avx512dq rdseed adx smap avx512ifma clflushopt clwb avx512cd sha_ni avx512bw avx512vl xsaveopt avx512_bf16 avx512vbmi avx512_vnni rdpid fsrm
Hypervisor vendor:                       KVM`,
  "/proc/cpuinfo, two cores": `processor\t: 0
vendor_id\t: GenuineIntel
flags\t\t: fpu vme avx avx2 avx512f avx512dq avx512cd avx512bw avx512vl amx_tile
vmx flags\t: vnmi preemption_timer

processor\t: 1
flags\t\t: fpu vme avx avx2 avx512f avx512dq avx512cd avx512bw avx512vl amx_tile`,
} as const;
const WITHOUT = {
  "lscpu, EPYC of Zen 3": `Architecture:        x86_64
Model name:          AMD EPYC 7763 64-Core Processor
Flags:               fpu vme de sse sse2 ht avx f16c rdrand hypervisor avx2 smep bmi2 erms invpcid rdseed adx smap clflushopt clwb sha_ni umip vaes vpclmulqdq rdpid`,
  "/proc/cpuinfo, Core of Alder Lake's kind": `processor\t: 0
model name\t: 12th Gen Intel(R) Core(TM) i7-12700K
flags\t\t: fpu vme de sse4_2 avx f16c avx2 bmi2 rdseed adx sha_ni avx_vnni gfni vaes`,
  "lscpu, Xeon Phi, which lacks three of the four":
    `Flags: fpu vme avx avx2 avx512f avx512pf avx512er avx512cd`,
  "lscpu, Arm": `Architecture:        aarch64
Model name:          Neoverse-N1
Flags:               fp asimd evtstrm aes pmull sha1 sha2 crc32 atomics fphp asimdhp cpuid`,
  "lscpu, a machine that names no flags": `Architecture:        riscv64`,
  "a vulnerability's name":
    `Vulnerability x: avx512f avx512bw avx512dq avx512vl`,
  "nothing": "",
} as const;

for (const [name, text] of Object.entries(WITH)) {
  Deno.test(`AVX-512 is seen: ${name}`, () => assert(listsAvx512(text)));
}

for (const [name, text] of Object.entries(WITHOUT)) {
  Deno.test(`no AVX-512 is seen: ${name}`, () => assert(!listsAvx512(text)));
}

const DEBIANS = "/usr/share/vulkan/icd.d/lvp_icd.x86_64.json";
const UBUNTUS = "/usr/share/vulkan/icd.d/lvp_icd.json";
const OWN = "/usr/local/share/vulkan/icd.d/lvp_icd.x86_64.json";

/** A manifest as Mesa installs it. */
function manifest(version: string): string {
  return JSON.stringify(
    {
      ICD: { api_version: version, library_path: "libvulkan_lvp.so" },
      file_format_version: "1.0.0",
    },
    null,
    4,
  );
}

const MESA_22_3 = manifest("1.1.230"); // Debian 12

/** A machine to set up, and what came of it. */
function machine(
  {
    os = "linux",
    arch = "x86_64",
    env = {},
    granted = ["env", "read", "run"],
    manifests = { [DEBIANS]: MESA_22_3 },
    cpuinfo = null,
    lscpu = WITH["lscpu, EPYC of Zen 4"],
  }: {
    os?: string;
    arch?: string;
    env?: Record<string, string>;
    granted?: string[];
    manifests?: Record<string, string>;
    cpuinfo?: string | null;
    lscpu?: string | null;
  } = {},
): Host & { variables: Record<string, string>; asked: string[] } {
  const variables = { ...env };
  const asked: string[] = [];
  const may = (name: string) => assert(granted.includes(name), name);
  return {
    variables,
    asked,
    build: { os, arch },
    env: {
      get: (name) => (may("env"), variables[name]),
      set: (name, value) => {
        may("env");
        variables[name] = value;
      },
    },
    permissions: {
      querySync: ({ name }) => ({
        state: granted.includes(name) ? "granted" : "prompt",
      }),
    },
    readTextFileSync(path) {
      may("read");
      if (path.endsWith(".json")) {
        if (path in manifests) return manifests[path];
        throw new Deno.errors.NotFound(path);
      }
      asked.push(path);
      if (cpuinfo === null) throw new Error("Requires all access");
      return cpuinfo;
    },
    Command: class {
      constructor(program: string) {
        may("run");
        asked.push(program);
      }
      outputSync() {
        if (lscpu === null) throw new Deno.errors.NotFound("no such program");
        return { stdout: new TextEncoder().encode(lscpu) };
      }
    },
  };
}

Deno.test("where it may, it sets threads, and the width of AVX-512", () => {
  const host = machine();
  setMesa(host, 2);
  assertEquals(host.variables, {
    LP_NUM_THREADS: "6",
    LP_NATIVE_VECTOR_WIDTH: "512",
  });
  assertEquals(host.asked, ["/proc/cpuinfo", LSCPU]);
});

Deno.test("/proc/cpuinfo spares a process, where it can be read", () => {
  const readable = machine({
    cpuinfo: WITH["/proc/cpuinfo, two cores"],
    lscpu: null,
  });
  setMesa(readable, 2);
  assertEquals(readable.variables.LP_NATIVE_VECTOR_WIDTH, "512");
  assertEquals(readable.asked, ["/proc/cpuinfo"]);
});

/** Versions of Vulkan in the manifests of other Mesas, as they were installed. */
const OTHERS = {
  "Mesa 23.2, Ubuntu 22.04": { [DEBIANS]: manifest("1.1.255") },
  "Mesa 24.0, Ubuntu 24.04": { [DEBIANS]: manifest("1.1.274") },
  "Mesa 25.0, Debian 13": { [UBUNTUS]: manifest("1.4.305") },
  "Mesa 25.2, Ubuntu 24.04": { [UBUNTUS]: manifest("1.4.318") },
  "Mesa 26.0, Ubuntu 26.04": { [UBUNTUS]: manifest("1.4.335") },
  "Mesa 22.3 beside a newer one": {
    [DEBIANS]: MESA_22_3,
    [OWN]: manifest("1.4.354"),
  },
  "a manifest without a version": { [DEBIANS]: '{"ICD": {}}' },
} as const;

for (const [name, manifests] of Object.entries(OTHERS)) {
  Deno.test(`the width stays Mesa's, and no CPU is asked for: ${name}`, () => {
    const host = machine({ manifests });
    setMesa(host, 2);
    assertEquals(host.variables, { LP_NUM_THREADS: "6" });
    assertEquals([host.asked, gainsFromWidth(host)], [[], false]);
  });
}

Deno.test("without a manifest that can be read, the width stays Mesa's", () => {
  const broken = { [DEBIANS]: "{" };
  for (
    const host of [
      machine({ manifests: {} }),
      machine({ manifests: broken }),
      machine({ granted: ["env", "run"] }),
    ]
  ) {
    setMesa(host, 2);
    assertEquals(host.variables, { LP_NUM_THREADS: "6" });
    assertEquals([host.asked, gainsFromWidth(host)], [[], null]);
  }
});

Deno.test("the manifests that the user names count, and no others", () => {
  const mine = "/home/me/mesa/lvp_icd.x86_64.json";
  for (const variable of ["VK_DRIVER_FILES", "VK_ICD_FILENAMES"]) {
    for (
      const [version, named, gains] of [
        ["1.4.354", mine, false],
        ["1.1.230", mine, true],
        ["1.4.354", DEBIANS, true],
        ["1.4.354", `${DEBIANS}:${mine}`, false],
        ["1.4.354", "", true],
      ] as const
    ) {
      const manifests = { [DEBIANS]: MESA_22_3, [mine]: manifest(version) };
      const host = machine({ env: { [variable]: named }, manifests });
      assertEquals(gainsFromWidth(host), gains, `${version} ${named}`);
    }
  }
});

Deno.test("without AVX-512, or without lscpu, the width stays Mesa's", () => {
  for (const lscpu of [WITHOUT["lscpu, EPYC of Zen 3"], null]) {
    const host = machine({ lscpu });
    setMesa(host, 8);
    assertEquals(host.variables, { LP_NUM_THREADS: "24" });
    assertEquals(hasAvx512(host), lscpu === null ? null : false);
  }
});

Deno.test("a core that is alone gets no second thread", () => {
  const host = machine();
  setMesa(host, 1);
  assertEquals(host.variables, { LP_NATIVE_VECTOR_WIDTH: "512" });
});

Deno.test("one thread is enough where that is asked for, on one core too", () => {
  for (const cores of [1, 8]) {
    const host = machine({ lscpu: null });
    setMesa(host, cores, true);
    assertEquals(host.variables, { LP_NUM_THREADS: "0" });
  }
  const host = machine({ env: { LP_NUM_THREADS: "4" }, lscpu: null });
  setMesa(host, 2, true);
  assertEquals(host.variables, { LP_NUM_THREADS: "4" });
});

Deno.test("what the user has set stays, empty too, and nothing is run for it", () => {
  for (const value of ["256", "128", "512", ""]) {
    const env = { LP_NUM_THREADS: "1", LP_NATIVE_VECTOR_WIDTH: value };
    const host = machine({ env });
    setMesa(host, 2);
    assertEquals(host.variables, env);
    assertEquals(host.asked, []);
  }
});

Deno.test("other systems and CPUs are left alone", () => {
  for (
    const host of [
      machine({ os: "darwin" }),
      machine({ os: "windows" }),
      machine({ arch: "aarch64" }),
    ]
  ) {
    setMesa(host, 8);
    assertEquals([host.variables, host.asked], [{}, []]);
    assertEquals([hasAvx512(host), gainsFromWidth(host)], [false, false]);
  }
});

Deno.test("without permissions nothing is read, run or set", () => {
  for (const granted of [[], ["run"], ["run", "read"]]) {
    const host = machine({ granted, lscpu: null });
    setMesa(host, 2);
    assertEquals([host.variables, host.asked], [{}, []]);
  }
  const host = machine({ granted: ["env"] });
  setMesa(host, 2);
  assertEquals([host.variables, host.asked], [{ LP_NUM_THREADS: "6" }, []]);
  assertEquals(hasAvx512(host), null);
});

const child = fromFileUrl(new URL("./mesa_child.ts", import.meta.url));

/** What a program that opens two devices sees. */
async function opened(
  permissions: readonly string[],
  env: Record<string, string> = {},
): Promise<{ lines: string[]; err: string; code: number }> {
  const { LP_NUM_THREADS: _, LP_NATIVE_VECTOR_WIDTH: __, ...rest } = Deno.env
    .toObject();
  const { stdout, stderr, code } = await new Deno.Command("deno", {
    args: ["run", "--no-check", ...permissions, child],
    clearEnv: true,
    env: { ...rest, NO_COLOR: "1", ...env },
    stdin: "null",
  }).output();
  const [out, err] = [stdout, stderr].map((b) => new TextDecoder().decode(b));
  return { lines: out.trim().split("\n"), err, code };
}

const ENV = "--allow-env=LP_NUM_THREADS,LP_NATIVE_VECTOR_WIDTH";
const READ = "--allow-read=/usr/share/vulkan";
const RUN = `--allow-run=${LSCPU}`;
const isOnLinux = Deno.build.os === "linux" && Deno.build.arch === "x86_64";

Deno.test("a program without permissions is asked for none, and works", async () => {
  const { lines, err, code } = await opened([]);
  assertEquals([lines.length, code], [3, 0], err);
  assertEquals(lines[0], "hidden hidden");
  assert(!/permission|requires|requests|allow/i.test(err), err);
});

Deno.test({
  name: "a program that may gets all that software can, on every device",
  ignore: !isOnLinux,
  async fn() {
    const { lines: [set, ...adapters], err, code } = await opened([
      ENV,
      READ,
      RUN,
    ]);
    assertEquals([adapters.length, code], [2, 0], err);
    const { hardwareConcurrency: cores } = navigator;
    const [threads, width] = set.split(" ");
    assertEquals(threads, cores > 1 ? `${3 * cores}` : "unset");
    assertMatch(width, /^(512|unset)$/);
    const bits = adapters.map((name) => name.match(/llvmpipe.* (\d+) bits/));
    for (const found of bits) {
      if (found && width === "512") assertEquals(found[1], "512");
    }
  },
});

Deno.test({
  name: "the user's width is what software computes in",
  ignore: !isOnLinux,
  async fn() {
    const env = { LP_NUM_THREADS: "3", LP_NATIVE_VECTOR_WIDTH: "256" };
    const { lines: [set, ...adapters] } = await opened([ENV, READ, RUN], env);
    assertEquals(set, "3 256");
    for (const name of adapters) {
      if (name.includes("llvmpipe")) assertMatch(name, / 256 bits/);
    }
  },
});

Deno.test({
  name: "a program that may run nothing gets threads alone, and no word of it",
  ignore: !isOnLinux,
  async fn() {
    const { lines: [set], err } = await opened([
      ENV,
      READ,
      "--allow-run=/none/such",
    ]);
    assertMatch(set, / unset$/);
    assert(!err.includes("such"), err);
  },
});
