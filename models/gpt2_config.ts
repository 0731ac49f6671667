/**
 * The sizes of a GPT-2: presets, checks, and Hugging Face's `config.json`.
 *
 * @module
 */

/** The sizes of a GPT-2, in nanoGPT's names. */
export interface GPT2Config {
  /** V: ids are below it. */
  readonly vocabSize: number;
  /** The most positions it reads at once. */
  readonly blockSize: number;
  /** Blocks. */
  readonly nLayer: number;
  /** Attention heads of a block. */
  readonly nHead: number;
  /** C: channels of the residual stream, a multiple of the heads. */
  readonly nEmbd: number;
  /** Share of activations dropped in training, in [0, 1): 0. */
  readonly dropout?: number;
  /** Whether linear layers and norms shift their output: true. */
  readonly bias?: boolean;
  /** Keeps the norms from dividing by zero: 1e-5. */
  readonly layerNormEpsilon?: number;
}

/** Sizes by name: GPT-2's four, and small ones to train from scratch. */
export const GPT2_PRESETS: Readonly<
  Record<string, Readonly<Omit<GPT2Config, "vocabSize">>>
> = {
  "gpt-nano": { blockSize: 64, nLayer: 3, nHead: 3, nEmbd: 48 },
  "gpt-micro": { blockSize: 64, nLayer: 4, nHead: 4, nEmbd: 128 },
  "gpt-mini": { blockSize: 256, nLayer: 6, nHead: 6, nEmbd: 192 },
  "gpt-small": { blockSize: 256, nLayer: 6, nHead: 6, nEmbd: 384 },
  "gpt2": { blockSize: 1024, nLayer: 12, nHead: 12, nEmbd: 768 },
  "gpt2-medium": { blockSize: 1024, nLayer: 24, nHead: 16, nEmbd: 1024 },
  "gpt2-large": { blockSize: 1024, nLayer: 36, nHead: 20, nEmbd: 1280 },
  "gpt2-xl": { blockSize: 1024, nLayer: 48, nHead: 25, nEmbd: 1600 },
};

/**
 * The config with its defaults filled in. Throws a `RangeError` that names
 * everything wrong with it.
 */
export function checkConfig(config: GPT2Config): Required<GPT2Config> {
  const full = {
    ...config,
    dropout: config.dropout ?? 0,
    bias: config.bias ?? true,
    layerNormEpsilon: config.layerNormEpsilon ?? 1e-5,
  };
  const problems: string[] = [];
  for (
    const name of [
      "vocabSize",
      "blockSize",
      "nLayer",
      "nHead",
      "nEmbd",
    ] as const
  ) {
    if (!(Number.isSafeInteger(full[name]) && full[name] > 0)) {
      problems.push(`${name} is ${full[name]}, expected a whole number from 1`);
    }
  }
  if (full.nEmbd % full.nHead !== 0) {
    problems.push(
      `nEmbd ${full.nEmbd} is not a multiple of nHead ${full.nHead}`,
    );
  }
  if (!(full.dropout >= 0 && full.dropout < 1)) {
    problems.push(
      `dropout is ${full.dropout}, expected at least 0 and below 1`,
    );
  }
  if (!(full.layerNormEpsilon > 0)) {
    problems.push(
      `layerNormEpsilon is ${full.layerNormEpsilon}, expected more than 0`,
    );
  }
  if (problems.length > 0) {
    throw new RangeError(`Cannot make a GPT-2: ${problems.join("; ")}`);
  }
  return full;
}

/** How many parameters a GPT-2 has, the head being the embedding. */
export function parameterCount(config: GPT2Config): number {
  const { vocabSize, blockSize, nLayer, nEmbd: c, bias } = checkConfig(config);
  const norm = bias ? 2 * c : c;
  const weights = 3 * c * c + c * c + 4 * c * c + 4 * c * c;
  const biases = bias ? 3 * c + c + 4 * c + c : 0;
  return (vocabSize + blockSize) * c + nLayer * (2 * norm + weights + biases) +
    norm;
}

/** What Hugging Face's `config.json` says of a GPT-2. */
export function toHuggingFace(
  config: GPT2Config,
  { eosTokenId }: { eosTokenId?: number } = {},
): Record<string, unknown> {
  const full = checkConfig(config);
  return {
    architectures: ["GPT2LMHeadModel"],
    model_type: "gpt2",
    vocab_size: full.vocabSize,
    n_positions: full.blockSize,
    n_ctx: full.blockSize,
    n_embd: full.nEmbd,
    n_layer: full.nLayer,
    n_head: full.nHead,
    n_inner: null,
    activation_function: "gelu_new",
    resid_pdrop: full.dropout,
    embd_pdrop: full.dropout,
    attn_pdrop: full.dropout,
    layer_norm_epsilon: full.layerNormEpsilon,
    initializer_range: 0.02,
    tie_word_embeddings: true,
    bos_token_id: eosTokenId ?? null,
    eos_token_id: eosTokenId ?? null,
    torch_dtype: "float32",
    // Ours: `transformers` always has biases, and reads the zeros we write.
    bias: full.bias,
  };
}

/**
 * The sizes in a `config.json` of model type `gpt2`. Throws a `RangeError`
 * naming what it does not support or understand.
 */
export function fromHuggingFace(json: unknown): Required<GPT2Config> {
  if (typeof json !== "object" || json === null || Array.isArray(json)) {
    throw new RangeError("Cannot read config.json: expected an object");
  }
  const field = json as Record<string, unknown>;
  if (field.model_type !== "gpt2") {
    throw new RangeError(
      `Cannot load a model of type ${
        JSON.stringify(field.model_type)
      }: the types known are "gpt2"`,
    );
  }
  const expected: [name: string, allowed: unknown[]][] = [
    ["activation_function", ["gelu_new", "gelu_pytorch_tanh", undefined]],
    ["n_inner", [null, undefined, 4 * Number(field.n_embd)]],
    ["scale_attn_weights", [true, undefined]],
    ["scale_attn_by_inverse_layer_idx", [false, undefined]],
    ["add_cross_attention", [false, undefined]],
    ["tie_word_embeddings", [true, undefined]],
  ];
  for (const [name, allowed] of expected) {
    if (!allowed.includes(field[name])) {
      throw new RangeError(
        `Cannot load this GPT-2: ${name} is ${
          JSON.stringify(field[name])
        }, supported is ${JSON.stringify(allowed[0])}`,
      );
    }
  }
  return checkConfig({
    vocabSize: field.vocab_size as number,
    blockSize: (field.n_positions ?? field.n_ctx) as number,
    nLayer: field.n_layer as number,
    nHead: field.n_head as number,
    nEmbd: field.n_embd as number,
    dropout: (field.resid_pdrop ?? 0) as number,
    bias: (field.bias ?? true) as boolean,
    layerNormEpsilon: (field.layer_norm_epsilon ?? 1e-5) as number,
  });
}
