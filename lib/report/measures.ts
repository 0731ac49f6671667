/**
 * What measured numbers are called and how they are read.
 *
 * Names are those of TRL's log (`loss`, `mean_token_accuracy`, `entropy`,
 * `num_tokens`, `grad_norm`, `learning_rate`, `epoch`). `eval_` before a name
 * means the validation split, as there; `val_`, `train_` and `test_` are
 * understood too.
 *
 * @module
 */

/** How one measured number is shown. */
export interface Measure {
  /** Its name as the head of a line, such as `Validation loss`. */
  readonly title: string;
  /** Its name and value in a line of a log, such as `eval loss 2.1437`. */
  readonly note: (value: number) => string;
  /** Its value alone. */
  readonly text: (value: number) => string;
  /** Which of two values is the better one, where that can be said. */
  readonly better?: "lower" | "higher";
  /** The part of the data it was measured on, where its name says so. */
  readonly split?: DataSplit;
}

/** A part of the data, in words. */
export type DataSplit = "Training" | "Validation" | "Test";

/** How a number of a row is shown; a name nobody has heard of reads as it is. */
export function measureOf(name: string): Measure {
  const [, prefix, base] = name.match(/^(eval|val|train|test)_(.+)$/) ??
    [name, "", name];
  const known: Known = knownMeasures[base] ?? {};
  const split = splits[prefix] ?? (known.onData ? "Training" : undefined);
  const words = known.title ?? base.replaceAll("_", " ");
  const show = known.show ?? general;
  const text = (value: number) =>
    Number.isFinite(value) ? show(value) : "not finite";
  const short = [prefix, known.short ?? words.toLowerCase()].join(" ").trim();
  return {
    title: split
      ? `${split} ${words}`
      : words[0].toUpperCase() + words.slice(1),
    note: known.note ?? ((value) => `${short} ${text(value)}`),
    text,
    better: known.better,
    split,
  };
}

/** A row of numbers as a line of a log: every number but clocks and counters. */
export function describeRow(
  { step, ...measured }: Readonly<Record<string, number | undefined>>,
): string {
  const notes = Object.entries(measured).flatMap(([name, value]) =>
    value === undefined || unspoken.has(name)
      ? []
      : [measureOf(name).note(value)]
  );
  return `step ${step}: ${notes.join(", ")}`;
}

/** A share, such as an accuracy, in percent. */
export function percent(share: number): string {
  return `${(100 * share).toFixed(2)} %`;
}

/** A count with its thousands apart. */
export function count(value: number): string {
  return Math.round(value).toLocaleString("en-US");
}

const splits: Readonly<Record<string, DataSplit>> = {
  eval: "Validation",
  val: "Validation",
  train: "Training",
  test: "Test",
};

/** What no line of a log repeats. */
const unspoken = new Set(["time", "loss_scale", "skipped_steps", "num_tokens"]);

interface Known {
  /** In words, unless those of the name do. */
  readonly title?: string;
  /** In a line of a log. */
  readonly short?: string;
  readonly show?: (value: number) => string;
  readonly note?: (value: number) => string;
  readonly better?: "lower" | "higher";
  /** Whether, without a prefix, it is of the tokens just trained on. */
  readonly onData?: boolean;
}

const share: Known = { show: percent, better: "higher", onData: true };

const knownMeasures: Readonly<Record<string, Known>> = {
  loss: { show: fixed(4), better: "lower", onData: true },
  perplexity: { show: fixed(2), better: "lower" },
  accuracy: share,
  mean_token_accuracy: {
    ...share,
    title: "token accuracy",
    short: "token accuracy",
  },
  precision: share,
  recall: share,
  f1: { ...share, title: "F1" },
  exact_match: { ...share, title: "exact matches", short: "exact match" },
  entropy: { show: fixed(3), onData: true },
  epoch: { show: fixed(2) },
  num_tokens: { title: "tokens seen", show: count },
  learning_rate: { short: "lr", show: (lr) => lr.toExponential(2) },
  grad_norm: { title: "gradient norm", short: "norm", show: fixed(3) },
  tokens_per_second: { show: count, note: (pace) => `${pace} tok/s` },
};

function fixed(digits: number): (value: number) => string {
  return (value) => value.toFixed(digits);
}

function general(value: number): string {
  return Number.isInteger(value) ? count(value) : `${+value.toPrecision(5)}`;
}
