/**
 * Causal self-attention. B batch, T time, H heads, C channels.
 *
 * @module
 */

import { type Array64, zeros } from "./array.ts";

/** Which attention weights dropout kept, and what it dropped them by. */
export interface AttentionDropout {
  readonly rate: number;
  /** 1 kept, 0 dropped: [B, H, T, T]. */
  readonly keep: Array64;
}

/** Attends from each token to itself and those before: [B, T, 3C] → [B, T, C]. */
export function attention(
  qkv: Array64,
  heads: number,
  dropout?: AttentionDropout,
): Array64 {
  const [batch, time, packed] = qkv.shape;
  const channels = packed / 3;
  const size = channels / heads;
  const y = zeros([batch, time, channels]);
  for (let b = 0; b < batch; b++) {
    for (let h = 0; h < heads; h++) {
      const start = (part: number, t: number) =>
        (b * time + t) * packed + part * channels + h * size;
      for (let t = 0; t < time; t++) {
        const query = start(0, t);
        const scores = Array.from({ length: t + 1 }, (_, s) => {
          const key = start(1, s);
          let dot = 0;
          for (let c = 0; c < size; c++) {
            dot += qkv.data[query + c] * qkv.data[key + c];
          }
          return dot / Math.sqrt(size);
        });
        const top = Math.max(...scores);
        const weights = scores.map((score) => Math.exp(score - top));
        const total = weights.reduce((sum, weight) => sum + weight, 0);
        for (let s = 0; s <= t; s++) {
          let weight = weights[s] / total;
          if (dropout !== undefined) {
            const place = ((b * heads + h) * time + t) * time + s;
            weight *= dropout.keep.data[place] / (1 - dropout.rate);
          }
          for (let c = 0; c < size; c++) {
            y.data[(b * time + t) * channels + h * size + c] += weight *
              qkv.data[start(2, s) + c];
          }
        }
      }
    }
  }
  return y;
}
