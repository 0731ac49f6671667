/**
 * How fast the channels of a head turn from position to position.
 *
 * @module
 */

import { rope, type RopeOptions, turnsFor } from "../ops/rope.ts";
import type { Tensor } from "../tensor/tensor.ts";

/** How Llama 3.1 and later reach beyond the texts they were first trained on. */
export interface Llama3Scaling {
  /** Its name in `config.json`. */
  readonly type: "llama3";
  /** How much slower the slowest channels turn. */
  readonly factor: number;
  /** Channels with fewer turns in the old context are the slowest. */
  readonly lowFreqFactor: number;
  /** Channels with more turns in it stay as they are. */
  readonly highFreqFactor: number;
  /** The old context, in positions. */
  readonly originalMaxPositionEmbeddings: number;
}

/** All channels turn slower by one factor. */
export interface LinearScaling {
  /** Its name in `config.json`. */
  readonly type: "linear";
  /** How much slower. */
  readonly factor: number;
}

/** How the turning is slowed down; null leaves it as it is. */
export type RopeScaling = Llama3Scaling | LinearScaling | null;

/** What {@linkcode Rotary} turns, and how fast. */
export interface RotaryOptions {
  /** Channels of a head, an even number. */
  readonly size: number;
  /** Positions there are at most. */
  readonly positions: number;
  /** The slowest channels turn about once in so many positions times 2 pi. */
  readonly theta: number;
  /** How the turning is slowed down. */
  readonly scaling: RopeScaling;
}

/** Turns queries and keys by their positions. */
export class Rotary {
  readonly #options: RotaryOptions;
  #turns: Tensor | null = null;

  /** Takes no memory yet. */
  constructor(options: RotaryOptions) {
    this.#options = options;
  }

  /** Packs `[B, T, H D]` and twice `[B, T, KV D]`: see {@linkcode rope}. */
  forward(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    at: Omit<RopeOptions, "turns"> = {},
  ): Tensor {
    const { positions } = this.#options;
    const turns = this.#turns ??= turnsFor(
      q.device,
      anglesPerPosition(this.#options),
      positions,
    ).keep();
    return rope(q, k, v, { turns, ...at });
  }
}

/** The angle of each channel of half a head from one position to the next. */
export function anglesPerPosition(
  { size, theta, scaling }: Omit<RotaryOptions, "positions">,
): number[] {
  const half = size / 2;
  const angles = Array.from({ length: half }, (_, c) => theta ** (-c / half));
  return angles.map((angle) => slowed(angle, scaling));
}

function slowed(angle: number, scaling: RopeScaling): number {
  if (scaling === null) return angle;
  const slow = angle / scaling.factor;
  if (scaling.type === "linear") return slow;
  const { lowFreqFactor: low, highFreqFactor: high } = scaling;
  const turns = scaling.originalMaxPositionEmbeddings * angle / (2 * Math.PI);
  // 1 from `high` turns on, 0 up to `low`, and smooth in between.
  const share = Math.min(1, Math.max(0, (turns - low) / (high - low)));
  return share * angle + (1 - share) * slow;
}
