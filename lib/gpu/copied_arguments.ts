/**
 * Which arguments of a run are read from images, and the images of them.
 *
 * @module
 */

import type { Arguments, Resident } from "./arguments.ts";
import type { Device } from "./device.ts";
import { Image } from "./image.ts";
import { imageName } from "./texels.ts";

const NONE: readonly string[] = [];

/**
 * The bindings to read from images, of those that are `wanted` so: none where
 * that makes nothing faster, and no more than a kernel can bind.
 */
export function copiedOf(
  { images, limits }: Device,
  args: Arguments,
  wanted: readonly string[] = NONE,
): readonly string[] {
  if (wanted.length === 0 || images.least === Infinity) return NONE;
  const copied: string[] = [];
  let pays = false;
  for (const name of wanted) {
    const arg = args[name];
    if (typeof arg !== "object" || arg instanceof Image) continue;
    const { dtype, bytes } = arg;
    if (dtype !== "f32" && dtype !== "u32" || bytes > images.most) continue;
    pays ||= bytes >= images.least;
    copied.push(name);
  }
  const there = imagesIn(args);
  // Where a pass ends for one copy, others cost next to nothing.
  if (!pays && there.length === 0) return NONE;
  const free = limits.maxStorageTexturesPerShaderStage - there.length;
  return copied.length > free ? copied.slice(0, free) : copied;
}

/** The arguments, and images of those that are to be read from them. */
export function withImages(
  { images }: Device,
  args: Arguments,
  copied: readonly string[],
): Arguments {
  if (copied.length === 0) return args;
  const spans = copied.map((name) => args[name] as Resident);
  const copies = images.copies(spans, { taken: imagesIn(args) });
  const all = { ...args };
  for (const [i, name] of copied.entries()) all[imageName(name)] = copies[i];
  return all;
}

function imagesIn(args: Arguments): Image[] {
  const there: Image[] = [];
  for (const name in args) {
    const arg = args[name];
    if (arg instanceof Image) there.push(arg);
  }
  return there;
}
