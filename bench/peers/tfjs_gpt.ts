/**
 * GPT-2 and its training in TensorFlow.js, with its own ops and gradients.
 *
 * @module
 */

import * as tf from "@tensorflow/tfjs";
import { readShared, seconds, type TrainTask, type Work } from "./answer.ts";

/** Weights by Hugging Face's names. */
type Weights = Record<string, tf.Variable>;

/** Makes steps of training ready. */
export async function training(task: TrainTask): Promise<Work> {
  const weights: Weights = {};
  for (const { name, shape, data } of readShared(task.shared)) {
    weights[name] = tf.variable(tf.tensor(data, shape), true, name);
  }
  const { blockSize, vocabSize } = task.sizes;
  const inputs = tf.tensor2d([...task.inputs], [
    task.inputs.length / blockSize,
    blockSize,
  ], "int32");
  const targets = tf.oneHot(
    tf.tensor1d([...task.targets], "int32"),
    vocabSize,
  ); // [B T, V]
  const optimizer = new AdamW(task, weights);
  const step = () =>
    tf.tidy(() => {
      const { value, grads } = tf.variableGrads(() =>
        lossOf(task, weights, inputs, targets)
      );
      optimizer.step(grads);
      return value;
    });
  const check: number[] = [];
  let last = 0;
  while (check.length < task.checks) {
    const start = performance.now();
    const loss = step();
    check.push((await loss.data())[0]);
    loss.dispose();
    last = (performance.now() - start) / 1000;
  }
  return {
    check,
    seconds: last,
    turns: (count) =>
      seconds(async () => {
        for (let turn = 1; turn < count; turn++) step().dispose();
        const loss = step();
        const { "wte.weight": last } = weights;
        const corner = tf.tidy(() => last.slice([0, 0], [1, 1]));
        await Promise.all([loss.data(), corner.data()]);
        tf.dispose([loss, corner]);
      }),
  };
}

function lossOf(
  { sizes: { nLayer, nHead, nEmbd, blockSize } }: TrainTask,
  w: Weights,
  inputs: tf.Tensor2D,
  targets: tf.Tensor,
): tf.Scalar {
  const rows = inputs.size; // B T
  const heads = [rows / blockSize, blockSize, nHead, nEmbd / nHead];
  const linear = (x: tf.Tensor, name: string) =>
    tf.add(
      tf.matMul(x as tf.Tensor2D, w[`${name}.weight`] as tf.Tensor2D),
      w[`${name}.bias`],
    );
  const norm = (x: tf.Tensor, name: string) => {
    const { mean, variance } = tf.moments(x, -1, true);
    const scaled = x.sub(mean).mul(variance.add(1e-5).rsqrt());
    return scaled.mul(w[`${name}.weight`]).add(w[`${name}.bias`]);
  };
  // What a query may not see: every later key.
  const hidden = tf.tidy(() => {
    const at = tf.range(0, blockSize);
    return at.expandDims(0).greater(at.expandDims(1)).mul(-1e9); // [T, T]
  });

  let x: tf.Tensor = tf.gather(w["wte.weight"], inputs)
    .add(w["wpe.weight"]).reshape([rows, nEmbd]);
  for (let layer = 0; layer < nLayer; layer++) {
    const h = `h.${layer}`;
    const qkv = linear(norm(x, `${h}.ln_1`), `${h}.attn.c_attn`);
    const [q, k, v] = tf.split(qkv, 3, -1)
      .map((part) => part.reshape(heads).transpose([0, 2, 1, 3]));
    const scores = tf.matMul(q, k, false, true)
      .mul(1 / Math.sqrt(nEmbd / nHead)).add(hidden); // [B, H, T, T]
    const mixed = tf.matMul(tf.softmax(scores), v)
      .transpose([0, 2, 1, 3]).reshape([rows, nEmbd]);
    x = x.add(linear(mixed, `${h}.attn.c_proj`));
    const wide = gelu(linear(norm(x, `${h}.ln_2`), `${h}.mlp.c_fc`));
    x = x.add(linear(wide, `${h}.mlp.c_proj`));
  }
  const logits = tf.matMul(
    norm(x, "ln_f") as tf.Tensor2D,
    w["wte.weight"] as tf.Tensor2D,
    false,
    true,
  ); // [B T, V]
  return tf.losses.softmaxCrossEntropy(targets, logits).asScalar();
}

/** By the hyperbolic tangent, as GPT-2 has it. */
function gelu(x: tf.Tensor): tf.Tensor {
  const inner = x.add(x.square().mul(x).mul(0.044715))
    .mul(Math.sqrt(2 / Math.PI));
  return x.mul(0.5).mul(inner.tanh().add(1));
}

/** What TensorFlow.js has no optimizer for: Adam with decoupled decay. */
class AdamW {
  readonly #task: TrainTask;
  readonly #weights: Weights;
  readonly #moments = new Map<string, { m: tf.Variable; v: tf.Variable }>();
  #steps = 0;

  constructor(task: TrainTask, weights: Weights) {
    this.#task = task;
    this.#weights = weights;
    for (const [name, weight] of Object.entries(weights)) {
      this.#moments.set(name, {
        m: tf.variable(tf.zerosLike(weight), false),
        v: tf.variable(tf.zerosLike(weight), false),
      });
    }
  }

  step(grads: tf.NamedTensorMap): void {
    const { beta1, beta2, eps, weightDecay, learningRate } = this.#task;
    this.#steps++;
    const bias1 = 1 - beta1 ** this.#steps;
    const bias2 = 1 - beta2 ** this.#steps;
    for (const [name, weight] of Object.entries(this.#weights)) {
      const { m, v } = this.#moments.get(name)!;
      const grad = grads[name];
      m.assign(m.mul(beta1).add(grad.mul(1 - beta1)));
      v.assign(v.mul(beta2).add(grad.square().mul(1 - beta2)));
      const decay = weight.rank > 1 ? learningRate * weightDecay : 0;
      const spread = v.div(bias2).sqrt().add(eps);
      const move = m.div(bias1).div(spread).mul(learningRate);
      weight.assign(weight.mul(1 - decay).sub(move));
    }
  }
}
