/**
 * The weights of a classifier on their way from and to files, by their published
 * names.
 *
 * @module
 */

import type { StoredTensors, TensorSource } from "../lib/io/tensors.ts";
import type { Classifier } from "./classifier.ts";
import { fill, loadWeights, modelTensors, tensorSource } from "./weights.ts";

/** The name of the score. */
export const SCORE = "score.weight";

/** The weights of a classifier by their published names, read from the GPU. */
export function classifierTensors({ body, score }: Classifier): TensorSource {
  const [below, above] = [
    modelTensors(body),
    tensorSource(new Map([[SCORE, score.weight]])),
  ];
  return {
    shapes: new Map([...below.shapes, ...above.shapes]),
    tensors: async function* () {
      yield* below.tensors;
      yield* above.tensors;
    }(),
  };
}

/**
 * Fills a classifier from stored tensors. Throws a `RangeError` that lists every
 * name or shape that does not fit, saying that they are of `path`.
 */
export async function fillClassifier(
  { body, score }: Classifier,
  stored: StoredTensors,
  path: string,
): Promise<void> {
  const tensors = new Map(stored.tensors);
  const scores = new Map(tensors.delete(SCORE) ? [[SCORE, SCORE]] : []);
  await fill(new Map([[SCORE, score.weight]]), scores, stored, path);
  await loadWeights(body, below(stored, tensors), path);
}

/** The same file, as if it held these tensors and no others. */
function below(
  stored: StoredTensors,
  tensors: StoredTensors["tensors"],
): StoredTensors {
  return {
    tensors,
    metadata: stored.metadata,
    read: (...of) => stored.read(...of),
    readRows: (...of) => stored.readRows(...of),
    slices: (...of) => stored.slices(...of),
    [Symbol.dispose]: () => {},
  };
}
