/**
 * A WGSL file, callable by the names it declares.
 *
 * @module
 */

import type { Device } from "./device.ts";
import { GpuError } from "./error.ts";
import type { Storage } from "./pool.ts";
import type { Pipeline } from "./queue.ts";
import { type Constants, settle, unroll } from "./specialize.ts";
import { type EntryPoint, reflect } from "./wgsl.ts";

/** Anything that lies in GPU memory. */
export interface Resident {
  /** Where it lies. */
  readonly device: Device;
  /** The memory. */
  readonly storage: Storage;
  /** How many bytes of the memory are its own. */
  readonly bytes: number;
}

/** How many workgroups to run: given, or enough for one thread each. */
export type Grid =
  | { readonly groups: number | readonly [number, number, number?] }
  | { readonly threads: number };

/** What to run a kernel with. */
export interface RunOptions {
  /** Storage bindings and uniform members, by the names the WGSL gives them. */
  readonly args: Readonly<Record<string, Resident | number>>;
  /** How many workgroups. */
  readonly grid: Grid;
  /** Values for constants of the WGSL: how to compute, not how much. */
  readonly constants?: Constants;
}

/** WGSL that goes with a kernel: the same everywhere, or by what a device has. */
export type Include = string | {
  /** For devices whose subgroups all have one size. */
  readonly subgroup: string;
  /** For all others. */
  readonly workgroup: string;
};

const MOST_GROUPS = 65535;

interface Compiled {
  readonly entry: EntryPoint;
  readonly pipeline: Pipeline;
}

/** A WGSL file and the pipelines made from it. */
export class Kernel {
  /** The file's name, for messages. */
  readonly name: string;
  readonly #source: string;
  readonly #includes: readonly Include[];
  readonly #compiled = new WeakMap<Device, Map<string, Compiled>>();

  /** Names a kernel and the shared WGSL it uses. */
  constructor(name: string, source: string, ...includes: Include[]) {
    this.name = name;
    this.#source = source;
    this.#includes = includes;
  }

  /** Queues a run of an entry point. */
  run(entryName: string, { args, grid, constants = {} }: RunOptions): void {
    const label = `${this.name}.${entryName}`;
    const device = deviceOf(label, args);
    const { entry, pipeline } = this.#compile(device, entryName, constants);
    const groups = groupsOf(label, grid, entry);
    if (groups[0] * groups[1] * groups[2] === 0) return;
    device.dispatch({
      pipeline,
      storage: storageOf(label, device, entry, args),
      uniform: uniformOf(label, entry, args),
      groups,
    });
  }

  #compile(device: Device, name: string, constants: Constants): Compiled {
    let key = name;
    for (const [constant, value] of Object.entries(constants)) {
      key += ` ${constant}=${value}`;
    }
    let cache = this.#compiled.get(device);
    if (cache === undefined) this.#compiled.set(device, cache = new Map());
    const cached = cache.get(key);
    if (cached !== undefined) return cached;

    const label = `${this.name}.${name}`;
    const { source, values, workgroupBytes } = settle(
      this.#sourceFor(device),
      constants,
    );
    const entries = reflect(source);
    const entry = entries.get(name);
    if (entry === undefined) {
      throw new TypeError(
        `Cannot run ${label}: the entry points of ${this.name} are ${
          [...entries.keys()].join(", ")
        }`,
      );
    }
    checkLimits(label, device, entry, workgroupBytes);
    const compiled = {
      entry,
      pipeline: makePipeline(label, device, entry, unroll(source, values)),
    };
    cache.set(key, compiled);
    return compiled;
  }

  #sourceFor({ subgroupSize }: Device): string {
    const parts = this.#includes.map((include) =>
      typeof include === "string"
        ? include
        : subgroupSize > 0
        ? include.subgroup
        : include.workgroup
    );
    return [...parts, this.#source].join("\n");
  }
}

function makePipeline(
  label: string,
  device: Device,
  entry: EntryPoint,
  code: string,
): Pipeline {
  const { gpu } = device;
  const { storage, uniform } = entry;
  const entries: GPUBindGroupLayoutEntry[] = storage.map((
    { binding, writable },
  ) => ({
    binding,
    visibility: GPUShaderStage.COMPUTE,
    buffer: { type: writable ? "storage" : "read-only-storage" },
  }));
  if (uniform !== null) {
    entries.push({
      binding: uniform.binding,
      visibility: GPUShaderStage.COMPUTE,
      buffer: { type: "uniform", hasDynamicOffset: true },
    });
  }
  const layout = gpu.createBindGroupLayout({ label, entries });
  return {
    id: device.newId(),
    label,
    layout,
    uniform: uniform && {
      binding: uniform.binding,
      size: Math.ceil(uniform.size / 16) * 16,
    },
    gpu: gpu.createComputePipeline({
      label,
      layout: gpu.createPipelineLayout({ bindGroupLayouts: [layout] }),
      compute: {
        module: gpu.createShaderModule({ label, code }),
        entryPoint: entry.name,
      },
    }),
  };
}

