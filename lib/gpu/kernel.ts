/**
 * A WGSL file, callable by the names it declares.
 *
 * @module
 */

import {
  type Arguments,
  deviceOf,
  type Grid,
  groupsOf,
  storageOf,
  uniformOf,
} from "./arguments.ts";
import type { Device } from "./device.ts";
import { GpuError } from "./error.ts";
import type { Pipeline } from "./queue.ts";
import { type Constants, settle, unroll } from "./specialize.ts";
import { type EntryPoint, reflect } from "./wgsl.ts";

/** What to run a kernel with. */
export interface RunOptions {
  /** Storage bindings and uniform members, by the names the WGSL gives them. */
  readonly args: Arguments;
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
    const { source, values, workgroupBytes, entries } = examine(
      label,
      this.#sourceFor(device),
      constants,
    );
    const entry = entries.get(name);
    if (entry === undefined) {
      throw new TypeError(
        `Cannot run ${label}: the entry points of ${this.name} are ${
          [...entries.keys()].join(", ")
        }`,
      );
    }
    checkLimits(label, device, entry, workgroupBytes);
    const pipeline = device.blame(
      label,
      () => makePipeline(label, device, entry, unroll(source, values)),
    );
    const compiled = { entry, pipeline };
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

/** A source with its constants settled, and its entry points. */
function examine(label: string, source: string, constants: Constants) {
  try {
    const settled = settle(source, constants);
    return { ...settled, entries: reflect(settled.source) };
  } catch (cause) {
    const { message } = cause as Error;
    throw new TypeError(
      `Cannot compile ${label}: ${message.replace(/^Cannot/, "cannot")}`,
      { cause },
    );
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
