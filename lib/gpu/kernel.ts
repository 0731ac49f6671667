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
import { copiedOf, withImages } from "./copied_arguments.ts";
import type { Device } from "./device.ts";
import { GpuError } from "./error.ts";
import { isMesa } from "./mesa.ts";
import type { Pipeline } from "./bind_groups.ts";
import type { Work } from "./queue.ts";
import { reachable } from "./reach.ts";
import { type Constants, settle, type Types } from "./specialize.ts";
import { imageName, readImages } from "./texels.ts";
import { unroll } from "./unroll.ts";
import { type EntryPoint, reflect } from "./wgsl.ts";

/** What to run a kernel with. */
export interface RunOptions {
  /** Storage bindings and uniform members, by the names the WGSL gives them. */
  readonly args: Arguments;
  /** How many workgroups. */
  readonly grid: Grid;
  /** Values for constants of the WGSL: how to compute, not how much. */
  readonly constants?: Constants;
  /** What aliases of the WGSL stand for: `f32`, `f16`, `vec4f` or `vec4h`. */
  readonly types?: Types;
  /** What the formula asks, for the profiler. */
  readonly work?: Work;
  /** The most trips that one thread makes through loops, where sizes decide. */
  readonly trips?: number;
  /**
   * Bindings of 32-bit numbers that a run reads most of, and does not read again
   * where it writes: they are copied to images where that makes it faster.
   */
  readonly images?: readonly string[];
}

// Mesa's software driver leaves every loop after 65,535 trips, counted over all
// loops of a thread, and says nothing.
const MOST_TRIPS = 60000;

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
  /** Its WGSL, until it has run. */
  code: string | null;
}

/** A source with its constants settled, for all of its entry points. */
interface Module {
  readonly entries: ReadonlyMap<string, EntryPoint>;
  readonly half: boolean;
  readonly workgroupBytes: number;
  readonly source: string;
  readonly values: ReadonlyMap<string, number>;
}

/** What a device has of a kernel. */
class Made {
  readonly pipelines = new Map<string, Compiled>();
  readonly modules = new Map<string, Module>();
}

/** A WGSL file and the pipelines made from it. */
export class Kernel {
  /** The file's name, for messages. */
  readonly name: string;
  readonly #source: string;
  readonly #includes: readonly Include[];
  readonly #made = new WeakMap<Device, Made>();

  /** Names a kernel and the shared WGSL it uses. */
  constructor(name: string, source: string, ...includes: Include[]) {
    this.name = name;
    this.#source = source;
    this.#includes = includes;
  }

  /** Queues a run of an entry point. */
  run(entryName: string, options: RunOptions): void {
    const { args: given, grid, trips = 0, work } = options;
    const label = `${this.name}.${entryName}`;
    const device = deviceOf(label, given);
    const copied = copiedOf(device, given, options.images);
    const compiled = this.#compile(device, entryName, options, copied);
    const { entry, pipeline } = compiled;
    if (trips > MOST_TRIPS && isMesa(device.adapter)) {
      throw new RangeError(
        `Cannot run ${label}: a thread would go ${trips} times through loops, ${device.adapter.name} stops silently after 65535`,
      );
    }
    const groups = groupsOf(label, grid, entry);
    if (groups[0] * groups[1] * groups[2] === 0) return;
    const args = withImages(device, given, copied);
    const storage = storageOf(label, device, entry, args);
    const uniform = uniformOf(label, entry, args);
    device.dispatch({ pipeline, storage, uniform, groups, work });
    if (compiled.code === null) return;
    const { code } = compiled;
    const pipelineFor = (gpu: GPUDevice) =>
      makePipeline(label, gpu, entry, code);
    device.queuedFirst({ code, pipelineFor, storage, uniform });
    compiled.code = null;
  }

