/**
 * Causal self-attention. B batch, T time, H heads, D channels of
 * each, C channels.
 *
 * @module
 */

import { type Array64, zeros } from "./array.ts";

/** What attention may be told. */
export interface AttentionOptions {
  /** KV: heads of keys, and of values; as many as of queries. */
  readonly keyValueHeads?: number;
  /** Which attention weights dropout kept: 1 kept, 0 dropped, [B, H, T, T]. */
  readonly keep?: Array64;
  /** What it dropped them by. */
  readonly rate?: number;
  /** Where the document of each token begins in its row: [B, T]; at 0. */
  readonly starts?: Array64;
}

/**
 * Attends from each token to itself and those before in its document:
 * [B, T, (H + 2 KV) D] → [B, T, H D].
 */
export function attention(
  qkv: Array64,
  heads: number,
  { keyValueHeads = heads, keep, rate = 0, starts }: AttentionOptions = {},
): Array64 {
  const [batch, time, packed] = qkv.shape;
  const size = packed / (heads + 2 * keyValueHeads);
  const channels = heads * size;
  const y = zeros([batch, time, channels]);
  for (let b = 0; b < batch; b++) {
    for (let h = 0; h < heads; h++) {
      const shared = heads + Math.floor(h / heads * keyValueHeads);
      const places = [h, shared, shared + keyValueHeads];
      const start = (part: number, t: number) =>
        (b * time + t) * packed + places[part] * size;
      for (let t = 0; t < time; t++) {
        const query = start(0, t);
        const first = starts?.data[b * time + t] ?? 0;
        const scores = Array.from({ length: t + 1 - first }, (_, i) => {
          const key = start(1, first + i);
          let dot = 0;
          for (let c = 0; c < size; c++) {
            dot += qkv.data[query + c] * qkv.data[key + c];
          }
          return dot / Math.sqrt(size);
        });
        const top = Math.max(...scores);
        const weights = scores.map((score) => Math.exp(score - top));
        const total = weights.reduce((sum, weight) => sum + weight, 0);
        for (let s = first; s <= t; s++) {
          let weight = weights[s - first] / total;
          if (keep !== undefined) {
            const place = ((b * heads + h) * time + t) * time + s;
            weight *= keep.data[place] / (1 - rate);
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
