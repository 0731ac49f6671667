/**
 * What the loss of a model reports beside itself is what its logits say.
 */

import { assertEquals } from "@std/assert";
import { Device } from "../../lib/gpu/device.ts";
import { crossEntropy, embedding, reshape } from "../../lib/ops/mod.ts";
import { Random } from "../../lib/random.ts";
import { noGrad } from "../../lib/tensor/tape.ts";
import { Tensor } from "../../lib/tensor/tensor.ts";
import { GPT2 } from "../../models/gpt2.ts";
import { Llama } from "../../models/llama.ts";
import { assertClose } from "../ops/case.ts";

const [BATCH, TIME, VOCABULARY] = [2, 9, 23];
const sizes = { vocabSize: VOCABULARY, blockSize: TIME, nLayer: 1, nHead: 2 };

const models = {
  "GPT-2": (device: Device) =>
    new GPT2({ device, random: new Random(1) }, { ...sizes, nEmbd: 16 }),
  Llama: (device: Device) =>
    new Llama({ device, random: new Random(1) }, {
      ...{ ...sizes, nEmbd: 16, intermediateSize: 24 },
    }),
} as const;

for (const [name, make] of Object.entries(models)) {
  Deno.test(`${name} reports the accuracy and entropy of the rows named`, async () => {
    using device = await Device.open();
    using _scope = device.scope();
    const model = make(device);
    const random = new Random(2);
    const draw = () =>
      Uint32Array.from(
        { length: BATCH * TIME },
        () => random.integer(VOCABULARY),
      );
    const ids = Tensor.from(device, draw(), [BATCH, TIME]);
    const places = Uint32Array.of(3, 17, 0, 8);
    const rows = Tensor.from(device, places);
    const scored = noGrad(() =>
      reshape(model.forward(ids), [BATCH * TIME, VOCABULARY])
    );
    const logits = await scored.read();
    const expected: number[] = [];
    const goals = draw();
    for (const [i, place] of places.entries()) {
      const row = logits.subarray(place * VOCABULARY, (place + 1) * VOCABULARY);
      const best = row.indexOf(Math.max(...row));
      if (i % 2 === 0) goals[place] = best;
      const shares = Array.from(row, Math.exp);
      const total = shares.reduce((sum, share) => sum + share);
      const entropy = shares.reduce(
        (sum, share) => sum - share / total * Math.log(share / total),
        0,
      );
      expected.push(goals[place] === best ? 1 : 0, entropy);
    }
    const statistics = Tensor.zeros(device, [places.length, 2]);
    const targets = Tensor.from(device, goals, [BATCH, TIME]);
    const loss = model.loss(ids, targets, { rows, statistics });
    assertClose(await statistics.read(), expected);
    const alone = crossEntropy(
      embedding(scored, rows),
      Tensor.from(device, places.map((place) => goals[place])),
    );
    assertClose(await loss.read(), await alone.read());
    assertEquals(expected.filter((_, i) => i % 2 === 0).includes(1), true);
  });
}