  #compile(
    device: Device,
    name: string,
    { constants = {}, types = {} }: RunOptions,
    copied: readonly string[],
  ): Compiled {
    let settings = "";
    for (const constant in constants) {
      settings += ` ${constant}=${constants[constant]}`;
    }
    for (const type in types) settings += ` ${type}=${types[type]}`;
    for (const name of copied) settings += ` ${imageName(name)}`;
    let made = this.#made.get(device);
    if (made === undefined) this.#made.set(device, made = new Made());
    const cached = made.pipelines.get(name + settings);
    if (cached !== undefined) return cached;

    const label = `${this.name}.${name}`;
    let module = made.modules.get(settings);
    if (module === undefined) {
      const given = this.#sourceFor(device);
      module = examine(label, given, { constants, types, copied });
      made.modules.set(settings, module);
    }
    const { entries, half, workgroupBytes, source, values } = module;
    if (half && !device.features.has("shader-f16")) {
      throw new GpuError(
        `Cannot run ${label} in f16: ${device.adapter.name} has no 16-bit floats`,
      );
    }
    const entry = entries.get(name);
    if (entry === undefined) {
      throw new TypeError(
        `Cannot run ${label}: the entry points of ${this.name} are ${
          [...entries.keys()].join(", ")
        }`,
      );
    }
    checkLimits(label, device, entry, workgroupBytes);
    const code = unroll(reachable(source, name), values);
    const pipeline = device.blame(
      label,
      () => makePipeline(label, device.gpu, entry, code),
    );
    const compiled = { entry, pipeline, code };
    made.pipelines.set(name + settings, compiled);
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

/** How a source is to be settled. */
interface Settings {
  readonly constants: Constants;
  readonly types: Types;
  /** The bindings that are read from images. */
  readonly copied: readonly string[];
}

/** A source with its constants settled, and its entry points. */
function examine(
  label: string,
  given: string,
  { constants, types, copied }: Settings,
): Module {
  try {
    const settled = settle(given, constants, types);
    const source = readImages(settled.source, copied);
    const half = source.startsWith("enable f16");
    return { ...settled, source, half, entries: reflect(source) };
  } catch (cause) {
    const { message } = cause as Error;
    throw new TypeError(
      `Cannot compile ${label}: ${message.replace(/^Cannot/, "cannot")}`,
      { cause },
    );
  }
}

let pipelines = 0;

function makePipeline(
  label: string,
  gpu: GPUDevice,
  entry: EntryPoint,
  code: string,
): Pipeline {
  const { storage, uniform } = entry;
  const entries: GPUBindGroupLayoutEntry[] = storage.map((
    { binding, writable, format },
  ) => ({
    binding,
    visibility: GPUShaderStage.COMPUTE,
    ...(format === null
      ? { buffer: { type: writable ? "storage" : "read-only-storage" } }
      : { storageTexture: { access: "read-only", format } }),
  }));
  if (uniform !== null) {
    entries.push({
      binding: uniform.binding,
      visibility: GPUShaderStage.COMPUTE,
      buffer: { type: "uniform", hasDynamicOffset: true },
    });
  }
  const layout = gpu.createBindGroupLayout({ label, entries });
  const module = gpu.createShaderModule({ label, code });
  return {
    id: pipelines++,
    label,
    layout,
    uniform: uniform && {
      binding: uniform.binding,
      size: Math.ceil(uniform.size / 16) * 16,
    },
    gpu: gpu.createComputePipeline({
      label,
      layout: gpu.createPipelineLayout({ bindGroupLayouts: [layout] }),
      compute: { module, entryPoint: entry.name },
    }),
  };
}

/** Checks what wgpu leaves unchecked, before the driver sees it. */
function checkLimits(
  label: string,
  { limits, adapter }: Device,
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
      storage.filter(({ format }) => format === null).length,
      limits.maxStorageBuffersPerShaderStage,
    ],
    [
      "storage textures",
      storage.filter(({ format }) => format !== null).length,
      limits.maxStorageTexturesPerShaderStage,
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
