/**
 * The sizes of a model of the Llama family: checks, and Hugging Face's
 * `config.json` of Llama, Mistral, Qwen2 and Qwen3.
 *
 * @module
 */

import type { RopeScaling } from "../lib/nn/rotary.ts";

/** Which of the family a model is, by its `model_type`. */
export type LlamaType = "llama" | "mistral" | "qwen2" | "qwen3";

/** The sizes of a model of the Llama family. */
export interface LlamaConfig {
  /** Which of the family it is: llama. */
  readonly modelType?: LlamaType;
  /** V: ids are below it. */
  readonly vocabSize: number;
  /** The most positions it reads at once. */
  readonly blockSize: number;
  /** Blocks. */
  readonly nLayer: number;
  /** H: heads of queries in a block. */
  readonly nHead: number;
  /** KV: heads of keys and values, which divide H: as many. */
  readonly nKeyValueHead?: number;
  /** C: channels of the residual stream. */
  readonly nEmbd: number;
  /** D: channels of a head, an even number: C / H. */
  readonly headSize?: number;
  /** Channels inside an MLP. */
  readonly intermediateSize: number;
  /** Keeps the norms from dividing by zero: 1e-6. */
  readonly rmsNormEpsilon?: number;
  /** How slow the slowest channels of a head turn: 10,000. */
  readonly ropeTheta?: number;
  /** How that is slowed down for long texts: it is not. */
  readonly ropeScaling?: RopeScaling;
  /** Whether the head is the embedding: false. */
  readonly tied?: boolean;
  /** The id that begins a text, if one does: null. */
  readonly bosTokenId?: number | null;
  /** The ids that end a text: none. */
  readonly eosTokenIds?: readonly number[];
}

const WHOLE = [
  "vocabSize",
  "blockSize",
  "nLayer",
  "nHead",
  "nKeyValueHead",
  "nEmbd",
  "headSize",
  "intermediateSize",
] as const;

/**
 * The config with its defaults filled in. Throws a `RangeError` that names
 * everything wrong with it.
 */
export function checkLlamaConfig(config: LlamaConfig): Required<LlamaConfig> {
  const full = {
    ...config,
    modelType: config.modelType ?? "llama",
    nKeyValueHead: config.nKeyValueHead ?? config.nHead,
    headSize: config.headSize ?? config.nEmbd / config.nHead,
    rmsNormEpsilon: config.rmsNormEpsilon ?? 1e-6,
    ropeTheta: config.ropeTheta ?? 10_000,
    ropeScaling: config.ropeScaling ?? null,
    tied: config.tied ?? false,
    bosTokenId: config.bosTokenId ?? null,
    eosTokenIds: config.eosTokenIds ?? [],
  };
  const problems = WHOLE
    .filter((name) => !(Number.isSafeInteger(full[name]) && full[name] > 0))
    .map((name) => `${name} is ${full[name]}, expected a whole number from 1`);
  if (full.nHead % full.nKeyValueHead !== 0) {
    problems.push(
      `nHead ${full.nHead} is not a multiple of nKeyValueHead ${full.nKeyValueHead}`,
    );
  }
  if (full.headSize % 2 === 1) {
    problems.push(`headSize is ${full.headSize}, expected an even number`);
  }
  const scaling = Object.entries(full.ropeScaling ?? {})
    .filter(([name]) => name !== "type")
    .map(([name, value]) => [`ropeScaling.${name}`, value]);
  const { rmsNormEpsilon, ropeTheta } = full;
  for (
    const [name, value] of [
      ...Object.entries({ rmsNormEpsilon, ropeTheta }),
      ...scaling,
    ]
  ) {
    if (!((value as number) > 0)) {
      problems.push(`${name} is ${value}, expected more than 0`);
    }
  }
  if (problems.length > 0) {
    throw new RangeError(
      `Cannot make a model of type ${full.modelType}: ${problems.join("; ")}`,
    );
  }
  return full;
}

/** How many parameters a model has. */
export function llamaParameterCount(config: LlamaConfig): number {
  const full = checkLlamaConfig(config);
  const { nEmbd: c, headSize: d, nKeyValueHead, intermediateSize } = full;
  const queries = full.nHead * d;
  const pairs = 2 * nKeyValueHead * d;
  const attention = c * (queries + pairs) + queries * c;
  const extra = { llama: 0, mistral: 0, qwen2: queries + pairs, qwen3: 2 * d };
  const block = attention + extra[full.modelType] + 3 * c * intermediateSize +
    2 * c;
  return (full.tied ? 1 : 2) * full.vocabSize * c + full.nLayer * block + c;
}

const ARCHITECTURES: Record<LlamaType, string> = {
  llama: "LlamaForCausalLM",
  mistral: "MistralForCausalLM",
  qwen2: "Qwen2ForCausalLM",
  qwen3: "Qwen3ForCausalLM",
};

