/**
 * A number that is none, wherever it arises, ends the run where it arose.
 */

import { assertEquals, assertRejects } from "@std/assert";
import { Device } from "../../lib/gpu/device.ts";
import { parameters } from "../../lib/nn/parameters.ts";
import { AdamW } from "../../lib/optim/adamw.ts";
import { constantSchedule } from "../../lib/optim/schedule.ts";
import { Random } from "../../lib/random.ts";
import { type HostArray, readAll, Tensor } from "../../lib/tensor/tensor.ts";
import {
  NotFiniteError,
  train,
  type Trainable,
} from "../../lib/train/train.ts";
import type { GPT2 } from "../../models/gpt2.ts";
import { crops, toy } from "./toy.ts";

let device: Device;

Deno.test.beforeAll(async () => {
  device = await Device.open();
});

Deno.test.afterAll(() => device[Symbol.dispose]());

/** Everything that training moves. */
function state(model: GPT2, optimizer: AdamW): Promise<HostArray[]> {
  const moments = [...optimizer.moments.values()].flatMap(({ m, v }) => [m, v]);
  return readAll([...parameters(model).values(), ...moments]);
}

/** Passes losses through, and can be told to spoil a gradient. */
class Spoiled implements Trainable {
  readonly model: GPT2;
  spoil: (() => void) | null = null;

  constructor(model: GPT2) {
    this.model = model;
  }

  loss(ids: Tensor, targets: Tensor, pass?: { random?: Random }): Tensor {
    this.spoil?.();
    this.spoil = null;
    return this.model.loss(ids, targets, pass);
  }
}

for (const value of [NaN, Infinity, -Infinity]) {
  for (const where of ["weight", "gradient"] as const) {
    Deno.test(`${value} in any ${where} is found in its step, and nothing moves from there`, async () => {
      const random = new Random(4);
      const names = [...parameters(toy(device)).keys()];
      for (const name of names) {
        const model = toy(device);
        const spoiled = new Spoiled(model);
        const parameter = parameters(model).get(name)!;
        using optimizer = new AdamW(parameters(model));
        const loop = train({
          device,
          model: spoiled,
          optimizer,
          batches: crops(4),
          schedule: constantSchedule(1e-2),
          steps: 6,
        });
        const at = random.integer(parameter.size);
        let before: HostArray[] = [];
        const spoil = async () => {
          if (where === "weight") {
            const weights = Float32Array.from(await parameter.read());
            parameter.write(weights.with(at, value));
          } else {
            const gradient = new Float32Array(parameter.size).with(at, value);
            spoiled.spoil = () => {
              const { shape } = parameter;
              parameter.grad = Tensor.from(device, gradient, shape).keep();
            };
          }
          before = await state(model, optimizer);
        };
        const error = await assertRejects(async () => {
          for await (const step of loop) {
            if (step.step === 3) {
              assertEquals((await step.read()).length, 3);
              await spoil();
            }
            // Two steps are queued after the wrong one before it is found.
            if (step.step === 6) await step.read();
          }
        }, NotFiniteError);
        assertEquals(error.step, 4, name);
        assertEquals(await state(model, optimizer), before, name);
      }
    });
  }
}
