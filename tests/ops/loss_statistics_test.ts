/**
 * What linearCrossEntropy() reports of its rows, beside the loss.
 */

import { assertEquals } from "@std/assert";
import type { Device } from "../../lib/gpu/device.ts";
import { linearCrossEntropy, to } from "../../lib/ops/mod.ts";
import { Random } from "../../lib/random.ts";
import { backward } from "../../lib/tensor/backward.ts";
import { Parameter } from "../../lib/tensor/parameter.ts";
import { noGrad } from "../../lib/tensor/tape.ts";
import { readAll, Tensor } from "../../lib/tensor/tensor.ts";
import { bothDevices } from "../both_devices.ts";
import { assertClose } from "./case.ts";

const devices = bothDevices();
const IGNORED = -100 >>> 0;

interface Scored {
  readonly rows: number;
  readonly cols: number;
  readonly vocabulary: number;
  readonly dtype?: "f32" | "f16";
}

/** Numbers that f16 holds too, and targets of which every fourth row has the best. */
function numbersOf({ rows, cols, vocabulary }: Scored) {
  const random = new Random(21);
  const draw = (count: number) => random.normal(count).map(Math.f16round);
  const [hidden, weight] = [draw(rows * cols), draw(vocabulary * cols)];
  const logits = Array.from(
    { length: rows },
    (_, row) =>
      Float64Array.from({ length: vocabulary }, (_, v) => {
        let logit = 0;
        for (let c = 0; c < cols; c++) {
          logit += hidden[row * cols + c] * weight[v * cols + c];
        }
        return logit;
      }),
  );
  const targets = Uint32Array.from(
    logits,
    (row, i) =>
      i % 7 === 3
        ? IGNORED
        : i % 4 === 0
        ? row.indexOf(Math.max(...row))
        : random.integer(vocabulary),
  );
  return { hidden, weight, targets, logits };
}

/** The statistics in double precision. */
function expectedOf(logits: readonly Float64Array[], targets: Uint32Array) {
  return logits.flatMap((row, i) => {
    if (targets[i] === IGNORED) return [0, 0];
    const top = Math.max(...row);
    const shares = row.map((logit) => Math.exp(logit - top));
    const total = shares.reduce((sum, share) => sum + share);
    const entropy = shares.reduce((sum, share) => {
      const p = share / total;
      return p === 0 ? sum : sum - p * Math.log(p);
    }, 0);
    return [row.indexOf(top) === targets[i] ? 1 : 0, entropy];
  });
}

const tried: readonly (Scored & { chunk?: number })[] = [
  { rows: 1, cols: 4, vocabulary: 1 },
  { rows: 300, cols: 20, vocabulary: 67 },
  { rows: 300, cols: 20, vocabulary: 67, chunk: 128 },
  { rows: 29, cols: 7, vocabulary: 257 },
  { rows: 16, cols: 8, vocabulary: 9001 },
  { rows: 37, cols: 16, vocabulary: 65, dtype: "f16" },
];

for (const kind of ["best", "plain"] as const) {
  for (const { chunk, dtype = "f32", ...sizes } of tried) {
    const { rows, cols, vocabulary } = sizes;
    const what = `${dtype} [${rows},${cols}] by ${vocabulary}`;
    Deno.test(`accuracy and entropy of ${what}, chunks of ${chunk} (${kind} kernels)`, async () => {
      const device = devices[kind]!;
      if (dtype === "f16" && !device.features.has("shader-f16")) return;
      const numbers = numbersOf(sizes);
      const { hidden, weight, targets, logits } = numbers;
      const expected = expectedOf(logits, targets);
      using _scope = device.scope();
      const run = async (measured: boolean, learns: boolean) => {
        using _scope = device.scope();
        using x = new Parameter(device, hidden, [rows, cols]);
        using head = new Parameter(device, weight, [vocabulary, cols]);
        const goals = Tensor.from(device, targets);
        const into = measured && Tensor.full(device, [rows, 2], NaN);
        const score = () =>
          linearCrossEntropy(to(x, dtype), head, goals, {
            chunk,
            ...(into && { statistics: into }),
          });
        const loss = learns ? score() : noGrad(score);
        if (learns) backward(loss);
        return {
          loss: await readAll(
            learns ? [loss, x.grad!, head.grad!] : [loss],
          ),
          statistics: into && await into.read(),
        };
      };
      const [bare, learning, reading] = [
        await run(false, true),
        await run(true, true),
        await run(true, false),
      ];
      assertClose(learning.statistics as Float32Array, expected, { depth: 20 });
      assertEquals(reading.statistics, learning.statistics);
      assertEquals(learning.loss, bare.loss);
      assertEquals(reading.loss[0], bare.loss[0]);
    });
  }
}

Deno.test("of equal logits the first is the highest", async () => {
  for (const device of [devices.best!, devices.plain!]) {
    assertEquals(await ofEqualLogits(device, 21), [1, 0, 0, 0]);
  }
});

/** Whether targets 0, 1, 5 and the last are the highest of equal logits. */
async function ofEqualLogits(device: Device, vocabulary: number) {
  using _scope = device.scope();
  const statistics = Tensor.zeros(device, [4, 2]);
  linearCrossEntropy(
    Tensor.ones(device, [4, 8]),
    Tensor.ones(device, [vocabulary, 8]),
    Tensor.from(device, Uint32Array.of(0, 1, 5, vocabulary - 1)),
    { statistics },
  );
  const read = [...await statistics.read()];
  const entropies = read.filter((_, i) => i % 2 === 1);
  assertClose(entropies, entropies.map(() => Math.log(vocabulary)));
  return read.filter((_, i) => i % 2 === 0);
}
