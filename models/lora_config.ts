/**
 * What an adapter changes of a model, and how.
 *
 * @module
 */

import { loraDefaults, type LoRAOptions } from "../lib/nn/lora.ts";
import { GPT2 } from "./gpt2.ts";
import { Llama } from "./llama.ts";
import { ALL_LINEAR, byPattern, endsIn, type Targets } from "./lora_targets.ts";

/** What an adapter changes, and how; the names are those of PEFT's `LoraConfig`. */
export interface LoRAConfig extends LoRAOptions, Partial<Targets> {
  /**
   * The layers that are changed: by the ends of their names, as `["c_attn"]`; by a
   * pattern of whole published names, as `".*\\.mlp\\.c_.*"`; or "all-linear",
   * every one but the head: "all-linear".
   */
  readonly targetModules?: string | readonly string[];
  /** Which biases are trained: none, all, or those of changed layers: "none". */
  readonly bias?: "none" | "all" | "lora_only";
  /**
   * Modules trained whole, by the ends of their names, as `["lm_head"]`; where the
   * head is the embedding, both names mean that one tensor: none.
   */
  readonly modulesToSave?: readonly string[];
  /** Other ranks for layers whose names fit patterns: none. */
  readonly rankPattern?: Readonly<Record<string, number>>;
  /** Other alphas, likewise: none. */
  readonly alphaPattern?: Readonly<Record<string, number>>;
}

/** The whole config; the tied embedding by one of the names of its module. */
export function loraConfig(
  model: object,
  given: LoRAConfig,
): Required<LoRAConfig> {
  const said = Object.entries(given).filter(([, value]) => value !== undefined);
  const config: Required<LoRAConfig> = {
    ...loraDefaults(given),
    targetModules: ALL_LINEAR,
    excludeModules: [],
    modulesToSave: [],
    layersToTransform: null,
    layersPattern: [],
    bias: "none",
    rankPattern: {},
    alphaPattern: {},
    ...Object.fromEntries(said),
  };
  const embedding = tiedEmbedding(model);
  if (embedding === null) return config;
  const modulesToSave = config.modulesToSave.map((name) =>
    name === "lm_head" || endsIn(embedding, name) ? embedding : name
  );
  return { ...config, modulesToSave: [...new Set(modulesToSave)] };
}

/** What a layer is told of a config. */
export function optionsOf(
  config: Required<LoRAConfig>,
  name: string,
): LoRAOptions {
  const { rank, alpha, dropout, rankStabilized, dora } = config;
  return {
    ...{ dropout, rankStabilized, dora },
    rank: byPattern(config.rankPattern, name, rank),
    alpha: byPattern(config.alphaPattern, name, alpha),
  };
}

/** The module that is both embedding and head, by its published name, if one is. */
export function tiedEmbedding(model: object): string | null {
  if (model instanceof GPT2) return "transformer.wte";
  const tied = model instanceof Llama && model.config.tied;
  return tied ? "model.embed_tokens" : null;
}
