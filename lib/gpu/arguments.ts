/**
 * What a kernel is run with, matched to what its WGSL declares, by name.
 *
 * @module
 */

import type { Device } from "./device.ts";
import { MEMORY_ADVICE } from "./error.ts";
import { Image } from "./image.ts";
import type { Span } from "./pool.ts";
import type { Bound } from "./bind_groups.ts";
import type { EntryPoint } from "./wgsl.ts";

/** Anything that lies in a buffer of the GPU. */
export interface Resident extends Span {
  /** Where it lies. */
  readonly device: Device;
  /** The type of its elements, for messages. */
  readonly dtype?: string;
  /** Sizes of its axes, for messages. */
  readonly shape?: readonly number[];
}

/** How many workgroups to run: given, or enough for one thread each. */
export type Grid =
  | { readonly groups: number | readonly [number, number, number?] }
  | { readonly threads: number };

/**
 * Storage bindings and uniform members, by the names the WGSL gives them. Those
 * that an entry point does not use may be left out or undefined.
 */
export type Arguments = Readonly<
  Record<string, Resident | Image | number | undefined>
>;

const MOST_GROUPS = 65535;

/** The one device that all tensors among the arguments lie on. */
export function deviceOf(label: string, args: Arguments): Device {
  let device: Device | null = null;
  for (const name in args) {
    const arg = args[name];
    if (typeof arg !== "object" || arg instanceof Image) continue;
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

/** The memory an entry point binds. */
export function storageOf(
  label: string,
  { limits, adapter }: Device,
  { storage }: EntryPoint,
  args: Arguments,
): Bound[] {
  const most = limits.maxStorageBufferBindingSize;
  return storage.map(({ name, binding, writable, format }) => {
    const arg = args[name];
    if (
      arg === undefined || typeof arg === "number" ||
      arg instanceof Image !== (format !== null)
    ) {
      throw new TypeError(
        `Cannot run ${label}: it needs ${
          format === null ? "a tensor" : "an image"
        } "${name}", got ${arg}`,
      );
    }
    if (arg instanceof Image) {
      const { id, view: resource, size: { width } } = arg;
      return { binding, id, offset: 0, bytes: 0, resource, writable, width };
    }
    if (arg.bytes > most) {
      throw new RangeError(
        `Cannot run ${label}: "${name}" has ${arg.bytes} bytes, ${arg.dtype} [${arg.shape}], and ${adapter.name} binds at most ${most}; ${MEMORY_ADVICE}`,
      );
    }
    if (writable) {
      const twin = storage.find((other) =>
        other.name !== name && overlap(args[other.name], arg)
      );
      if (twin !== undefined) {
        throw new TypeError(
          `Cannot run ${label}: "${name}", which it writes, shares its memory with "${twin.name}"`,
        );
      }
    }
    const { storage: { id, buffer }, offset, span } = arg;
    const bytes = Math.min(span, most);
    return { binding, id, offset, bytes, resource: buffer, writable };
  });
}

function overlap(other: Arguments[string], arg: Resident): boolean {
  return typeof other === "object" && !(other instanceof Image) &&
    other.storage === arg.storage &&
    other.offset < arg.offset + arg.bytes &&
    arg.offset < other.offset + other.bytes;
}

/** Where uniform structs are put together, one at a time. */
let scratch = new DataView(new ArrayBuffer(256));

/**
 * The bytes of the uniform struct, if there is one. They are overwritten when
 * this is called again.
 */
export function uniformOf(
  label: string,
  { uniform }: EntryPoint,
  args: Arguments,
): Uint8Array | null {
  if (uniform === null) return null;
  if (uniform.size > scratch.byteLength) {
    scratch = new DataView(new ArrayBuffer(uniform.size));
  }
  const view = scratch;
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
  return new Uint8Array(view.buffer, 0, uniform.size);
}

/** Workgroups along each axis. */
export function groupsOf(
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
