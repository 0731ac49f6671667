/**
 * Ending a text where one of some strings appears.
 *
 * @module
 */

/**
 * Passes text on as it comes, up to a stop string. What might be the beginning
 * of one is held back until it is clear that it is not.
 *
 * ```ts
 * import { StopStrings } from "@shaderloom/shaderloom";
 * import { assertEquals } from "@std/assert";
 *
 * const stop = new StopStrings(["\n\n"]);
 * assertEquals(stop.push("one\n"), "one");
 * assertEquals(stop.push("two\n\nthree"), "\ntwo");
 * assertEquals(stop.stopped, true);
 * ```
 */
export class StopStrings {
  readonly #strings: readonly string[];
  #held = "";
  #stopped = false;

  /** Stops at the first of these, wherever they begin. */
  constructor(strings: readonly string[]) {
    if (strings.includes("")) {
      throw new RangeError("Cannot stop at an empty text");
    }
    this.#strings = strings;
  }

  /** Whether a stop string has come. */
  get stopped(): boolean {
    return this.#stopped;
  }

  /** Takes text and gives what is certain to come before a stop string. */
  push(text: string): string {
    if (this.#stopped) return "";
    const all = this.#held + text;
    const found = this.#strings.map((stop) => all.indexOf(stop))
      .filter((at) => at >= 0);
    if (found.length > 0) {
      this.#stopped = true;
      this.#held = "";
      return all.slice(0, Math.min(...found));
    }
    const keep = Math.max(
      0,
      ...this.#strings.map((stop) => overlap(all, stop)),
    );
    this.#held = all.slice(all.length - keep);
    return all.slice(0, all.length - keep);
  }

  /** What was held back, at the end of the text. */
  end(): string {
    const held = this.#held;
    this.#held = "";
    return held;
  }
}

/** How much of the end of `text` is a beginning of `stop`. */
function overlap(text: string, stop: string): number {
  for (let n = Math.min(text.length, stop.length - 1); n > 0; n--) {
    if (text.endsWith(stop.slice(0, n))) return n;
  }
  return 0;
}
