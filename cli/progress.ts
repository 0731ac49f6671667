/**
 * How far a run has come: a live line on a terminal, plain lines elsewhere.
 *
 * @module
 */

/** Where a run stands. */
export interface ProgressState {
  /** Steps done. */
  readonly step: number;
  /** Steps in all. */
  readonly total: number;
  /** The latest loss, in nats. */
  readonly loss?: number;
  /** Tokens processed in a second. */
  readonly tokensPerSecond?: number;
  /** Seconds left. */
  readonly etaSeconds?: number;
}

/** Where and how to show progress; the defaults suit a command line. */
export interface ProgressOptions {
  /** Whether a person watches a live line; unless told, if stderr is a terminal. */
  readonly live?: boolean;
  /** Whether to use colour; unless told, if live and NO_COLOR is not set. */
  readonly color?: boolean;
  /** Width of the terminal in characters, asked before each drawing. */
  readonly columns?: () => number;
  /** Takes what is to be shown; unless told, stderr. */
  readonly write?: (text: string) => void;
  /** The time in milliseconds. */
  readonly now?: () => number;
}

/** Makes a line of at most `columns` characters of where a run stands. */
export type LineFormat = (
  state: ProgressState,
  columns: number,
  color: boolean,
) => string;

/** Milliseconds between two drawings of the live line. */
const interval = 100;

const eraseLine = "\r\x1b[K";

/**
 * Shows how far a run has come.
 *
 * On a terminal `update` redraws one line, at most ten times a second, and
 * `line` prints above it. Elsewhere `update` shows nothing and `line` prints a
 * plain line. Disposing of it leaves the terminal clean.
 */
export class Progress implements Disposable {
  readonly #live: boolean;
  readonly #color: boolean;
  readonly #columns: () => number;
  readonly #write: (text: string) => void;
  readonly #now: () => number;
  #shown = "";
  #drawn = -Infinity;

  /** Prepares to show; nothing appears before the first update or line. */
  constructor(options: ProgressOptions = {}) {
    this.#live = options.live ?? Deno.stderr.isTerminal();
    this.#color = this.#live && (options.color ?? !Deno.noColor);
    this.#columns = options.columns ?? terminalColumns;
    this.#write = options.write ?? writeToStderr;
    this.#now = options.now ?? (() => performance.now());
  }

  /** Shows where the run stands; the last step is always shown. */
  update(state: ProgressState, format: LineFormat = progressLine): void {
    if (!this.#live) return;
    const now = this.#now();
    const last = state.step >= state.total;
    if (!last && now - this.#drawn < interval) return;
    this.#drawn = now;
    // The last column stays free: some terminals wrap when it is written.
    const text = format(state, this.#columns() - 1, this.#color);
    if (text === this.#shown) return;
    this.#write(`\r${text}\x1b[K`);
    this.#shown = text;
  }

  /** Prints a line for good, above the live one. */
  line(text: string): void {
    if (!this.#shown) return this.#write(`${text}\n`);
    this.#write(`${eraseLine}${text}\n${this.#shown}`);
  }

  /** Takes the live line away, before anything else is printed. */
  clear(): void {
    if (this.#shown) this.#write(eraseLine);
    this.#shown = "";
    this.#drawn = -Infinity;
  }

  /** Takes the live line away. */
  [Symbol.dispose](): void {
    this.clear();
  }
}

/**
 * One line of at most `columns` characters: the bar takes what the words leave,
 * and where that is too little, the least important words go first.
 */
export function progressLine(
  { step, total, loss, tokensPerSecond, etaSeconds }: ProgressState,
  columns: number,
  color: boolean,
): string {
  const share = total > 0 ? Math.min(1, Math.max(0, step / total)) : 1;
  const count = `${String(step).padStart(String(total).length)}/${total}`;
  const words = [count];
  if (loss !== undefined) words.push(`loss ${loss.toFixed(4)}`);
  if (etaSeconds !== undefined) words.push(`ETA ${formatDuration(etaSeconds)}`);
  if (tokensPerSecond !== undefined) {
    words.push(`${formatCount(tokensPerSecond)} tok/s`);
  }
  const width = () => words.join("  ").length;
  while (words.length > 1 && width() > columns) words.pop();

  const [head, ...tail] = words;
  const room = columns - width() - 2;
  if (room < minBar) return words.join("  ").slice(0, Math.max(0, columns));
  const painted = bar(share, Math.min(room, maxBar), color);
  return [head, painted, ...tail].join("  ");
}

/** Shortest bar worth drawing, and the longest, in characters. */
const minBar = 8;
const maxBar = 40;

/** A bar of `width` characters, of which a share is done. */
export function bar(share: number, width: number, color: boolean): string {
  const done = Math.round(share * width);
  const full = "━".repeat(done);
  const rest = (color ? "━" : "─").repeat(width - done);
  return color ? `\x1b[32m${full}\x1b[90m${rest}\x1b[0m` : full + rest;
}

/** A time as a clock shows it: `0:07`, `12:34`, `1:02:03`; `--:--` if unknown. */
export function formatDuration(seconds: number): string {
  if (!Number.isFinite(seconds) || seconds < 0) return "--:--";
  const whole = Math.round(seconds);
  const two = (value: number) => String(value).padStart(2, "0");
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor(whole / 60) % 60;
  const tail = two(whole % 60);
  if (hours === 0) return `${minutes}:${tail}`;
  return `${hours}:${two(minutes)}:${tail}`;
}

/** A number in few characters: `987`, `12.3k`, `4.56M`. */
function formatCount(value: number): string {
  if (!Number.isFinite(value)) return "-";
  if (value < 999.5) return value.toFixed(0);
  if (value < 999_500) return `${(value / 1e3).toPrecision(3)}k`;
  return `${(value / 1e6).toPrecision(3)}M`;
}

function terminalColumns(): number {
  try {
    return Deno.consoleSize().columns || 80;
  } catch {
    return 80;
  }
}

function writeToStderr(text: string) {
  const bytes = new TextEncoder().encode(text);
  for (let at = 0; at < bytes.length;) {
    at += Deno.stderr.writeSync(bytes.subarray(at));
  }
}
