/**
 * Gradients left where the caller wants them: added to what is there, or in its
 * place. Either way they are what the op gives without a place.
 */

import { assert, assertStrictEquals } from "@std/assert";
import type { Device } from "../../lib/gpu/device.ts";
import * as ops from "../../lib/ops/mod.ts";
import { turnsFor } from "../../lib/ops/rope.ts";
import { Random } from "../../lib/random.ts";
import { Parameter } from "../../lib/tensor/parameter.ts";
import { Tensor } from "../../lib/tensor/tensor.ts";
import { bothDevices } from "../both_devices.ts";
import { relativeDistance } from "./case.ts";

const devices = bothDevices();

/** An op, and the shapes of the parameters it is run on. */
interface Placed {
  readonly name: string;
  readonly shapes: readonly (readonly number[])[];
  readonly run: (...inputs: Tensor[]) => Tensor;
}

function some(device: Device, length: number, below: number): Tensor {
  const numbers = Array.from({ length }, (_, i) => i * i % below);
  return Tensor.from(device, Uint32Array.from(numbers));
}

const placed: readonly Placed[] = [
  {
    name: "layerNorm()",
    shapes: [[150, 32], [32], [32]],
    run: (x, weight, bias) => ops.layerNorm(x, weight, bias),
  },
  {
    name: "layerNorm() without a bias, of an odd length",
    shapes: [[70, 5], [5]],
    run: (x, weight) => ops.layerNorm(x, weight),
  },
  {
    name: "rmsNorm()",
    shapes: [[150, 32], [32]],
    run: (x, weight) => ops.rmsNorm(x, weight),
  },
  {
    name: "rmsNorm() of an odd length",
    shapes: [[70, 5], [5]],
    run: (x, weight) => ops.rmsNorm(x, weight),
  },
  {
    name: "rope()",
    shapes: [[2, 7, 32], [2, 7, 16], [2, 7, 16]],
    run: (q, k, v) =>
      ops.rope(q, k, v, { turns: turnsFor(q.device, [1, 0.1, 0.3, 2], 9) }),
  },
  {
    name: "swiglu()",
    shapes: [[301], [301]],
    run: (gate, up) => ops.swiglu(gate, up),
  },
  { name: "gelu()", shapes: [[301]], run: (x) => ops.gelu(x) },
  {
    name: "embedding()",
    shapes: [[37, 20]],
    run: (table) => ops.embedding(table, some(table.device, 301, 37)),
  },
  {
    name: "add() of a repeated row",
    shapes: [[13, 7, 32], [7, 32]],
    run: (a, b) => ops.add(a, b),
  },
  {
    name: "add() along a middle axis",
    shapes: [[2, 3, 5], [2, 1, 5]],
    run: (a, b) => ops.add(a, b),
  },
  {
    name: "linearCrossEntropy()",
    shapes: [[300, 16], [37, 16]],
    run: (hidden, weight) =>
      ops.linearCrossEntropy(hidden, weight, some(hidden.device, 300, 37), {
        chunk: 128,
      }),
  },
];

for (const { name, shapes, run } of placed) {
  for (const add of [true, false]) {
    Deno.test(`${name} leaves its gradients where they are wanted, ${add ? "added" : "alone"}`, async () => {
      for (const device of [devices.best!, devices.plain!]) {
        using _scope = device.scope();
        using owned = new DisposableStack();
        const random = new Random(3);
        const inputs = shapes.map((shape) => {
          const size = shape.reduce((product, n) => product * n, 1);
          return owned.use(new Parameter(device, random.normal(size), shape));
        });
        const dy = Tensor.randn(device, run(...inputs).shape, random);
        const back = (places: { tensor: Tensor; add: boolean }[] | null[]) =>
          run(...inputs).origin!.backward(dy, places);

        const fresh = back(inputs.map(() => null));
        const there = shapes.map((shape) =>
          Tensor.randn(device, shape, random)
        );
        const before = await Promise.all(there.map((tensor) => tensor.read()));
        const given = back(there.map((tensor) => ({ tensor, add })));
        for (const [i, gradient] of fresh.entries()) {
          // An op may also hand on `dy` itself, for the caller to add.
          if (given[i] === dy) continue;
          assertStrictEquals(given[i], there[i], `gradient ${i}`);
          const alone = await gradient!.read();
          const expected = alone.map((d, at) => d + (add ? before[i][at] : 0));
          const distance = relativeDistance(await there[i].read(), expected);
          assert(distance < 1e-6, `gradient ${i} is off by ${distance}`);
        }
      }
    });
  }
}
