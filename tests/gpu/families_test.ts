/**
 * Kernels come in two families: one hands values round a subgroup, as suits
 * software adapters, the other round workgroup memory, as suits GPUs. What they
 * give may differ by rounding only, on any shape.
 */

import { assert, assertEquals } from "@std/assert";
import type { Device } from "../../lib/gpu/device.ts";
import {
  attention,
  crossEntropy,
  embedding,
  gelu,
  layerNorm,
  linearCrossEntropy,
  logSoftmax,
  matmul,
  mul,
  softmax,
  sum,
} from "../../lib/ops/mod.ts";
import { Random } from "../../lib/random.ts";
import { backward } from "../../lib/tensor/backward.ts";
import { Parameter } from "../../lib/tensor/parameter.ts";
import { type HostArray, readAll, Tensor } from "../../lib/tensor/tensor.ts";
import { relativeDistance } from "../ops/case.ts";
import { bothDevices } from "../both_devices.ts";

const devices = bothDevices();

/** What is computed, from random parameters of these shapes. */
interface Computed {
  readonly name: string;
  readonly shapes: readonly (readonly number[])[];
  readonly run: (...inputs: Tensor[]) => Tensor;
}

/** The result and the gradient of every input, weighed at random. */
async function both(
  device: Device,
  { shapes, run }: Computed,
): Promise<HostArray[]> {
  using _scope = device.scope();
  using owned = new DisposableStack();
  const random = new Random(17);
  const inputs = shapes.map((shape) => {
    const size = shape.reduce((product, n) => product * n, 1);
    return owned.use(new Parameter(device, random.normal(size), shape));
  });
  const y = run(...inputs).keep();
  owned.use(y);
  const weights = Tensor.randn(device, y.shape, random);
  backward(sum(mul(y, weights)));
  return await readAll([y, ...inputs.map(({ grad }) => grad!)]);
}

function products(): Computed[] {
  const sizes = [
    [1, 1, 1],
    [1, 7, 130],
    [37, 23, 41],
    [16, 64, 33],
    [17, 129, 65],
    [301, 5, 3],
    [65, 260, 130],
    [3, 1000, 9],
  ];
  return sizes.flatMap(([rows, depth, cols]) =>
    [[false, false], [true, false], [false, true], [true, true]].map(
      ([transposeA, transposeB]) => ({
        name: `matmul ${rows} x ${depth} x ${cols} ${transposeA} ${transposeB}`,
        shapes: [
          transposeA ? [2, depth, rows] : [2, rows, depth],
          transposeB ? [cols, depth] : [depth, cols],
        ],
        run: (a: Tensor, b: Tensor) => matmul(a, b, { transposeA, transposeB }),
      }),
    )
  );
}

function attentions(): Computed[] {
  const sizes = [
    [2, 5, 3, 8, 0.3],
    [1, 65, 2, 16, 0],
    [1, 65, 2, 16, 0.3],
    [1, 130, 1, 64, 0],
    [2, 33, 2, 36, 0],
    [1, 70, 2, 7, 0.3],
    [1, 19, 1, 132, 0],
  ];
  return sizes.map(([batch, time, heads, size, rate]) => ({
    name: `attention of ${heads} x ${size} over ${time}, dropout ${rate}`,
    shapes: [[batch, time, 3 * heads * size]],
    run: (qkv: Tensor) =>
      attention(
        qkv,
        heads,
        rate > 0 ? { dropout: { rate, random: new Random(4) } } : {},
      ),
  }));
}

function rows(): Computed[] {
  return [1, 2, 3, 4, 7, 8, 9, 31, 36, 64, 65, 257, 1000, 1025].flatMap(
    (cols) => [
      {
        name: `softmax of ${cols}`,
        shapes: [[11, cols]],
        run: (x: Tensor) => softmax(x),
      },
      {
        name: `logSoftmax of ${cols}`,
        shapes: [[11, cols]],
        run: (x: Tensor) => logSoftmax(x),
      },
      {
        name: `layerNorm of ${cols}`,
        shapes: [[67, cols], [cols], [cols]],
        run: (x: Tensor, weight: Tensor, bias: Tensor) =>
          // Rows of one column are all shift: nothing else is left of them.
          layerNorm(x, weight, bias, cols < 3 ? 1 : 1e-5),
      },
      {
        name: `crossEntropy of ${cols}`,
        shapes: [[13, cols]],
        run: (x: Tensor) => {
          const targets = Int32Array.from(
            { length: 13 },
            (_, i) => i === 5 ? -100 : i * 7 % cols,
          );
          return crossEntropy(x, Tensor.from(x.device, targets));
        },
      },
    ],
  );
}

const others: readonly Computed[] = [
  {
    name: "linearCrossEntropy",
    shapes: [[301, 20], [65, 20]],
    run: (hidden, weight) => {
      const targets = Uint32Array.from({ length: 301 }, (_, i) => i * i % 65);
      return linearCrossEntropy(
        hidden,
        weight,
        Tensor.from(hidden.device, targets),
      );
    },
  },
  {
    name: "embedding",
    shapes: [[37, 21]],
    run: (table) => {
      const ids = Uint32Array.from({ length: 300 }, (_, i) => i * i % 37);
      return embedding(table, Tensor.from(table.device, ids, [3, 100]));
    },
  },
  { name: "gelu", shapes: [[1003]], run: (x) => gelu(x) },
];

for (
  const [title, group] of [
    ["products of matrices", products()],
    ["attention", attentions()],
    ["rows", rows()],
    ["the others", others],
  ] as const
) {
  Deno.test(`both families agree on ${title}`, async () => {
    for (const computed of group) {
      const best = await both(devices.best!, computed);
      const plain = await both(devices.plain!, computed);
      for (const [i, data] of best.entries()) {
        assertEquals(data.length, plain[i].length);
        const distance = relativeDistance(plain[i], data);
        assert(
          distance <= 2e-6,
          `${computed.name}: ${
            i === 0 ? "the result" : `gradient ${i}`
          } differs by ${distance}`,
        );
      }
    }
  });
}

Deno.test("the families differ where the adapter has narrow subgroups", () => {
  assertEquals(devices.plain!.subgroupSize, 0);
  assertEquals(devices.plain!.prefersBroadcast, false);
  const { adapter, subgroupSize, prefersBroadcast } = devices.best!;
  assertEquals(
    prefersBroadcast,
    adapter.software && subgroupSize > 0 && subgroupSize <= 16,
  );
});
