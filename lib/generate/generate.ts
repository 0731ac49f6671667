/**
 * Writing on from a prompt.
 *
 * @module
 */

import type { Device } from "../gpu/device.ts";
import type { KeyValueCache } from "../nn/cache.ts";
import { slice } from "../ops/layout.ts";
import type { Random } from "../random.ts";
import { noGrad } from "../tensor/tape.ts";
import { Tensor } from "../tensor/tensor.ts";
import { type Drawn, Sampler, type SamplingOptions } from "./sample.ts";

/** A model that can write. */
export interface Generative {
  /** Its sizes. */
  readonly config: { readonly vocabSize: number; readonly blockSize: number };
  /** What it makes of ids u32 `[B, T]` read after those in the cache. */
  hidden(ids: Tensor, pass: { cache: KeyValueCache }): Tensor;
  /** Scores for the next token, `[..., C]` to `[..., V]`. */
  head(hidden: Tensor): Tensor;
  /** An empty cache for `batch` texts, with room for `capacity` positions. */
  cache(batch?: number, capacity?: number): KeyValueCache;
}

/** What to write, and how to draw. */
export interface GenerateOptions extends SamplingOptions {
  /** Where it runs. */
  readonly device: Device;
  /** What writes. */
  readonly model: Generative;
  /** The ids to go on from; at least one. */
  readonly prompt: Uint32Array;
  /** How many tokens to write. */
  readonly maxNewTokens: number;
  /** What tokens are drawn from. */
  readonly random: Random;
  /** Tokens that end the text; they are not given. */
  readonly stopTokens?: Iterable<number>;
  /** Draw ids below this alone, such as those that a tokenizer has: all. */
  readonly drawnBelow?: number;
}

/**
 * Reading takes 10 ms or more, in which a GPU has nothing to do; so tokens are
 * read as rarely as leaves text flowing.
 */
const BETWEEN_READS = 250; // milliseconds
const MOST_BETWEEN_READS = 128; // tokens

/**
 * Continues a prompt, giving ids as they are read from the GPU.
 *
 * Tokens are drawn on the GPU and read many at a time. Keys and values are
 * cached; when the block is full, the model reads the last half of it anew and
 * goes on from there, and so it does with a prompt longer than the block. Throws
 * a `RangeError` on an empty prompt, ids outside the vocabulary, or a number of
 * tokens that is none.
 */
export async function* generate(
  options: GenerateOptions,
): AsyncGenerator<number> {
  const { device, model, prompt, maxNewTokens, random } = options;
  const { stopTokens, drawnBelow: _, ...sampling } = options;
  const { vocabSize, blockSize } = model.config;
  checkPrompt(prompt, vocabSize);
  const drawnBelow = Math.min(options.drawnBelow ?? vocabSize, vocabSize);
  if (!(Number.isSafeInteger(drawnBelow) && drawnBelow >= 1)) {
    throw new RangeError(
      `Cannot generate: drawnBelow is ${options.drawnBelow}, expected a whole number from 1`,
    );
  }
  if (!(Number.isSafeInteger(maxNewTokens) && maxNewTokens >= 0)) {
    throw new RangeError(
      `Cannot generate: maxNewTokens is ${maxNewTokens}, expected a whole number from 0`,
    );
  }
  const sampler = new Sampler(sampling, random);
  const stops = new Set(stopTokens);
  const ids = Array.from(prompt);
  const capacity = ids.length + maxNewTokens;
  const held = Math.floor(device.limits.maxStorageBufferBindingSize / 4);
  if (capacity > held) {
    throw new RangeError(
      `Cannot generate: a text of ${ids.length} and maxNewTokens ${maxNewTokens} is longer than the ${held} tokens that ${device.adapter.name} holds`,
    );
  }
  using writer = new Writer(
    { device, model, sampler },
    { capacity, drawnBelow },
  );
  writer.mark(ids);

  let most = 1; // tokens before the next read: few at first, so that text soon appears
  for (let written = 0; written < maxNewTokens;) {
    const start = performance.now();
    if (writer.read === 0 || writer.read === blockSize) {
      writer.reread(
        ids.slice(-startLength(ids.length, writer.read, blockSize)),
      );
    } else writer.extend();
    let queued = 1;
    while (
      queued < Math.min(most, maxNewTokens - written) &&
      writer.read < blockSize
    ) {
      writer.extend();
      queued++;
    }
    const taken = await writer.take(queued);
    const pace = (performance.now() - start) / queued;
    most = Math.max(
      1,
      Math.min(4 * most, MOST_BETWEEN_READS, Math.floor(BETWEEN_READS / pace)),
    );
    for (const id of taken) {
      if (stops.has(id)) return;
      ids.push(id);
      written++;
      yield id;
    }
  }
}

