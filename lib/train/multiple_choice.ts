/**
 * How often a model finds the right ending likeliest.
 *
 * @module
 */

import type { MultipleChoice } from "../data/multiple_choice.ts";
import type { Device } from "../gpu/device.ts";
import { embedding } from "../ops/embedding.ts";
import { gather } from "../ops/select.ts";
import { logSoftmax } from "../ops/softmax.ts";
import { noGrad } from "../tensor/tape.ts";
import { readAll, Tensor } from "../tensor/tensor.ts";
import type { Tokenizer } from "../text/tokenizer.ts";

/** A model that scores what follows each place of a text. */
export interface Scoring {
  /** Its sizes. */
  readonly config: { readonly vocabSize: number; readonly blockSize: number };
  /** What it makes of ids u32 `[B, T]`. */
  hidden(ids: Tensor): Tensor;
  /** Scores for the next token, `[..., C]` to `[..., V]`. */
  head(hidden: Tensor): Tensor;
}

/** What scoring needs. */
export interface ScoreOptions {
  /** Where it runs. */
  readonly device: Device;
  /** What scores. */
  readonly model: Scoring;
  /** How text becomes its ids. */
  readonly tokenizer: Tokenizer;
  /** What is scored. */
  readonly questions: Iterable<MultipleChoice>;
  /** Endings at a time: 8. */
  readonly batchSize?: number;
  /** The most tokens read at once: the model's block. */
  readonly blockSize?: number;
}

/** What a model makes of a question. */
export interface Answer {
  /** The log-probability of each ending, summed over its tokens. */
  readonly sums: readonly number[];
  /** The likeliest ending. */
  readonly pick: number;
  /** The likeliest by its log-probability per character. */
  readonly pickNorm: number;
  /** The ending that is right. */
  readonly label: number;
  /** Whether the start of the context did not fit the block. */
  readonly isCut: boolean;
}

/** The most scores computed at once, 64 MB of them. */
const SCORES_AT_ONCE = 2 ** 24;

/**
 * Answers questions in their order, by the rules of lm-evaluation-harness: an
 * ending follows its context after a space, and counts by the sum of its tokens'
 * log-probabilities, or by that sum over its length in characters.
 *
 * Throws a `RangeError` on an ending longer than the block.
 */
export async function* answer(
  { device, model, tokenizer, questions, batchSize = 8, ...options }:
    ScoreOptions,
): AsyncGenerator<Answer> {
  const blockSize = options.blockSize ?? model.config.blockSize;
  let waiting: MultipleChoice[] = [];
  let rows: Row[] = [];
  const settle = async function* () {
    const sums = await score({ device, model }, { rows, batchSize });
    let at = 0;
    for (const { endings, label } of waiting) {
      const own = sums.slice(at, at + endings.length);
      const isCut = rows.slice(at, at + endings.length)
        .some(({ isCut }) => isCut);
      at += endings.length;
      const norms = own.map((sum, i) => sum / [...endings[i]].length);
      const [pick, pickNorm] = [greatest(own), greatest(norms)];
      yield { sums: own, pick, pickNorm, label, isCut };
    }
    waiting = [];
    rows = [];
  };
  for (const question of questions) {
    waiting.push(question);
    for (const ending of question.endings) {
      rows.push(rowOf(tokenizer, { ...question, ending, blockSize }));
    }
    // Rows of like length go together, so some batches are collected.
    if (rows.length >= 8 * batchSize) yield* settle();
  }
  if (waiting.length > 0) yield* settle();
}

/** Ids, the last of which are to be scored. */
interface Row {
  readonly ids: Uint32Array;
  readonly scored: number;
  readonly isCut: boolean;
}

