/**
 * Why no WebGPU adapter answers, and what mends it.
 *
 * @module
 */

import { join } from "node:path";

/** What can be seen of the machine without asking for a permission. */
export interface Surroundings {
  /** The operating system, as Deno names it. */
  readonly os: string;
  /** The names in a folder; none if it is not there, `null` if it is hidden. */
  list(folder: string): readonly string[] | null;
  /** The text of a file, or `null` if it is not there or hidden. */
  read(path: string): string | null;
  /** An environment variable, or `null` if it is not set or hidden. */
  env(name: string): string | null;
}

/** Something amiss, and the command that mends it. */
export interface Hint {
  /** What was seen. */
  readonly problem: string;
  /** What to do. */
  readonly remedy: string;
}

/** Backends by the names that DENO_WEBGPU_BACKEND may give them. */
const BACKENDS: Readonly<Record<string, readonly string[]>> = {
  vulkan: ["vulkan", "vk"],
  gl: ["gl", "gles", "opengl"],
  metal: ["metal", "mtl"],
  dx12: ["dx12", "d3d12"],
};

/** Backends that systems have. */
const BACKENDS_OF: Readonly<Record<string, readonly string[]>> = {
  linux: ["vulkan", "gl"],
  darwin: ["metal"],
  windows: ["dx12", "vulkan", "gl"],
};

const LIBRARY_FOLDERS = [
  "/usr/lib/x86_64-linux-gnu",
  "/usr/lib/aarch64-linux-gnu",
  "/lib/x86_64-linux-gnu",
  "/lib/aarch64-linux-gnu",
  "/usr/lib64",
  "/lib64",
  "/usr/lib",
  "/usr/local/lib",
];

const DRIVER_FOLDERS = [
  "/usr/share/vulkan/icd.d",
  "/etc/vulkan/icd.d",
  "/usr/local/share/vulkan/icd.d",
  "/usr/local/etc/vulkan/icd.d",
];

const SETUP = "sh setup.sh, or: apt-get install";

/** What to look at and do, the likeliest first; at least one hint. */
export function explainMissingAdapter(around: Surroundings): Hint[] {
  const hints = fromEnvironment(around);
  if (around.os === "linux") hints.push(...fromLinux(around));
  if (hints.length > 0) return hints;
  if (around.os === "linux") {
    return [{
      problem:
        "a Vulkan loader and drivers are there, but none of them offered an adapter",
      remedy:
        "unset VK_DRIVER_FILES, VK_ICD_FILENAMES and DENO_WEBGPU_BACKEND if they are set; else run sh setup.sh",
    }];
  }
  return [{
    problem: "the graphics driver offered no adapter",
    remedy: around.os === "windows"
      ? "install the graphics driver of your GPU's maker, for Direct3D 12 or Vulkan"
      : "run where the system's graphics driver can be reached, not in a sandbox",
  }];
}

function fromEnvironment({ os, env, list }: Surroundings): Hint[] {
  const hints: Hint[] = [];
  const backend = env("DENO_WEBGPU_BACKEND");
  const offered = BACKENDS_OF[os] ?? Object.keys(BACKENDS);
  const wanted = backend?.toLowerCase().split(",").map((name) => name.trim());
  const known = offered.flatMap((name) => BACKENDS[name]);
  if (wanted && !wanted.some((name) => known.includes(name))) {
    hints.push({
      problem: `DENO_WEBGPU_BACKEND is "${backend}", and ${os} has ${
        offered.join(" and ")
      }`,
      remedy: "unset DENO_WEBGPU_BACKEND",
    });
  }
  for (const name of ["VK_DRIVER_FILES", "VK_ICD_FILENAMES"]) {
    const files = env(name)?.split(":").filter((path) => path !== "") ?? [];
    const missing = files.filter((path) => {
      const at = path.lastIndexOf("/");
      const names = list(path.slice(0, at) || "/");
      return names !== null && !names.includes(path.slice(at + 1));
    });
    if (missing.length > 0) {
      hints.push({
        problem: `${name} names ${missing.join(", ")}, which is not there`,
        remedy: `unset ${name}`,
      });
    }
  }
  return hints;
}