/** What Hugging Face's `config.json` says of a model of the Llama family. */
export function llamaToHuggingFace(
  config: LlamaConfig,
  { eosTokenId }: { eosTokenId?: number } = {},
): Record<string, unknown> {
  const full = checkLlamaConfig(config);
  const { modelType: type, eosTokenIds: [first, ...others] } = full;
  return {
    architectures: [ARCHITECTURES[type]],
    model_type: type,
    vocab_size: full.vocabSize,
    max_position_embeddings: full.blockSize,
    hidden_size: full.nEmbd,
    intermediate_size: full.intermediateSize,
    num_hidden_layers: full.nLayer,
    num_attention_heads: full.nHead,
    num_key_value_heads: full.nKeyValueHead,
    head_dim: full.headSize,
    hidden_act: "silu",
    rms_norm_eps: full.rmsNormEpsilon,
    rope_theta: full.ropeTheta,
    rope_scaling: scalingToHuggingFace(full.ropeScaling),
    tie_word_embeddings: full.tied,
    ...(type === "llama" && { attention_bias: false, mlp_bias: false }),
    ...(type === "mistral" && { sliding_window: null }),
    ...(type === "qwen2" && { use_sliding_window: false }),
    ...(type === "qwen3" &&
      { use_sliding_window: false, attention_bias: false }),
    initializer_range: 0.02,
    bos_token_id: full.bosTokenId,
    eos_token_id: others.length > 0
      ? full.eosTokenIds
      : first ?? eosTokenId ?? null,
    torch_dtype: "float32",
  };
}

function scalingToHuggingFace(scaling: RopeScaling): unknown {
  if (scaling === null) return null;
  if (scaling.type === "linear") {
    return { rope_type: "linear", factor: scaling.factor };
  }
  return {
    rope_type: "llama3",
    factor: scaling.factor,
    low_freq_factor: scaling.lowFreqFactor,
    high_freq_factor: scaling.highFreqFactor,
    original_max_position_embeddings: scaling.originalMaxPositionEmbeddings,
  };
}

type Fields = Readonly<Record<string, unknown>>;

/**
 * The sizes in a `config.json` of the Llama family. Throws a `RangeError` naming
 * what it does not support or understand.
 */
export function llamaFromHuggingFace(
  json: Readonly<Record<string, unknown>>,
): Required<LlamaConfig> {
  const type = json.model_type as LlamaType;
  checkSupported(type, json);
  // Since version 5, transformers writes `rope_parameters`; before, two fields.
  const rope = (json.rope_parameters ?? json.rope_scaling ?? {}) as Fields;
  return checkLlamaConfig({
    modelType: type,
    vocabSize: json.vocab_size as number,
    blockSize: json.max_position_embeddings as number,
    nLayer: json.num_hidden_layers as number,
    nHead: json.num_attention_heads as number,
    nKeyValueHead: (json.num_key_value_heads ?? undefined) as number,
    nEmbd: json.hidden_size as number,
    headSize: (json.head_dim ?? (type === "qwen3" ? 128 : undefined)) as number,
    intermediateSize: json.intermediate_size as number,
    rmsNormEpsilon: (json.rms_norm_eps ?? 1e-6) as number,
    ropeTheta: (rope.rope_theta ?? json.rope_theta ?? 10_000) as number,
    ropeScaling: scalingFromHuggingFace(type, rope),
    tied: (json.tie_word_embeddings ?? false) as boolean,
    bosTokenId: (json.bos_token_id ?? null) as number | null,
    eosTokenIds: [json.eos_token_id ?? []].flat() as number[],
  });
}

function checkSupported(type: LlamaType, json: Fields): void {
  const full = (layers: unknown) =>
    Array.isArray(layers) && layers.every((kind) => kind === "full_attention");
  const expected: [name: string, allowed: unknown[]][] = [
    ["hidden_act", ["silu", undefined]],
    ["attention_bias", [false, undefined]],
    ["mlp_bias", [false, undefined]],
    ["use_sliding_window", [false, undefined]],
    ["partial_rotary_factor", [1, undefined, null]],
  ];
  for (const [name, allowed] of expected) {
    if (!allowed.includes(json[name])) {
      refuse(type, name, json[name], JSON.stringify(allowed[0]));
    }
  }
  const { sliding_window: window, max_position_embeddings: most } = json;
  const slides = !type.startsWith("qwen") && typeof window === "number" &&
    window < (most as number);
  if (slides) refuse(type, "sliding_window", window, `null or ${most}`);
  const { layer_types: layers = null } = json;
  if (layers !== null && !full(layers)) {
    refuse(type, "layer_types", layers, '"full_attention" in every layer');
  }
}

function scalingFromHuggingFace(type: LlamaType, rope: Fields): RopeScaling {
  const kind = rope.rope_type ?? rope.type ?? "default";
  if (kind === "default") return null;
  const factor = rope.factor as number;
  if (kind === "linear") return { type: kind, factor };
  if (kind === "llama3") {
    return {
      type: kind,
      factor,
      lowFreqFactor: rope.low_freq_factor as number,
      highFreqFactor: rope.high_freq_factor as number,
      originalMaxPositionEmbeddings: rope
        .original_max_position_embeddings as number,
    };
  }
  return refuse(type, "rope_type", kind, '"default", "linear" or "llama3"');
}

function refuse(
  type: LlamaType,
  name: string,
  value: unknown,
  supported: string,
): never {
  throw new RangeError(
    `Cannot load this model of type ${type}: ${name} is ${
      JSON.stringify(value)
    }, supported is ${supported}`,
  );
}
