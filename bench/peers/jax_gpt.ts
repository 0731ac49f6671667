/**
 * GPT-2 and its training in jax-js, as its own documentation would write it.
 *
 * jax-js counts references: passing an array to a function gives it away, and
 * `.ref` keeps it.
 *
 * @module
 */

import {
  type Array as Tensor,
  blockUntilReady,
  jit,
  nn,
  numpy as np,
  tree,
  valueAndGrad,
} from "@jax-js/jax";
import {
  readShared,
  seconds,
  type Sizes,
  type TrainTask,
  type Work,
} from "./answer.ts";

/** Weights by Hugging Face's names. */
type Weights = Record<string, Tensor>;

/** Makes steps of training ready, compiled as one function each. */
export async function training(task: TrainTask): Promise<Work> {
  const ids = (values: readonly number[]) =>
    np.array(Int32Array.from(values)).reshape([-1, task.sizes.blockSize]);
  const inputs = ids(task.inputs);
  const targets = ids(task.targets);
  let weights: Weights = Object.fromEntries(
    readShared(task.shared)
      .map(({ name, shape, data }) => [name, np.array(data).reshape(shape)]),
  );
  const zeros = () => tree.map((w: Tensor) => np.zeros(w.shape), weights);
  let m = zeros() as Weights;
  let v = zeros() as Weights;
  const lossAndGradients = valueAndGrad(lossOf(task.sizes));

  const step = jit((
    weights: Weights,
    m: Weights,
    v: Weights,
    inputs: Tensor,
    targets: Tensor,
    bias1: Tensor,
    bias2: Tensor,
  ): [Tensor, Weights, Weights, Weights] => {
    const [loss, grads] = lossAndGradients(tree.ref(weights), inputs, targets);
    const moved = adamw(task, { weights, m, v, grads, bias1, bias2 });
    return [loss, ...moved];
  });

  let steps = 0;
  const next = (): Tensor => {
    steps++;
    const bias1 = np.array(1 - task.beta1 ** steps);
    const bias2 = np.array(1 - task.beta2 ** steps);
    let loss: Tensor;
    [loss, weights, m, v] = step(
      weights,
      m,
      v,
      inputs.ref,
      targets.ref,
      bias1,
      bias2,
    );
    return loss;
  };
  const check: number[] = [];
  let last = 0;
  while (check.length < task.checks) {
    last = await seconds(async () => check.push((await next().data())[0]));
  }
  return {
    check,
    seconds: last,
    turns: (count) =>
      seconds(async () => {
        for (let turn = 1; turn <= count; turn++) {
          const loss = next();
          if (turn === count) await blockUntilReady([loss, weights]);
          loss.dispose();
        }
      }),
  };
}

function lossOf({ nLayer, nHead, nEmbd }: Sizes) {
  return (w: Weights, inputs: Tensor, targets: Tensor): Tensor => {
    const [batch, time] = inputs.shape;
    const norm = (x: Tensor, name: string) =>
      nn.standardize(x, -1, { epsilon: 1e-5 })
        .mul(w[`${name}.weight`]).add(w[`${name}.bias`]);
    const linear = (x: Tensor, name: string) =>
      np.matmul(x, w[`${name}.weight`]).add(w[`${name}.bias`]);

    // A gather has no gradient that jit compiles, so rows are picked by a product.
    const { shape: [vocabSize] } = w["wte.weight"];
    let x = np.matmul(nn.oneHot(inputs, vocabSize), w["wte.weight"].ref)
      .add(w["wpe.weight"]); // [B, T, C]
    for (let layer = 0; layer < nLayer; layer++) {
      const h = `h.${layer}`;
      const qkv = linear(norm(x.ref, `${h}.ln_1`), `${h}.attn.c_attn`);
      const [q, k, v] = np.split(qkv, 3, -1)
        .map((part) => part.reshape([batch, time, nHead, nEmbd / nHead]));
      const mixed = nn.dotProductAttention(q, k, v, { isCausal: true })
        .reshape([batch, time, nEmbd]);
      x = x.add(linear(mixed, `${h}.attn.c_proj`));
      const wide = nn.gelu(linear(norm(x.ref, `${h}.ln_2`), `${h}.mlp.c_fc`));
      x = x.add(linear(wide, `${h}.mlp.c_proj`));
    }
    const logits = np.matmul(
      norm(x, "ln_f"),
      np.transpose(w["wte.weight"]),
    ); // [B, T, V]
    const scores = nn.logSoftmax(logits);
    const right = np.sum(scores.mul(nn.oneHot(targets, vocabSize)), -1);
    return np.mean(right).neg();
  };
}

/** The weights and moments after a step. */
function adamw(
  { beta1, beta2, eps, weightDecay, learningRate }: TrainTask,
  { weights, m, v, grads, bias1, bias2 }: {
    weights: Weights;
    m: Weights;
    v: Weights;
    grads: Weights;
    bias1: Tensor;
    bias2: Tensor;
  },
): [Weights, Weights, Weights] {
  const after: [Weights, Weights, Weights] = [{}, {}, {}];
  for (const [name, weight] of Object.entries(weights)) {
    const grad = grads[name];
    const mean = m[name].mul(beta1).add(grad.ref.mul(1 - beta1));
    const square = v[name].mul(beta2).add(np.square(grad).mul(1 - beta2));
    const decay = weight.ndim > 1 ? learningRate * weightDecay : 0;
    const spread = np.sqrt(square.ref.div(bias2.ref)).add(eps);
    const move = mean.ref.div(bias1.ref).div(spread).mul(learningRate);
    after[0][name] = weight.mul(1 - decay).sub(move);
    after[1][name] = mean;
    after[2][name] = square;
  }
  bias1.dispose();
  bias2.dispose();
  return after;
}
