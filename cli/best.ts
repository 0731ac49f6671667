/**
 * Which evaluation of a run was the best, and how long ago.
 *
 * @module
 */

/** Where a {@linkcode Best} stands; fit for JSON. */
export interface BestState {
  /** The step of the best evaluation; null before the first. */
  readonly step: number | null;
  /** Its loss. */
  readonly loss: number;
  /** Evaluations since that were no better. */
  readonly since: number;
}

/** Before the first evaluation. */
export const NO_BEST: BestState = { step: null, loss: 0, since: 0 };

/** Watches the losses of evaluations. */
export class Best {
  readonly #patience: number;
  #state: BestState;

  /** Gives up after `patience` evaluations without a better loss; 0 for never. */
  constructor(patience = 0, state: BestState = NO_BEST) {
    this.#patience = patience;
    this.#state = state;
  }

  /** Where it stands. */
  get state(): BestState {
    return this.#state;
  }

  /** Takes the loss of an evaluation; says whether it is the best so far. */
  add(step: number, loss: number): boolean {
    const { step: before, loss: least, since } = this.#state;
    const better = before === null || loss < least;
    this.#state = better
      ? { step, loss, since: 0 }
      : { ...this.#state, since: since + 1 };
    return better;
  }

  /** Whether patience is at its end. */
  get exhausted(): boolean {
    return this.#patience > 0 && this.#state.since >= this.#patience;
  }
}
