/**
 * An adapter becoming part of its model's weights, if that changes nothing.
 *
 * @module
 */

import type { Device } from "../lib/gpu/device.ts";
import type { LoadedModel } from "../models/folder.ts";
import {
  predict,
  type Prediction,
  relativeDistance,
} from "./compare_models.ts";

/** How far merging may move the logits, relative to their length. */
const MERGED = 1e-5;

/**
 * Merges the adapter of a model, unless that makes another model of it, and gives
 * what it predicts then.
 */
export async function mergeAdapter(
  device: Device,
  source: LoadedModel,
  adapted: Prediction,
): Promise<Prediction> {
  const [adapter, ...others] = source.adapters!;
  if (others.length > 0) {
    throw new RangeError(
      "Cannot merge two adapters at once: merge one, and the other into that",
    );
  }
  adapter.merge({ keepBase: false });
  const merged = await predict(device, source);
  const distance = relativeDistance(merged.logits, adapted.logits);
  if (!(distance <= MERGED)) {
    throw new Error(
      `Cannot merge the adapter: the logits are ${distance} from those without merging, at most ${MERGED} is allowed`,
    );
  }
  console.log(
    `merged, its logits are ${
      distance.toExponential(1)
    } from those with the adapter on (allowed: ${MERGED})`,
  );
  return merged;
}
