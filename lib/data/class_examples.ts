/**
 * Examples of classes as ids, and side by side: the shorter rows filled up after
 * their end.
 *
 * @module
 */

import type { LabeledText } from "./labeled_text.ts";

/** A text as ids, and the class it belongs to. */
export interface ClassExample {
  /** Its ids, at least one, none of padding at the end. */
  readonly ids: Uint32Array<ArrayBuffer>;
  /** Its class, counted from 0. */
  readonly label: number;
}

/** Examples side by side. */
export interface ClassBatch {
  /** The ids, after the end of each row those of padding. `[rows, time]` */
  readonly inputs: Uint32Array<ArrayBuffer>;
  /** How many ids of each row are no padding. `[rows]` */
  readonly lengths: Uint32Array<ArrayBuffer>;
  /** The class of each row. `[rows]` */
  readonly labels: Uint32Array<ArrayBuffer>;
  /** The shape of `inputs`. */
  readonly shape: readonly [rows: number, time: number];
}

/** How texts become ids. */
export interface EncodeExamplesOptions {
  /** The ids of a text. */
  readonly encode: (text: string) => Uint32Array<ArrayBuffer>;
  /** The most ids of a text: what comes after them is cut off. */
  readonly maxLength: number;
  /** The id that fills up rows, if it has a meaning of its own. */
  readonly padTokenId?: number | null;
}

/** Examples as ids, and what was lost on the way. */
export interface EncodedExamples {
  /** In the order of the texts. */
  readonly examples: readonly ClassExample[];
  /** How many were cut. */
  readonly truncated: number;
  /** The ids of the longest, before any was cut. */
  readonly longest: number;
}

/**
 * Encodes labeled texts. The class of a text is the place of its label among
 * `labels`. Ids of padding at the end of a text are left out, so that its last id
 * is the one that `transformers` takes for it.
 *
 * @throws {RangeError} For a label that is none of `labels`, or a text without
 * ids, with its line.
 */
export function encodeExamples(
  texts: readonly LabeledText[],
  labels: readonly string[],
  { encode, maxLength, padTokenId = null }: EncodeExamplesOptions,
): EncodedExamples {
  if (!(Number.isSafeInteger(maxLength) && maxLength > 0)) {
    throw new RangeError(
      `Cannot encode examples: maxLength is ${maxLength}, expected a whole number from 1`,
    );
  }
  const classes = new Map(labels.map((label, i) => [label, i]));
  let truncated = 0;
  let longest = 0;
  const examples = texts.map(({ text, label, line }) => {
    const known = classes.get(label);
    if (known === undefined) {
      throw new RangeError(
        `Cannot encode the example of line ${line}: its label "${label}" is none of ${
          labels.map((label) => `"${label}"`).join(", ")
        }`,
      );
    }
    const all = encode(text);
    longest = Math.max(longest, all.length);
    if (all.length > maxLength) truncated++;
    const ids = withoutPadding(all.subarray(0, maxLength), padTokenId);
    if (ids.length === 0) {
      throw new RangeError(
        `Cannot encode the example of line ${line}: ${
          JSON.stringify(text.slice(0, 40))
        } has no ids but those of padding`,
      );
    }
    return { ids, label: known };
  });
  return { examples, truncated, longest };
}

/** The ids up to the last that is no padding. */
export function withoutPadding(
  ids: Uint32Array<ArrayBuffer>,
  padTokenId: number | null,
): Uint32Array<ArrayBuffer> {
  let end = ids.length;
  while (end > 0 && ids[end - 1] === padTokenId) end--;
  return ids.subarray(0, end);
}

/** How rows are filled up. */
export interface PadOptions {
  /** The id after the end of a row: 0, which nothing reads. */
  readonly padTokenId?: number | null;
  /** How long all rows become. (Default: as the longest of the batch.) */
  readonly padTo?: number;
}

/**
 * Puts examples side by side. Throws a `RangeError` if one is longer than
 * `padTo`.
 */
export function padExamples(
  examples: readonly ClassExample[],
  { padTokenId, padTo }: PadOptions = {},
): ClassBatch {
  const lengths = Uint32Array.from(examples, ({ ids }) => ids.length);
  const longest = Math.max(0, ...lengths);
  const time = padTo ?? longest;
  if (longest > time) {
    throw new RangeError(
      `Cannot fill rows up to ${time} ids: one has ${longest} already`,
    );
  }
  const inputs = new Uint32Array(examples.length * time).fill(padTokenId ?? 0);
  examples.forEach(({ ids }, row) => inputs.set(ids, row * time));
  const labels = Uint32Array.from(examples, ({ label }) => label);
  return { inputs, lengths, labels, shape: [examples.length, time] };
}
