/**
 * Settings that Mesa's software driver computes faster with.
 *
 * Mesa reads them from the environment, once, when the first adapter is
 * requested. They are set only in Deno, on Linux on x86-64, and as far as the
 * permissions already given reach; what the user has set stays. Child processes
 * inherit them.
 *
 * @module
 */

/** Threads that compute. */
export const MESA_THREADS = "LP_NUM_THREADS";
/** Bits that are computed at a time. */
export const MESA_WIDTH = "LP_NATIVE_VECTOR_WIDTH";

/** Files that name the driver to Vulkan's loader, instead of those it looks for. */
const MESA_FILES = ["VK_DRIVER_FILES", "VK_ICD_FILENAMES"];

/** The program that tells what the CPU can do; it is a part of util-linux. */
export const LSCPU = "/usr/bin/lscpu";

/** Where distributions tell Vulkan's loader of the driver. */
const MANIFESTS = ["/etc", "/usr/local/share", "/usr/share"]
  .flatMap((folder) =>
    ["lvp_icd.x86_64.json", "lvp_icd.json"]
      .map((name) => `${folder}/vulkan/icd.d/${name}`)
  );

/**
 * The version of Vulkan in the manifest of Mesa 22.3, the only one known to
 * compute faster with 512 bits at a time: later ones hand numbers round 16 lanes
 * one by one, and 24.0 to 26.0 may load zeros from textures; see image_check.ts.
 */
const WIDE = /^1\.\d+\.230$/;

/** What 512 bits at a time need to be faster than 256. */
const NEEDED = ["avx512f", "avx512bw", "avx512dq", "avx512vl"];

/** What is used of Deno; other hosts of WebGPU have no such thing. */
export interface Host {
  /** The system and the kind of CPU. */
  readonly build: { readonly os: string; readonly arch: string };
  /** The environment. */
  readonly env: {
    get(name: string): string | undefined;
    set(name: string, value: string): void;
  };
  /** What is allowed. */
  readonly permissions: {
    querySync(
      descriptor:
        | { name: "env"; variable: string }
        | { name: "read"; path: string }
        | { name: "run"; command: string },
    ): { readonly state: string };
  };
  /** Reads a file. */
  readTextFileSync(path: string): string;
  /** Runs a program. */
  readonly Command: new (program: string, options: {
    clearEnv: true;
    env: Record<string, string>;
    stdin: "null";
    stderr: "null";
  }) => { outputSync(): { readonly stdout: BufferSource } };
}

const { Deno: here } = globalThis as unknown as { Deno?: Host };

let prepared = false;

/**
 * Makes the settings, once; to be called before an adapter is requested. With
 * `oneThread` Mesa computes on the thread that runs a device's commands.
 */
export function prepareMesa(oneThread = false): void {
  if (prepared) return;
  prepared = true;
  if (here) setMesa(here, navigator.hardwareConcurrency, oneThread);
}

/** Sets what is not set yet and may be, for a CPU of so many cores. */
export function setMesa(host: Host, cores: number, oneThread = false): void {
  if (!isLinuxOnX86(host)) return;
  // A guest's threads are often woken on the same core while others sleep. Mesa
  // gives each thread an equal share, which whoever is awake takes: with three
  // times as many, a core that came late or was slow leaves less to wait for.
  // Mesa has a maximum of its own.
  if ((cores > 1 || oneThread) && isUnset(host, MESA_THREADS)) {
    host.env.set(MESA_THREADS, oneThread ? "0" : `${3 * cores}`);
  }
  if (
    isUnset(host, MESA_WIDTH) && gainsFromWidth(host) && hasAvx512(host)
  ) {
    host.env.set(MESA_WIDTH, "512");
  }
}

/** Whether an adapter is Mesa's software driver. */
export function isMesa({ name }: { readonly name: string }): boolean {
  return /llvmpipe/i.test(name);
}

/** How many bits at a time Mesa's software driver computes; null if it is none. */
export function widthOf({ name }: { readonly name: string }): number | null {
  const bits = name.match(/llvmpipe.* (\d+) bits/i)?.[1];
  return bits === undefined ? null : Number(bits);
}

/**
 * Whether the Mesa that is installed computes faster, and rightly, with 512 bits
 * at a time where the CPU has them; null if that cannot be told.
 */
export function gainsFromWidth(host: Host | undefined = here): boolean | null {
  if (!host || !isLinuxOnX86(host)) return false;
  const versions = manifests(host).map((path) => versionIn(host, path))
    .filter((version) => version !== null);
  if (versions.length === 0) return null;
  return versions.every((version) => WIDE.test(version));
}

/** Whether the CPU has what AVX-512 needs to pay; null if that cannot be told. */
export function hasAvx512(host: Host | undefined = here): boolean | null {
  if (!host || !isLinuxOnX86(host)) return false;
  const text = aboutCpu(host);
  return text === null ? null : listsAvx512(text);
}

/** Whether all that is needed is among the flags in /proc/cpuinfo or of lscpu. */
export function listsAvx512(text: string): boolean {
  const flags = text.match(/^flags\s*:(.*)$/im)?.[1].trim().split(/\s+/) ?? [];
  return NEEDED.every((name) => flags.includes(name));
}

/** The manifests that may tell of the driver. */
function manifests({ permissions, env }: Host): readonly string[] {
  for (const variable of MESA_FILES) {
    const { state } = permissions.querySync({ name: "env", variable });
    const named = state === "granted" ? env.get(variable) : undefined;
    if (named) return named.split(":");
  }
  return MANIFESTS;
}

/** The version of Vulkan in a manifest; null if there is none to be read. */
function versionIn(
  { permissions, readTextFileSync }: Host,
  path: string,
): string | null {
  const { state } = permissions.querySync({ name: "read", path });
  if (state !== "granted") return null;
  try {
    return `${JSON.parse(readTextFileSync(path)).ICD.api_version}`;
  } catch {
    return null; // It is not there, or not such a file.
  }
}

/** What the system says of the CPU, or null if it may not be asked. */
function aboutCpu({ permissions, readTextFileSync, Command }: Host) {
  const path = "/proc/cpuinfo";
  if (permissions.querySync({ name: "read", path }).state === "granted") {
    try {
      return readTextFileSync(path);
    } catch {
      // It takes every permission to read it.
    }
  }
  const run = permissions.querySync({ name: "run", command: LSCPU });
  if (run.state !== "granted") return null;
  try {
    // Deno lets no LD_LIBRARY_PATH be handed to a program.
    const { stdout } = new Command(LSCPU, {
      clearEnv: true,
      env: { LC_ALL: "C" },
      stdin: "null",
      stderr: "null",
    }).outputSync();
    return new TextDecoder().decode(stdout);
  } catch {
    return null; // It is not there.
  }
}

function isLinuxOnX86({ build }: Host): boolean {
  return build.os === "linux" && build.arch === "x86_64";
}

/** Whether a variable may be seen and set, and is not set. */
function isUnset({ permissions, env }: Host, variable: string): boolean {
  return permissions.querySync({ name: "env", variable }).state === "granted" &&
    env.get(variable) === undefined;
}
