/**
 * Low-rank adaptation: a linear layer learns a change of few parameters.
 *
 * LoRA (Hu et al., 2021), its rank-stabilized scale (Kalajdzievski, 2023) and
 * DoRA (Liu et al., 2024), as PEFT computes them.
 *
 * @module
 */

import {
  add,
  conv1d,
  div,
  dropout,
  linear,
  matmul,
  mul,
  neg,
  reshape,
  sqrt,
  sub,
  sum,
} from "../ops/mod.ts";
import { checkRate } from "../ops/dropout.ts";
import { addLowRank } from "../ops/low_rank.ts";
import type { Random } from "../random.ts";
import { copyInto } from "../tensor/accumulate.ts";
import { Parameter } from "../tensor/parameter.ts";
import { resultOf } from "../tensor/result.ts";
import { noGrad } from "../tensor/tape.ts";
import { Tensor } from "../tensor/tensor.ts";
import type { Adapted, Adapter } from "./adapter.ts";
import { Conv1D, type Init } from "./layers.ts";

/** How a {@linkcode LoRA} changes its layer. */
export interface LoRAOptions {
  /** The rank of the change, from 1: 8. */
  readonly rank?: number;
  /** The change is multiplied by `alpha / rank`: 16. */
  readonly alpha?: number;
  /** Share of what the change reads that is dropped in training, in [0, 1): 0. */
  readonly dropout?: number;
  /** Divides by the square root of the rank instead (rsLoRA): no. */
  readonly rankStabilized?: boolean;
  /** Learns the length of each output's weights apart (DoRA): no. */
  readonly dora?: boolean;
}

/**
 * `y = base(x) + scale x A^T B^T`, with `A` drawn and `B` zero at the start, so
 * that the layer begins as it was, bit for bit.
 *
 * With DoRA, `y = m / |W + scale B A| (x W^T + scale x A^T B^T) + bias`, where
 * `| |` is the length of an output's row of weights, taken as a constant, and
 * `m` starts as what it is then.
 */
export class LoRA implements Adapter, Disposable {
  /** What the change is multiplied by. */
  readonly scale: number;
  /** Share of what the change reads that is dropped in training. */
  readonly dropout: number;
  /** `A`: `[rank, inputs]`. */
  readonly lora_A: { readonly weight: Parameter };
  /** `B`: `[outputs, rank]`. */
  readonly lora_B: { readonly weight: Parameter };
  /** DoRA's `m`: `[outputs]`. */
  readonly lora_magnitude_vector: Parameter | null;
  /** The scale on the GPU, one number. */
  readonly #scale: Tensor;
  /** The squares of the lengths of the layer's own rows: `[outputs]`. */
  readonly #squares: Tensor | null;

  /**
   * Prepares to change `layer`, whose weights must be there already if the
   * length of their rows is to be learned apart. `A` is drawn as PyTorch draws
   * a linear layer, evenly up to `1 / sqrt(inputs)`; without randomness it is
   * zero, to be loaded. Throws a `RangeError` on options that make no sense.
   */
  constructor(
    { device, random }: Init,
    layer: Adapted,
    options: LoRAOptions = {},
  ) {
    const { rank, alpha, dropout, rankStabilized, dora } = loraDefaults(
      options,
    );
    const [outputs, inputs] = sizesOf(layer);
    const bound = 1 / Math.sqrt(inputs);
    const drawn = random && Float32Array.from(
      { length: rank * inputs },
      () => bound * (2 * random.uniform() - 1),
    );
    this.scale = alpha / (rankStabilized ? Math.sqrt(rank) : rank);
    this.dropout = dropout;
    this.lora_A = { weight: new Parameter(device, drawn, [rank, inputs]) };
    this.lora_B = { weight: new Parameter(device, null, [outputs, rank]) };
    this.#scale = Tensor.full(device, [], this.scale).keep();
    this.#squares = dora ? squaresOf(layer) : null;
    this.lora_magnitude_vector = dora
      ? new Parameter(device, null, [outputs])
      : null;
    if (this.lora_magnitude_vector) {
      using lengths = this.#lengths(layer);
      copyInto(lengths, this.lora_magnitude_vector);
      this.lora_magnitude_vector.changed();
    }
  }

  /** `[..., inputs]` to `[..., outputs]`. */
  forward(x: Tensor, layer: Adapted, random?: Random): Tensor {
    const read = random ? dropout(x, this.dropout, random) : x;
    const stretch = this.#stretch(layer); // [outputs]
    if (stretch === null) return this.#changed(layer.base(x), read);
    if (read !== x) {
      const own = this.#changed(product(read, layer), read);
      return add(layer.base(sub(x, read)), mul(own, stretch));
    }
    const y = this.#changed(layer.base(x), x); // (x W^T + change) + bias
    const stretched = mul(y, stretch);
    if (layer.bias === null) return stretched;
    return add(stretched, mul(layer.bias, neg(sub(stretch, 1))));
  }

