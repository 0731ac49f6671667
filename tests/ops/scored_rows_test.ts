/**
 * Rows left out of a loss are as rows whose targets are ignored, but cost less.
 */

import { assert, assertEquals } from "@std/assert";
import type { Device } from "../../lib/gpu/device.ts";
import * as ops from "../../lib/ops/mod.ts";
import { Random } from "../../lib/random.ts";
import { backward } from "../../lib/tensor/backward.ts";
import { Parameter } from "../../lib/tensor/parameter.ts";
import { readAll, Tensor } from "../../lib/tensor/tensor.ts";
import { bothDevices } from "../both_devices.ts";
import { relativeDistance } from "./case.ts";

const devices = bothDevices();
const [BATCH, TIME, VOCABULARY] = [3, 101, 67];
const TOTAL = BATCH * TIME;
const IGNORED = -100 >>> 0;

interface Tried {
  readonly cols: number;
  readonly dtype?: "f32" | "f16";
  /** Whether the states go elsewhere too, so that gradients meet. */
  readonly shared?: boolean;
  /** Rows named that are not there. */
  readonly filling?: number;
}

/** The rows that count, in no order, and the targets of all. */
function rowsAndTargets(filling: number) {
  const random = new Random(6);
  const rows = Array.from({ length: TOTAL }, (_, row) => row)
    .filter((row) => row % 3 === 1 && row < 250).reverse();
  const targets = new Uint32Array(TOTAL).fill(IGNORED);
  for (const row of rows) targets[row] = random.integer(VOCABULARY);
  const beyond = Array.from({ length: filling }, (_, i) => TOTAL + i * 1000);
  return { rows: Uint32Array.from([...rows, ...beyond]), targets };
}

async function lossAndGradients(
  device: Device,
  { cols, dtype = "f32", shared = false, filling = 0 }: Tried,
  named: boolean,
) {
  using _scope = device.scope();
  using owned = new DisposableStack();
  const random = new Random(5);
  const parameter = (...shape: number[]) => {
    const size = shape.reduce((product, n) => product * n);
    return owned.use(new Parameter(device, random.normal(size), shape));
  };
  const hidden = parameter(BATCH, TIME, cols);
  const weight = parameter(VOCABULARY, cols);
  const { rows, targets } = rowsAndTargets(filling);
  const states = ops.to(hidden, dtype);
  // Where nothing counts, what the targets say does not matter.
  const goals = named ? targets.map((t) => t === IGNORED ? 3 : t) : targets;
  const loss = ops.linearCrossEntropy(
    states,
    weight,
    Tensor.from(device, goals, [BATCH, TIME]),
    named ? { rows: Tensor.from(device, rows) } : {},
  );
  const rest = () => ops.mean(ops.to(ops.mul(states, states), "f32"));
  const total = shared ? ops.add(loss, rest()) : loss;
  backward(total, 0.5);
  return await readAll([total, hidden.grad!, weight.grad!]);
}

const tried: readonly Tried[] = [
  { cols: 20 },
  { cols: 7 },
  { cols: 20, shared: true },
  { cols: 20, filling: 45 },
  { cols: 20, dtype: "f16", shared: true, filling: 3 },
];

for (const kind of ["best", "plain"] as const) {
  for (const sizes of tried) {
    Deno.test(`the loss of some rows is that of all, the others ignored: ${JSON.stringify(sizes)} (${kind} kernels)`, async () => {
      const device = devices[kind]!;
      if (sizes.dtype === "f16" && !device.features.has("shader-f16")) return;
      const expected = await lossAndGradients(device, sizes, false);
      const actual = await lossAndGradients(device, sizes, true);
      for (const [i, values] of actual.entries()) {
        const distance = relativeDistance(values, expected[i]);
        // In f16, gradients are rounded once more before they meet.
        const limit = sizes.dtype === "f16" ? 1e-3 : 2e-6;
        assert(distance < limit, `${i} is off by ${distance}`);
      }
      if (sizes.shared) return;
      const grad = actual[1];
      for (let row = 0; row < TOTAL; row++) {
        const own = grad.subarray(sizes.cols * row, sizes.cols * (row + 1));
        assertEquals(own.some((d) => d !== 0), row % 3 === 1 && row < 250);
      }
    });
  }
}

Deno.test("statistics are those of the rows scored", async () => {
  const device = devices.best!;
  using _scope = device.scope();
  const random = new Random(5);
  const hidden = Tensor.from(device, random.normal(TOTAL * 8), [TOTAL, 8]);
  const weight = Tensor.from(
    device,
    random.normal(VOCABULARY * 8),
    [VOCABULARY, 8],
  );
  const { rows, targets } = rowsAndTargets(2);
  const goals = Tensor.from(device, targets);
  const measured = async (rows?: Uint32Array<ArrayBuffer>) => {
    const statistics = Tensor.zeros(device, [rows?.length ?? TOTAL, 2]);
    ops.linearCrossEntropy(hidden, weight, goals, {
      statistics,
      ...(rows && { rows: Tensor.from(device, rows) }),
    });
    return await statistics.read();
  };
  const all = await measured();
  const some = await measured(rows);
  const expected = [...rows].flatMap((row) =>
    row < TOTAL ? [all[2 * row], all[2 * row + 1]] : [0, 0]
  );
  assertEquals([...some], expected);
});
