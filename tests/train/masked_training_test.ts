/**
 * Batches of which few targets count, and of documents side by side.
 */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { type Batch, IGNORE_INDEX } from "../../lib/data/batch.ts";
import { Device } from "../../lib/gpu/device.ts";
import { parameters } from "../../lib/nn/parameters.ts";
import { AdamW } from "../../lib/optim/adamw.ts";
import { Random } from "../../lib/random.ts";
import { evaluate } from "../../lib/train/evaluate.ts";
import { train, type Trainable } from "../../lib/train/train.ts";
import { toy } from "./toy.ts";

let device: Device;

Deno.test.beforeAll(async () => {
  device = await Device.open();
});

Deno.test.afterAll(() => device[Symbol.dispose]());

const [ROWS, TIME] = [40, 8];

/** Batches of two documents a row, of which the second half of each is learned. */
function batches(): { next(): Batch } {
  const random = new Random(3);
  const draw = () =>
    Uint32Array.from({ length: ROWS * TIME }, () => random.integer(31));
  return {
    next: () => ({
      inputs: draw(),
      targets: draw().map((id, i) => i % 4 < 2 ? IGNORE_INDEX : id),
      starts: Uint32Array.from(draw(), (_, i) => i % TIME < 4 ? 0 : 4),
      shape: [ROWS, TIME],
    }),
  };
}

/** The losses of some steps, and what is then known of a text. */
async function losses(named: boolean) {
  const model = toy(device);
  const seen = { rows: 0, starts: 0 };
  const watched: Trainable = {
    loss(ids, targets, { rows, ...pass } = {}) {
      if (rows) seen.rows = rows.size;
      if (pass.starts) seen.starts++;
      return model.loss(ids, targets, named ? { ...pass, rows } : pass);
    },
  };
  using optimizer = new AdamW(parameters(model));
  const found: number[] = [];
  const steps = train({
    ...{ device, optimizer, batches: batches(), steps: 5 },
    model: watched,
    schedule: () => 1e-2,
  });
  for await (const { read } of steps) {
    found.push(...(await read()).map(({ loss }) => loss));
  }
  const held = batches();
  const { loss, tokens } = await evaluate({
    device,
    model: watched,
    batches: [held.next(), held.next()],
  });
  assertEquals(tokens, ROWS * TIME);
  for (const parameter of parameters(model).values()) {
    parameter[Symbol.dispose]();
  }
  assertEquals(seen, { rows: 256, starts: 7 }); // 160 filled up
  return [...found, loss];
}

Deno.test("naming the targets that count changes no loss", async () => {
  const [named, all] = [await losses(true), await losses(false)];
  assertEquals(named.length, 6);
  for (const [i, loss] of named.entries()) {
    assert(Math.abs(loss - all[i]) < 2e-6, `${loss} and ${all[i]}`);
  }
});

Deno.test("documents that begin nowhere are refused before anything is queued", async () => {
  const model = toy(device);
  using optimizer = new AdamW(parameters(model));
  const { next } = batches();
  const wrong = () => {
    const batch = next();
    batch.starts![13] = 6;
    return batch;
  };
  const steps = train({
    ...{ device, optimizer, model, batches: { next: wrong }, steps: 1 },
    schedule: () => 1e-2,
  });
  await assertRejects(
    () => Array.fromAsync(steps),
    RangeError,
    "token 5 of row 1 is of a document that begins at 6, expected 4 or 5",
  );
});
