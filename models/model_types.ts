/**
 * The types of models there are, by the `model_type` of their `config.json`.
 *
 * @module
 */

import type { Init } from "../lib/nn/layers.ts";
import { GPT2 } from "./gpt2.ts";
import type { ModelOptions } from "./pass.ts";
import {
  fromHuggingFace,
  type GPT2Config,
  parameterCount,
  toHuggingFace,
} from "./gpt2_config.ts";
import { Llama } from "./llama.ts";
import {
  type LlamaConfig,
  llamaFromHuggingFace,
  llamaParameterCount,
  llamaToHuggingFace,
} from "./llama_config.ts";
import { Qwen2, Qwen3 } from "./qwen.ts";

/** A model of any type. */
export type Model = GPT2 | Llama;

/** The sizes of a model of any type. */
export type ModelConfig = GPT2Config | LlamaConfig;

/** Every `model_type` that {@linkcode modelConfig} reads. */
export const MODEL_TYPES: readonly string[] = [
  "gpt2",
  "llama",
  "mistral",
  "qwen2",
  "qwen3",
];

const llamas = { llama: Llama, mistral: Llama, qwen2: Qwen2, qwen3: Qwen3 };

/**
 * The sizes in a `config.json`. Throws a `RangeError` naming a type of model that
 * is not supported, or what of it is not.
 */
export function modelConfig(
  json: unknown,
): Required<GPT2Config> | Required<LlamaConfig> {
  if (typeof json !== "object" || json === null || Array.isArray(json)) {
    throw new RangeError("Cannot read config.json: expected an object");
  }
  const { model_type: type } = json as { model_type?: unknown };
  if (!MODEL_TYPES.includes(type as string)) {
    throw new RangeError(
      `Cannot load a model of type ${
        JSON.stringify(type)
      }: the types known are ${
        MODEL_TYPES.map((known) => `"${known}"`).join(", ")
      }`,
    );
  }
  return type === "gpt2"
    ? fromHuggingFace(json)
    : llamaFromHuggingFace(json as Record<string, unknown>);
}

/** What Hugging Face's `config.json` says of a model. */
export function describeConfig(
  config: ModelConfig,
  options: { eosTokenId?: number } = {},
): Record<string, unknown> {
  return isLlama(config)
    ? llamaToHuggingFace(config, options)
    : toHuggingFace(config, options);
}

/**
 * A model of a config's type. Throws a `RangeError` on a config that makes no
 * sense.
 */
export function newModel(
  init: Init,
  config: ModelConfig,
  options: ModelOptions = {},
): Model {
  if (!isLlama(config)) return new GPT2(init, config, options);
  return new llamas[config.modelType ?? "llama"](init, config, options);
}

/** How many parameters a model has. */
export function modelParameterCount(config: ModelConfig): number {
  return isLlama(config) ? llamaParameterCount(config) : parameterCount(config);
}

function isLlama(config: ModelConfig): config is LlamaConfig {
  return "intermediateSize" in config;
}
