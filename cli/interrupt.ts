/**
 * Stopping in good order: the first signal asks, the second does not wait.
 *
 * @module
 */

/** Listens for SIGINT and SIGTERM until disposed. */
export class Interrupt implements Disposable {
  readonly #listeners: [signal: Deno.Signal, listener: () => void][] = [];
  #code: number | null = null;

  /** Starts listening; `notice` is called when the first signal comes. */
  constructor(notice: () => void) {
    const codes: [Deno.Signal, number][] = [["SIGINT", 130]];
    if (Deno.build.os !== "windows") codes.push(["SIGTERM", 143]);
    for (const [signal, code] of codes) {
      const listener = () => {
        if (this.#code !== null) Deno.exit(code);
        this.#code = code;
        notice();
      };
      Deno.addSignalListener(signal, listener);
      this.#listeners.push([signal, listener]);
    }
  }

  /** The exit code of the signal that came, or null. */
  get code(): number | null {
    return this.#code;
  }

  /** Stops listening. */
  [Symbol.dispose](): void {
    for (const [signal, listener] of this.#listeners) {
      Deno.removeSignalListener(signal, listener);
    }
  }
}