  /**
   * The weights with which the layer gives by itself what it gives with the
   * change, but for rounding: a new parameter in the layer's own layout.
   */
  merged(layer: Adapted): Parameter {
    const { weight } = layer;
    const merged = new Parameter(weight.device, null, weight.shape);
    using whole = noGrad(() =>
      resultOf(weight.device, () => {
        const [a, b] = [this.lora_A.weight, this.lora_B.weight];
        const change = layer instanceof Conv1D
          ? matmul(a, b, { transposeA: true, transposeB: true })
          : matmul(b, a);
        const sum = add(weight, this.#scaled(change));
        const stretch = this.#stretch(layer);
        if (stretch === null) return sum;
        const column = [stretch.size, 1];
        return mul(
          sum,
          layer instanceof Conv1D ? stretch : reshape(stretch, column),
        );
      })
    );
    copyInto(whole, merged);
    merged.changed();
    return merged;
  }

  /** Gives its memory back. */
  [Symbol.dispose](): void {
    this.lora_A.weight[Symbol.dispose]();
    this.lora_B.weight[Symbol.dispose]();
    this.lora_magnitude_vector?.[Symbol.dispose]();
    this.#squares?.[Symbol.dispose]();
    this.#scale[Symbol.dispose]();
  }

  /** `y + scale x A^T B^T`, in the memory of `y`. */
  #changed(y: Tensor, x: Tensor): Tensor {
    const [a, b] = [this.lora_A.weight, this.lora_B.weight];
    const scale = this.scale === 1 ? null : this.#scale;
    return addLowRank(y, x, { a, b, scale });
  }

  #scaled(x: Tensor): Tensor {
    return this.scale === 1 ? x : mul(x, this.#scale);
  }

  /** DoRA's `m / |W + scale B A|`: `[outputs]`. */
  #stretch(layer: Adapted): Tensor | null {
    const magnitude = this.lora_magnitude_vector;
    return magnitude && div(magnitude, this.#lengths(layer));
  }

  /**
   * `|W + scale B A|`, row by row, without making that matrix: the square of a
   * length is `W W + 2 scale B (W A^T) + scale^2 B (B A A^T)`.
   */
  #lengths(layer: Adapted): Tensor {
    const { weight } = layer;
    return noGrad(() =>
      resultOf(weight.device, () => {
        const [a, b] = [this.lora_A.weight, this.lora_B.weight];
        const crossed = matmul(weight, a, {
          transposeA: layer instanceof Conv1D,
          transposeB: true,
        }); // [outputs, rank]
        const own = matmul(b, matmul(a, a, { transposeB: true }));
        const both = add(mul(crossed, 2), this.#scaled(own));
        const more = sum(mul(b, this.#scaled(both)), { axis: 1 });
        return sqrt(add(this.#squares!, more));
      })
    );
  }
}

/** The options with the usual defaults, once checked. */
export function loraDefaults(
  {
    rank = 8,
    alpha = 16,
    dropout = 0,
    rankStabilized = false,
    dora = false,
  }: LoRAOptions,
): Required<LoRAOptions> {
  if (!Number.isInteger(rank) || rank < 1) {
    throw new RangeError(
      `Cannot adapt with rank ${rank}: expected a whole number from 1`,
    );
  }
  if (!Number.isFinite(alpha)) {
    throw new RangeError(`Cannot adapt with alpha ${alpha}: expected a number`);
  }
  checkRate(dropout);
  return { rank, alpha, dropout, rankStabilized, dora };
}

/** `x W^T` in either layout, without the bias. */
function product(x: Tensor, layer: Adapted): Tensor {
  return (layer instanceof Conv1D ? conv1d : linear)(x, layer.weight);
}

/** The square of the length of each output's weights: `[outputs]`. */
function squaresOf(layer: Adapted): Tensor {
  const { weight } = layer;
  const axis = layer instanceof Conv1D ? 0 : 1;
  return noGrad(() =>
    resultOf(weight.device, () => sum(mul(weight, weight), { axis }))
  ).keep();
}

/** Lengths of what a layer gives and takes. */
function sizesOf(layer: Adapted): [outputs: number, inputs: number] {
  const [first, second] = layer.weight.shape;
  return layer instanceof Conv1D ? [second, first] : [first, second];
}