function fromLinux(around: Surroundings): Hint[] {
  const hints: Hint[] = [];
  const folders = LIBRARY_FOLDERS.map((folder) => around.list(folder));
  if (folders.every((names) => names === null)) {
    return [{
      problem: "the folders of drivers cannot be read without --allow-read",
      remedy: "deno task doctor",
    }];
  }
  const libraries = new Set(folders.flatMap((names) => names ?? []));
  if (!libraries.has("libvulkan.so.1")) {
    hints.push({
      problem:
        "the Vulkan loader, libvulkan.so.1, is in none of the usual folders",
      remedy: `${SETUP} libvulkan1`,
    });
  }
  const drivers = DRIVER_FOLDERS.flatMap((folder) =>
    (around.list(folder) ?? [])
      .filter((name) => name.endsWith(".json"))
      .map((name) => join(folder, name))
  );
  const hasNvidia = isNvidia(around, libraries);
  if (drivers.length === 0) {
    hints.push({
      problem: `no Vulkan driver is named in ${
        DRIVER_FOLDERS.slice(0, 2).join(" or ")
      }`,
      remedy: hasNvidia
        ? `for the NVIDIA GPU: start the container with NVIDIA_DRIVER_CAPABILITIES=all (graphics, not compute alone); for a slow software driver: ${SETUP} mesa-vulkan-drivers`
        : `${SETUP} mesa-vulkan-drivers`,
    });
  } else if (!drivers.some((path) => hasLibrary(around, path, libraries))) {
    hints.push({
      problem: `the drivers that ${drivers.join(", ")} name are not installed`,
      remedy: hasNvidia
        ? "start the container with NVIDIA_DRIVER_CAPABILITIES=all (graphics, not compute alone)"
        : `${SETUP} --reinstall mesa-vulkan-drivers`,
    });
  }
  const devices = around.list("/dev");
  if (
    devices !== null && !devices.some((name) => /^(dri|nvidia\d)/.test(name))
  ) {
    hints.push({
      problem:
        "neither /dev/dri nor /dev/nvidia0 is there: no GPU can be reached",
      remedy:
        "in a container, pass the GPU in (--gpus all, or --device /dev/dri); without a GPU the software driver works, slowly",
    });
  }
  return hints;
}

/** Whether the library that a driver's file names is there. */
function hasLibrary(
  { list, read }: Surroundings,
  path: string,
  libraries: ReadonlySet<string>,
): boolean {
  const library = read(path)?.match(/"library_path"\s*:\s*"([^"]+)"/)?.[1];
  if (library === undefined) return false;
  const at = library.lastIndexOf("/");
  if (at < 0) return libraries.has(library);
  // A relative path starts at the file.
  const folder = library.startsWith("/")
    ? library.slice(0, at)
    : join(path, "..", library.slice(0, at));
  const names = list(folder);
  return names === null || names.includes(library.slice(at + 1));
}

function isNvidia(
  { list }: Surroundings,
  libraries: ReadonlySet<string>,
): boolean {
  return libraries.has("libcuda.so.1") ||
    (list("/usr/bin")?.includes("nvidia-smi") ?? false) ||
    (list("/dev")?.some((name) => name.startsWith("nvidia")) ?? false);
}

/** This machine, as far as the permissions given reach; it never asks for more. */
export const here: Surroundings = {
  os: Deno.build.os,
  list(folder) {
    if (!mayRead(folder)) return null;
    try {
      return Array.from(Deno.readDirSync(folder), ({ name }) => name);
    } catch (error) {
      // /dev is hidden from all programs that may not do everything.
      return error instanceof Deno.errors.NotFound ? [] : null;
    }
  },
  read(path) {
    if (!mayRead(path)) return null;
    try {
      return Deno.readTextFileSync(path);
    } catch {
      return null;
    }
  },
  env(variable) {
    const { state } = Deno.permissions.querySync({ name: "env", variable });
    return state === "granted" ? Deno.env.get(variable) ?? null : null;
  },
};

function mayRead(path: string): boolean {
  return Deno.permissions.querySync({ name: "read", path }).state === "granted";
}
