/**
 * Reading from images what a WGSL source reads from buffers.
 *
 * Kernels are written for buffers. Where an adapter reads texels faster, the
 * source is written anew: each read of a binding becomes one of its image, each
 * write stays what it was.
 *
 * @module
 */

import { closing } from "./brackets.ts";
import { IMAGE_WIDTH } from "./image.ts";

/** What becomes of the texel that holds the element `at`. */
const ELEMENTS: Readonly<Record<string, readonly [each: number, is: string]>> =
  {
    vec4f: [1, "texel"],
    vec2f: [2, "select(texel.xy, texel.zw, at % 2u == 1u)"],
    f32: [4, "texel[at % 4u]"],
    vec4u: [1, "bitcast<vec4u>(texel)"],
    u32: [4, "bitcast<vec4u>(texel)[at % 4u]"],
  };

/** The name that the image of a binding has in the WGSL. */
export function imageName(name: string): string {
  return `${name}_image`;
}

/**
 * A source without comments that reads the storage bindings of these names from
 * images in lines of 1024 texels, bound as `NAME_image`. What a run writes to such
 * a binding it must not read again. Throws a `TypeError` for a binding that is no
 * array of 32-bit floats or unsigned numbers, single or in vectors, or that is
 * changed in place.
 */
export function readImages(source: string, names: readonly string[]): string {
  return names.reduce(readImage, source);
}

function readImage(source: string, name: string): string {
  const declared = new RegExp(
    `@binding\\(\\d+\\)\\s+var<storage,[^>]+>\\s+${name}\\s*:\\s*array<(\\w+)>;`,
  ).exec(source);
  const element = resolve(declared?.[1] ?? "", source);
  if (declared === null || !(element in ELEMENTS)) {
    throw new TypeError(
      `Cannot read ${name} from an image: expected an array of ${
        Object.keys(ELEMENTS).join(", ")
      }, got ${element || "no such binding"}`,
    );
  }
  const [each, is] = ELEMENTS[element];
  const image = imageName(name);
  const bindings = [...source.matchAll(/@binding\((\d+)\)/g)];
  const free = 1 + Math.max(...bindings.map(([, binding]) => Number(binding)));
  return `${redirect(source, name)}
@group(0) @binding(${free}) var ${image}: texture_storage_2d<rgba32float, read>;
fn ${image}_at(at: u32) -> ${element} {
  let t = at / ${each}u;
  let texel = textureLoad(${image}, vec2u(t % ${IMAGE_WIDTH}u, t / ${IMAGE_WIDTH}u));
  return ${is};
}
`;
}

/** What a type is, whose alias it may be. */
function resolve(type: string, source: string): string {
  const [, alias] =
    new RegExp(`\\balias\\s+${type}\\s*=\\s*(\\w+)\\s*;`).exec(source) ?? [];
  return alias === undefined ? type : resolve(alias, source);
}

/** Turns each `name[i]` that is read into `name_image_at(i)`. */
function redirect(source: string, name: string): string {
  const use = new RegExp(`(?<![.\\w])${name}\\[`, "g");
  let written = "";
  let at = 0;
  for (;;) {
    use.lastIndex = at;
    const match = use.exec(source);
    if (match === null) return written + source.slice(at);
    const open = use.lastIndex;
    const close = closing(source, open, "[]");
    if (close === null) {
      throw new SyntaxError(
        "Cannot read from an image: an index is never closed",
      );
    }
    const index = redirect(source.slice(open, close), name);
    const what = after(source, close + 1);
    if (what === "change") {
      throw new TypeError(
        `Cannot read ${name} from an image: the source changes it in place`,
      );
    }
    written += source.slice(at, match.index) +
      (what === "write"
        ? `${name}[${index}]`
        : `${imageName(name)}_at(${index})`);
    at = close + 1;
  }
}

/** What is done with an element whose name ends before `at`. */
function after(source: string, at: number): "read" | "write" | "change" {
  const assignment =
    /(?:\.\w+|\[[^\]]*\])*\s*(?:(=)(?!=)|[-+*/%&|^]=|<<=|>>=|\+\+|--)/y;
  assignment.lastIndex = at;
  const match = assignment.exec(source);
  return match === null ? "read" : match[1] === "=" ? "write" : "change";
}
