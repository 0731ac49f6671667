/**
 * Which layers of a model an adapter changes, chosen by name as PEFT does.
 *
 * @module
 */

import { Conv1D } from "../lib/nn/layers.ts";
import { Linear } from "../lib/nn/linear.ts";
import { Parameter } from "../lib/tensor/parameter.ts";
import { publishedName } from "./weights.ts";

/** A layer that an adapter can be put on. */
export type LinearLayer = Linear | Conv1D;

/** A field that holds a parameter. */
export interface Place {
  /** The object whose field it is. */
  readonly owner: object;
  /** The field. */
  readonly key: string;
  /** What lies there. */
  readonly parameter: Parameter;
}

/** What a model consists of, by published names, without its adapters. */
export interface Anatomy {
  /** Its linear layers, such as `transformer.h.0.attn.c_attn`. */
  readonly layers: ReadonlyMap<string, LinearLayer>;
  /** Its parameters, such as `transformer.h.0.attn.c_attn.weight`. */
  readonly places: ReadonlyMap<string, Place>;
}

/** Finds the linear layers and the parameters of a model. */
export function anatomyOf(model: object): Anatomy {
  const layers = new Map<string, LinearLayer>();
  const places = new Map<string, Place>();
  const seen = new Set<unknown>();
  const visit = (owner: object, path: string) => {
    seen.add(owner);
    if (owner instanceof Linear || owner instanceof Conv1D) {
      layers.set(publishedName(model, path), owner);
    }
    for (const [key, value] of Object.entries(owner)) {
      if (key === "adapter" || seen.has(value)) continue;
      if (typeof value !== "object" || value === null) continue;
      const inner = path ? `${path}.${key}` : key;
      if (!(value instanceof Parameter)) {
        visit(value, inner);
        continue;
      }
      seen.add(value);
      const name = publishedName(model, inner);
      places.set(name, { owner, key, parameter: value });
    }
  };
  visit(model, "");
  return { layers, places };
}

/** Which layers are meant; see {@linkcode LoRAConfig}. */
export interface Targets {
  /** Layers whose names end so, a pattern of whole names, or "all-linear". */
  readonly targetModules: string | readonly string[];
  /** Layers that are left out, likewise. */
  readonly excludeModules: string | readonly string[];
  /** Modules that are trained whole, of which no layer is meant. */
  readonly modulesToSave: readonly string[];
  /** The blocks that are meant, of those named by a list: null for all. */
  readonly layersToTransform: readonly number[] | null;
  /** What the blocks are called: whatever comes before a number. */
  readonly layersPattern: readonly string[];
}

/** The heads that "all-linear" leaves out: of a language model, of a classifier. */
const HEADS = /(^|\.)(lm_head|score|classifier)$/;

/** PEFT's word for every linear layer but the head. */
export const ALL_LINEAR = "all-linear";

/**
 * The names of the layers that are meant, in the order of the model. Throws a
 * `RangeError` that says which there are if none is, or if a name fits none.
 */
export function targetsOf(
  names: readonly string[],
  targets: Targets,
): string[] {
  const { targetModules } = targets;
  const isList = typeof targetModules !== "string";
  const wanted = isList ? targetModules : [targetModules];
  const fits = (name: string, wanted: string) =>
    isList
      ? endsIn(name, wanted)
      : wanted.toLowerCase() === ALL_LINEAR
      ? !HEADS.test(name)
      : wholly(wanted).test(name);
  for (const one of wanted) {
    if (names.some((name) => fits(name, one))) continue;
    throw new RangeError(
      `Cannot adapt ${
        isList ? `"${one}"` : `what fits "${one}"`
      }: the linear layers are ${kindsOf(names)}`,
    );
  }
  const found = names.filter((name) =>
    wanted.some((one) => fits(name, one)) && !isExcluded(name, targets) &&
    (!isList || isInBlocks(name, targets))
  );
  if (found.length > 0) return found;
  throw new RangeError(
    `Cannot adapt ${
      wanted.join(", ")
    }: every such layer is excluded, trained whole, or in another block`,
  );
}

/**
 * A list that means the same layers as `found`: of the ends of their names, or
 * of whole names where ends would mean others too.
 */