/** Checks what wgpu leaves unchecked, before the driver sees it. */
function checkLimits(
  label: string,
  { gpu: { limits }, adapter }: Device,
  { workgroupSize: [x, y, z], storage }: EntryPoint,
  workgroupBytes: number,
) {
  const demands: [what: string, asked: number, most: number][] = [
    [
      "threads per workgroup",
      x * y * z,
      limits.maxComputeInvocationsPerWorkgroup,
    ],
    ["threads along x", x, limits.maxComputeWorkgroupSizeX],
    ["threads along y", y, limits.maxComputeWorkgroupSizeY],
    ["threads along z", z, limits.maxComputeWorkgroupSizeZ],
    [
      "bytes of workgroup memory",
      workgroupBytes,
      limits.maxComputeWorkgroupStorageSize,
    ],
    [
      "storage buffers",
      storage.length,
      limits.maxStorageBuffersPerShaderStage,
    ],
  ];
  for (const [what, asked, most] of demands) {
    if (!(asked <= most)) {
      throw new GpuError(
        `Cannot run ${label}: it asks for ${asked} ${what}, ${adapter.name} has ${most}`,
      );
    }
  }
}

function deviceOf(label: string, args: RunOptions["args"]): Device {
  let device: Device | null = null;
  for (const arg of Object.values(args)) {
    if (typeof arg === "number") continue;
    if (device !== null && arg.device !== device) {
      throw new TypeError(
        `Cannot run ${label}: its tensors lie on different devices`,
      );
    }
    device = arg.device;
  }
  if (device === null) {
    throw new TypeError(`Cannot run ${label}: no argument is a tensor`);
  }
  return device;
}

function storageOf(
  label: string,
  { gpu: { limits }, adapter }: Device,
  { storage }: EntryPoint,
  args: RunOptions["args"],
): { binding: number; storage: Storage }[] {
  return storage.map(({ name, binding }) => {
    const arg = args[name];
    if (arg === undefined || typeof arg === "number") {
      throw new TypeError(
        `Cannot run ${label}: it needs a tensor "${name}", got ${arg}`,
      );
    }
    if (arg.bytes > limits.maxStorageBufferBindingSize) {
      throw new RangeError(
        `Cannot run ${label}: "${name}" has ${arg.bytes} bytes, ${adapter.name} binds at most ${limits.maxStorageBufferBindingSize}`,
      );
    }
    return { binding, storage: arg.storage };
  });
}

function uniformOf(
  label: string,
  { uniform }: EntryPoint,
  args: RunOptions["args"],
): Uint8Array | null {
  if (uniform === null) return null;
  const view = new DataView(new ArrayBuffer(uniform.size));
  for (const { name, type, offset } of uniform.fields) {
    const arg = args[name];
    if (typeof arg !== "number") {
      throw new TypeError(
        `Cannot run ${label}: it needs a number "${name}", got ${arg}`,
      );
    }
    if (type === "f32") view.setFloat32(offset, arg, true);
    else view.setUint32(offset, arg, true);
  }
  return new Uint8Array(view.buffer);
}

function groupsOf(
  label: string,
  grid: Grid,
  { workgroupSize }: EntryPoint,
): [number, number, number] {
  if ("groups" in grid && typeof grid.groups !== "number") {
    const [x, y, z = 1] = grid.groups;
    if (Math.max(x, y, z) > MOST_GROUPS) {
      throw new RangeError(
        `Cannot run ${label}: a grid of [${x}, ${y}, ${z}] workgroups exceeds ${MOST_GROUPS} along an axis`,
      );
    }
    return [x, y, z];
  }
  const groups = "groups" in grid
    ? grid.groups as number
    : Math.ceil(grid.threads / workgroupSize[0]);
  // A grid is at most 65535 wide, so long ones are folded into rows, which
  // `flat_group` in kernels/shared/grid.wgsl undoes.
  const rows = Math.ceil(groups / MOST_GROUPS);
  return groups === 0 ? [0, 1, 1] : [Math.ceil(groups / rows), rows, 1];
}
