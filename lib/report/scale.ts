/**
 * Scales: values along an axis, ticks at round numbers.
 *
 * @module
 */

/** Values along one axis and where they are drawn. */
export interface Scale {
  /** Round values, rising. */
  readonly ticks: readonly number[];
  /** Where a value is drawn. */
  place(value: number): number;
}

/** How a scale is laid out. */
export interface ScaleOptions {
  /** Where the scale begins and ends in the drawing. */
  readonly from: number;
  readonly to: number;
  /** About how many ticks there are. */
  readonly ticks: number;
  /** Whether it ends at `high` and not at the tick after it. */
  readonly exact?: boolean;
}

/** A scale over the values from `low` to `high`. */
export function scaleOf(
  [low, high]: readonly [low: number, high: number],
  { from, to, ticks: wanted, exact = false }: ScaleOptions,
): Scale {
  const span = high - low || Math.abs(high) || 1;
  const power = 10 ** Math.floor(Math.log10(span / wanted));
  const unit = power *
    ([1, 2, 5].find((m) => m * power * wanted >= span) ?? 10);
  const first = Math.floor(low / unit + 1e-9);
  const last = exact
    ? Math.floor(high / unit + 1e-9)
    : Math.max(Math.ceil(high / unit - 1e-9), first + 1);
  const end = exact ? high : last * unit;
  const digits = Math.max(0, -Math.floor(Math.log10(unit)));
  const ticks: number[] = [];
  for (let i = first; i <= last; i++) {
    ticks.push(Number((i * unit).toFixed(Math.min(digits, 100))));
  }
  const start = first * unit;
  return {
    ticks,
    place: (value) => from + (value - start) / (end - start) * (to - from),
  };
}

/** Ticks as text, all with as many decimals as the finest needs. */
export function tickTexts(ticks: readonly number[]): string[] {
  const decimals = ticks.map((tick) => `${tick}`.split(".")[1]?.length ?? 0);
  const digits = Math.max(...decimals);
  return ticks.map((tick) => tick.toFixed(digits));
}