export function spelledOut(
  names: readonly string[],
  found: readonly string[],
  targets: Targets,
): string[] {
  const ends = [...new Set(found.map((name) => name.split(/\.\d+\./).at(-1)!))];
  const meant = targetsOf(names, { ...targets, targetModules: ends });
  return `${meant}` === `${found}` ? ends : [...found];
}

/** What a pattern of names gives a layer: of the first that fits, or else `otherwise`. */
export function byPattern(
  patterns: Readonly<Record<string, number>>,
  name: string,
  otherwise: number,
): number {
  const found = Object.entries(patterns).find(([pattern]) =>
    wholly(`(.*\\.)?(${pattern})`).test(name)
  );
  return found?.[1] ?? otherwise;
}

/** Which parameters are trained whole; see {@linkcode LoRAConfig}. */
export interface Saved {
  /** Those of these modules, by the ends of their names. */
  readonly modulesToSave: readonly string[];
  /** All biases, those of changed layers, or none. */
  readonly bias: "none" | "all" | "lora_only";
}

/**
 * The names of the parameters that are trained whole where `layers` are changed.
 * Throws a `RangeError` if a module is not there, or no bias is.
 */
export function savedNames(
  names: readonly string[],
  layers: readonly string[],
  { modulesToSave, bias }: Saved,
): string[] {
  for (const module of modulesToSave) {
    if (savedModules(names, [module]).length > 0) continue;
    throw new RangeError(
      `Cannot train "${module}" whole: the modules are ${
        kindsOf(names.map((name) => name.slice(0, name.lastIndexOf("."))))
      }`,
    );
  }
  const biases = names.filter((name) =>
    bias === "all"
      ? name.endsWith(".bias")
      : bias === "lora_only" && layers.some((layer) => name === `${layer}.bias`)
  );
  if (bias !== "none" && biases.length === 0) {
    throw new RangeError(
      `Cannot train biases: ${
        bias === "all" ? "the model has" : "the layers changed have"
      } none`,
    );
  }
  const modules = savedModules(names, modulesToSave);
  return names.filter((name) =>
    biases.includes(name) ||
    modules.some((module) => name.startsWith(`${module}.`))
  );
}

/**
 * The modules whose names end so, of those that hold parameters of these names;
 * like PEFT in the middle of a word too: "norm" also means `input_layernorm`.
 */
export function savedModules(
  names: readonly string[],
  endings: readonly string[],
): string[] {
  const modules = new Set<string>();
  for (const name of names) {
    for (let at = name.indexOf("."); at > 0; at = name.indexOf(".", at + 1)) {
      const module = name.slice(0, at);
      if (!endings.some((ending) => module.endsWith(ending))) continue;
      modules.add(module);
      break;
    }
  }
  return [...modules];
}

/** Whether a name is another, or ends in a dot and it. */
export function endsIn(name: string, ending: string): boolean {
  return name === ending || name.endsWith(`.${ending}`);
}

/** A pattern in Python's words for whole names. */
export function wholly(pattern: string): RegExp {
  const own = pattern.replaceAll("(?P<", "(?<").replace(/\\Z$/, "$");
  try {
    return new RegExp(`^(?:${own})$`);
  } catch (error) {
    throw new RangeError(
      `Cannot match layers with "${pattern}": ${(error as Error).message}`,
      { cause: error },
    );
  }
}

function isExcluded(
  name: string,
  { excludeModules, modulesToSave }: Targets,
): boolean {
  const excluded = typeof excludeModules === "string"
    ? excludeModules !== "" && wholly(excludeModules).test(name)
    : excludeModules.some((ending) => endsIn(name, ending));
  return excluded ||
    modulesToSave.some((module) => `.${name}.`.includes(`.${module}.`));
}

function isInBlocks(
  name: string,
  { layersToTransform, layersPattern }: Targets,
): boolean {
  if (layersToTransform === null) return true;
  const patterns = layersPattern.length > 0
    ? layersPattern.map((word) => new RegExp(`^(?:.*?\\.)?${word}\\.(\\d+)\\.`))
    : [/^.*?\.[^.]*\.(\d+)\./];
  const [, index] = patterns.map((one) => one.exec(name)).find(Boolean) ?? [];
  return index !== undefined && layersToTransform.includes(Number(index));
}

/** The last parts of names, each once. */
function kindsOf(names: readonly string[]): string {
  return [...new Set(names.map((name) => name.split(/\.\d+\./).at(-1)!))]
    .join(", ");
}
