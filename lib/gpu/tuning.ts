/**
 * Which of several ways of computing the same to take, by the class of shapes.
 *
 * @module
 */

import type { Span } from "./pool.ts";

/** What a trial gives: read to be compared, then released. */
export interface TrialResult extends Span, Disposable {
  /** The type of its elements. */
  readonly dtype: string;
}

/** Inputs of one class of shapes, to try candidates on. */
export interface Trial extends Disposable {
  /** Queues one run of a candidate, whatever was chosen. */
  run(candidate: string): TrialResult;
}

/** A computation that can be done in several ways. */
export interface Tunable {
  /** The ways, by name; the first is taken where nothing is tuned. */
  readonly candidates: readonly string[];
  /** The plain way, by whose result the others are judged. */
  readonly reference: string;
  /** How far a result may be off, as a share of the reference's largest. */
  readonly tolerance: number;
  /** Makes inputs of the class on a device. */
  trial(device: Disposable): Trial; // A Device, which lies above this module.
}

/**
 * The choices of a device, and the classes of shapes that wait for one.
 *
 * Ops ask while they queue work and so cannot wait for a measurement: what is not
 * settled is noted, and `tune` settles it before work begins.
 */
export class Tuning {
  /** Whether to note what is not settled. */
  active = false;
  readonly #choices = new Map<string, string>();
  readonly #open = new Map<string, Tunable>();

  /** The candidate settled for a class, or null: then take the first. */
  choose(key: string, tunable: () => Tunable): string | null {
    const choice = this.#choices.get(key);
    if (choice !== undefined) return choice;
    if (this.active && !this.#open.has(key)) this.#open.set(key, tunable());
    return null;
  }

  /** The classes met that are not settled. */
  get open(): ReadonlyMap<string, Tunable> {
    return this.#open;
  }

  /** What was settled, by class. */
  get choices(): ReadonlyMap<string, string> {
    return this.#choices;
  }

  /** Settles a class. */
  settle(key: string, candidate: string): void {
    this.#open.delete(key);
    this.#choices.set(key, candidate);
  }
}