/** The ids of a context and an ending, cut where they are when read as one text. */
function rowOf(
  tokenizer: Tokenizer,
  { context, ending, blockSize }: {
    readonly context: string;
    readonly ending: string;
    readonly blockSize: number;
  },
): Row {
  const addSpecialTokens = true;
  const before = context.trimEnd();
  const after = `${context.slice(before.length)} ${ending}`;
  const all = tokenizer.encode(before + after, { addSpecialTokens });
  const known = tokenizer.encode(before, { addSpecialTokens }).length;
  const scored = all.length - known;
  if (scored < 1 || scored > blockSize || scored === all.length) {
    const problem = scored > blockSize
      ? `it has ${scored} tokens, the model reads ${blockSize}`
      : `its context has ${known} tokens, both together ${all.length}`;
    throw new RangeError(
      `Cannot score the ending ${JSON.stringify(ending)}: ${problem}`,
    );
  }
  const isCut = all.length > blockSize + 1;
  return { ids: isCut ? all.slice(-(blockSize + 1)) : all, scored, isCut };
}

/** The log-probability of what is to be scored of each row. */
async function score(
  { device, model }: Pick<ScoreOptions, "device" | "model">,
  { rows, batchSize }: { rows: readonly Row[]; batchSize: number },
): Promise<number[]> {
  const sums = new Array<number>(rows.length);
  const order = [...rows.keys()]
    .sort((a, b) => rows[b].ids.length - rows[a].ids.length);
  for (let first = 0; first < order.length; first += batchSize) {
    const batch = order.slice(first, first + batchSize);
    const found = await scoreBatch(
      { device, model },
      batch.map((row) => rows[row]),
    );
    batch.forEach((row, i) => sums[row] = found[i]);
  }
  return sums;
}

/** Scores rows side by side, the shorter ones filled up after their end. */
async function scoreBatch(
  { device, model }: Pick<ScoreOptions, "device" | "model">,
  rows: readonly Row[],
): Promise<number[]> {
  const time = Math.max(...rows.map(({ ids }) => ids.length)) - 1;
  const inputs = new Uint32Array(rows.length * time);
  const places: number[] = []; // in B T, where something is scored
  const targets: number[] = [];
  rows.forEach(({ ids, scored }, row) => {
    inputs.set(ids.subarray(0, -1), row * time);
    for (let at = ids.length - scored; at < ids.length; at++) {
      places.push(row * time + at - 1);
      targets.push(ids[at]);
    }
  });
  const parts = noGrad(() =>
    queueScores({ device, model }, {
      ids: Tensor.from(device, inputs, [rows.length, time]),
      places: Uint32Array.from(places),
      targets: Uint32Array.from(targets),
    })
  );
  const found = (await readAll(parts)).flatMap((part) => [...part]);
  for (const part of parts) part[Symbol.dispose]();
  let at = 0;
  return rows.map(({ scored }) => {
    at += scored;
    return found.slice(at - scored, at).reduce((sum, value) => sum + value, 0);
  });
}

/** Log-probabilities of `targets` after `places`, computed but not awaited. */
function queueScores(
  { device, model }: Pick<ScoreOptions, "device" | "model">,
  { ids, places, targets }: {
    readonly ids: Tensor; // [B, T]
    readonly places: Uint32Array<ArrayBuffer>; // [N]
    readonly targets: Uint32Array<ArrayBuffer>; // [N]
  },
): Tensor[] {
  using _ids = ids;
  using _scope = device.scope();
  const hidden = model.hidden(ids); // [B, T, C]
  const states = hidden.view([ids.size, hidden.shape[2]]); // [B T, C]
  const most = Math.max(
    1,
    Math.floor(SCORES_AT_ONCE / model.config.vocabSize),
  );
  const parts: Tensor[] = [];
  for (let first = 0; first < places.length; first += most) {
    using _scope = device.scope();
    const at = places.slice(first, first + most);
    const target = targets.slice(first, first + most);
    const chosen = embedding(states, Tensor.from(device, at, [at.length]));
    const scores = logSoftmax(model.head(chosen)); // [N, V]
    const index = Tensor.from(device, target, [target.length, 1]);
    parts.push(gather(scores, 1, index).keep());
    device.flush();
  }
  return parts;
}

function greatest(values: readonly number[]): number {
  return values.indexOf(Math.max(...values));
}
