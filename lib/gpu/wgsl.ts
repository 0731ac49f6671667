/**
 * What a WGSL source declares: the one place that touches `wgsl_reflect`.
 *
 * @module
 */

// @ts-types="npm:wgsl_reflect@1.6.0"
import {
  type TemplateInfo,
  WgslReflect,
} from "npm:wgsl_reflect@1.6.0/wgsl_reflect.module.js";
import { outline } from "./reach.ts";

/** A `var<storage>` of the source, or a storage texture. */
export interface StorageBinding {
  /** Its name in the WGSL. */
  readonly name: string;
  /** Its `@binding` number. */
  readonly binding: number;
  /** Whether the kernel may write to it. */
  readonly writable: boolean;
  /** The texel format, if it is a texture. */
  readonly format: GPUTextureFormat | null;
}

/** A member of the uniform struct. */
export interface UniformField {
  /** Its name in the WGSL. */
  readonly name: string;
  /** Its scalar type. */
  readonly type: "u32" | "i32" | "f32";
  /** Bytes from the start of the struct. */
  readonly offset: number;
}

/** The uniform struct of the source. */
export interface UniformBinding {
  /** Its `@binding` number. */
  readonly binding: number;
  /** Its size in bytes. */
  readonly size: number;
  /** Its members. */
  readonly fields: readonly UniformField[];
}

/** What one entry point needs bound. */
export interface EntryPoint {
  /** The function's name. */
  readonly name: string;
  /** The memory it touches, directly or through functions it calls. */
  readonly storage: readonly StorageBinding[];
  /** The uniform struct, if it reads one. */
  readonly uniform: UniformBinding | null;
  /** Threads per workgroup along x, y and z. */
  readonly workgroupSize: readonly [number, number, number];
}

/** Reads the entry points of a WGSL source without comments. */
export function reflect(source: string): ReadonlyMap<string, EntryPoint> {
  const entries = new Map<string, EntryPoint>();
  for (
    const { name, resources, workgroupSize } of new WgslReflect(outline(source))
      .entry.compute
  ) {
    const storage: StorageBinding[] = [];
    let uniform: UniformBinding | null = null;
    for (const { name, binding, access, members, size, type } of resources) {
      if (members === null || members === undefined) {
        const format = type.name.startsWith("texture_storage")
          ? (type as TemplateInfo).format!.name as GPUTextureFormat
          : null;
        const writable = access !== "read";
        storage.push({ name, binding, writable, format });
        continue;
      }
      const fields = members.map(({ name, type, offset }) => ({
        name,
        type: type.name as UniformField["type"],
        offset,
      }));
      uniform = { binding, size, fields };
    }
    const [x = 1, y = 1, z = 1] = (workgroupSize as unknown[]).map(Number);
    entries.set(name, { name, storage, uniform, workgroupSize: [x, y, z] });
  }
  return entries;
}
