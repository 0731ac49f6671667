/**
 * Trying again, with longer and longer waits, and giving up in the end.
 *
 * @module
 */

/** How long to wait for something that may fail. */
export interface Patience {
  /** Ends everything. */
  readonly signal?: AbortSignal;
  /** Milliseconds without a byte after which a connection counts as broken. */
  readonly timeout: number;
  /** How often to try in a row without getting any further. */
  readonly attempts: number;
  /** Milliseconds to wait before the second try; each later wait is doubled. */
  readonly backoff: number;
}

/** A failure that may pass by itself: the next try may succeed. */
export class PassingError extends Error {
  /** Milliseconds to wait, if the server told. */
  readonly delay?: number;

  /** Says what happened, and how long the server asks to wait. */
  constructor(message: string, delay?: number) {
    super(message);
    this.delay = delay;
  }
}

/** The longest wait before another try, in milliseconds. */
const maxDelay = 60_000;

/**
 * Repeats `attempt` while it throws `PassingError`s, with longer and longer
 * waits in between; `gotFurther` tells whether the last one was of use.
 */
export async function patiently<T>(
  patience: Patience,
  attempt: () => Promise<T>,
  gotFurther: () => boolean = () => false,
): Promise<T> {
  for (let failures = 1;; failures++) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof PassingError)) throw error;
      if (gotFurther()) failures = 1;
      if (failures >= patience.attempts) throw error;
      const delay = error.delay ?? patience.backoff * 2 ** (failures - 1);
      await pause(Math.min(delay, maxDelay), patience.signal);
    }
  }
}

/** Waits, unless `signal` puts an end to it. */
export async function pause(
  milliseconds: number,
  signal?: AbortSignal,
): Promise<void> {
  signal?.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, milliseconds);
  const stop = () => reject(signal!.reason);
  signal?.addEventListener("abort", stop);
  try {
    await promise;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", stop);
  }
}

/** Aborts a connection on which nothing comes for too long. */
export class Watch {
  readonly #stall = new AbortController();
  readonly #timeout: number;
  readonly signal: AbortSignal;
  #timer: ReturnType<typeof setTimeout>;

  constructor({ timeout, signal }: Patience) {
    this.#timeout = timeout;
    this.signal = signal
      ? AbortSignal.any([signal, this.#stall.signal])
      : this.#stall.signal;
    this.#timer = this.#start();
  }

  /** Something came. */
  renew(): void {
    clearTimeout(this.#timer);
    this.#timer = this.#start();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  #start(): ReturnType<typeof setTimeout> {
    return setTimeout(
      () => this.#stall.abort(new Stall(this.#timeout)),
      this.#timeout,
    );
  }
}

/** Nothing came for too long. */
export class Stall extends Error {
  constructor(timeout: number) {
    super(`nothing came for ${timeout / 1000} s`);
  }
}
