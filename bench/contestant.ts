/**
 * Contestants, each in a process of its own that does turns when told to.
 *
 * What goes wrong in one, a crash included, is said of that one alone. What they
 * are told and answer is described in {@link "./peers/answer.ts"}.
 *
 * @module
 */

import { lines, type Ready } from "./peers/answer.ts";

const HEARD = 1 << 16; // characters of stderr to remember, the first

/** A process that does one kind of work, a number of times when asked. */
export class Contestant implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #answers: AsyncIterator<string>;
  readonly #orders: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>>;
  readonly #complaints: Promise<void>;
  #stderr = "";

  /** Starts a program, its name first. */
  constructor([program, ...args]: readonly string[]) {
    this.#child = new Deno.Command(program, {
      args,
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
      env: { NO_COLOR: "1" },
    }).spawn();
    this.#answers = lines(this.#child.stdout);
    this.#orders = this.#child.stdin.getWriter();
    this.#complaints = this.#listen();
  }

  /** Waits until it is ready, and gives what it says then. */
  async ready(limit: number): Promise<Ready> {
    return await this.#answer(limit) as Ready;
  }

  /** Has it take so many turns, and gives the seconds they took. */
  async turns(count: number, limit: number): Promise<number> {
    try {
      await this.#orders.write(new TextEncoder().encode(`${count}\n`));
    } catch {
      // It is gone; waiting for its answer tells why.
    }
    return (await this.#answer(limit) as { seconds: number }).seconds;
  }

  /** The first error it has printed so far, or nothing. */
  get complaint(): string {
    const errors = this.#stderr.split("\n")
      .filter((line) => /\w*(error|panic|exception)\b/i.test(line))
      .filter((line) => !line.includes("XDG_RUNTIME_DIR"));
    return errors[0]?.trim() ?? "";
  }

  /** Ends it. */
  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // It has ended by itself.
    }
    await this.#orders.abort().catch(() => {});
    await this.#answers.return?.();
    await this.#complaints;
    await this.#child.status;
  }

  /** The next line on stdout that is JSON: libraries print lines of their own. */
  async #answer(limit: number): Promise<unknown> {
    const late = Promise.withResolvers<never>();
    const alarm = setTimeout(
      () => late.reject(new Error(`nothing for ${limit} s`)),
      1000 * limit,
    );
    try {
      for (;;) {
        const { done, value } = await Promise.race([
          this.#answers.next(),
          late.promise,
        ]);
        if (done) throw new Error(await this.#lastWords());
        if (value.startsWith('{"')) return JSON.parse(value);
      }
    } finally {
      clearTimeout(alarm);
    }
  }

  async #lastWords(): Promise<string> {
    const { code, signal } = await this.#child.status;
    await this.#complaints;
    const message = this.complaint || "no message";
    return `${message} (${signal ?? `status ${code}`})`;
  }

  async #listen(): Promise<void> {
    const decoder = new TextDecoder();
    for await (const bytes of this.#child.stderr) {
      const text = this.#stderr + decoder.decode(bytes, { stream: true });
      this.#stderr = text.slice(0, HEARD);
    }
  }
}