/** How much of a text is read at once: all that fits, or else half a block. */
function startLength(length: number, read: number, blockSize: number): number {
  if (read === 0 && length <= blockSize) return length;
  return Math.max(1, Math.floor(blockSize / 2));
}

/** The model, its cache, and the tokens drawn so far, all on the GPU. */
class Writer implements Disposable {
  readonly #device: Device;
  readonly #model: Generative;
  readonly #sampler: Sampler;
  readonly #cache: KeyValueCache;
  readonly #drawn: Drawn;
  #step = 0;

  constructor(
    { device, model, sampler }: {
      readonly device: Device;
      readonly model: Generative;
      readonly sampler: Sampler;
    },
    { capacity, drawnBelow }: {
      readonly capacity: number;
      readonly drawnBelow: number;
    },
  ) {
    const { blockSize } = model.config;
    this.#device = device;
    this.#model = model;
    this.#sampler = sampler;
    this.#cache = model.cache(1, Math.min(blockSize, capacity));
    this.#drawn = {
      tokens: Tensor.zeros(device, [1, capacity], "u32").keep(),
      next: Tensor.zeros(device, [1], "u32").keep(),
      seen: Tensor.zeros(device, [1, drawnBelow], "u32").keep(),
    };
  }

  /** Positions in the cache. */
  get read(): number {
    return this.#cache.length;
  }

  /** Notes the prompt, which a repetition penalty counts. */
  mark(ids: readonly number[]): void {
    const { tokens } = this.#drawn;
    const padded = new Uint32Array(tokens.size);
    padded.set(ids);
    tokens.write(padded);
    this.#sampler.mark(ids.length, this.#drawn);
    this.#step = 0;
  }

  /** Reads ids from the start and draws the token after them. */
  reread(ids: readonly number[]): void {
    using _scope = this.#device.scope();
    this.#cache.reset();
    const data = Uint32Array.from(ids);
    this.#forward(Tensor.from(this.#device, data, [1, data.length]));
  }

  /** Reads the token drawn last and draws the one after it. */
  extend(): void {
    using _scope = this.#device.scope();
    this.#forward(this.#drawn.next.view([1, 1]));
  }

  /** The last `count` tokens drawn. */
  async take(count: number): Promise<number[]> {
    const tokens = await this.#drawn.tokens.read();
    return [...tokens.subarray(this.#step - count, this.#step)];
  }

  [Symbol.dispose](): void {
    this.#cache[Symbol.dispose]();
    for (const tensor of Object.values(this.#drawn)) tensor[Symbol.dispose]();
  }

  #forward(ids: Tensor): void {
    const time = ids.shape[1];
    noGrad(() => {
      const hidden = this.#model.hidden(ids, { cache: this.#cache });
      const last = time === 1 ? hidden : slice(hidden, 1, time - 1, time);
      const { vocabSize } = this.#model.config;
      const logits = this.#model.head(last).view([1, vocabSize]);
      const drawnBelow = this.#drawn.seen.shape[1];
      this.#sampler.draw(
        drawnBelow === vocabSize ? logits : slice(logits, 1, 0, drawnBelow),
        this.#step,
        this.#drawn,
      );
    });
    this.#step++;
    this.#device.flush();
  }
}

function checkPrompt(prompt: Uint32Array, vocabSize: number): void {
  if (prompt.length === 0) {
    throw new RangeError("Cannot generate: the prompt is empty");
  }
  const strange = prompt.find((id) => id >= vocabSize);
  if (strange !== undefined) {
    throw new RangeError(
      `Cannot generate: the prompt holds id ${strange}, the vocabulary ends at ${
        vocabSize - 1
      }`,
    );
  }
}
