/**
 * Who gives memory back, and when.
 *
 * @module
 */

/**
 * Owns what is made while it is open, and releases it when it closes.
 *
 * Scopes nest; {@linkcode Device.scope} opens one and `using` closes it.
 */
export class Scope implements Disposable {
  /** The scope it was opened in, if any. */
  readonly outer: Scope | undefined;
  readonly #open: Scope[];
  readonly #owned = new Set<Disposable>();

  /** Opens a scope inside those already open. */
  constructor(open: Scope[]) {
    this.#open = open;
    this.outer = open.at(-1);
    open.push(this);
  }

  /** Makes this scope the owner. */
  adopt(resource: Disposable): void {
    this.#owned.add(resource);
  }

  /** Gives up ownership: the resource now lives until someone disposes it. */
  release(resource: Disposable): void {
    this.#owned.delete(resource);
  }

  /** Releases everything it still owns. */
  [Symbol.dispose](): void {
    if (this.#open.at(-1) !== this) {
      throw new Error(
        "Cannot close scope: a scope opened inside it is still open",
      );
    }
    this.#open.pop();
    for (const resource of this.#owned) resource[Symbol.dispose]();
    this.#owned.clear();
  }
}
