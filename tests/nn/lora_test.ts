/**
 * LoRA and DoRA on one layer, against loops in double precision.
 *
 * tests/models/peft_test.ts compares whole models with peft, which draws dropout
 * from another source.
 */

import { assert, assertEquals, assertThrows } from "@std/assert";
import type { Device } from "../../lib/gpu/device.ts";
import { Conv1D } from "../../lib/nn/layers.ts";
import { Linear } from "../../lib/nn/linear.ts";
import { LoRA } from "../../lib/nn/lora.ts";
import { dropout } from "../../lib/ops/mod.ts";
import { Random } from "../../lib/random.ts";
import { noGrad } from "../../lib/tensor/tape.ts";
import { Tensor } from "../../lib/tensor/tensor.ts";
import { bothDevices } from "../both_devices.ts";
import { relativeDistance } from "../ops/case.ts";

const devices = bothDevices();
const [ROWS, INPUTS, OUTPUTS, RANK] = [7, 13, 11, 3];

const kinds = {
  linear: (device: Device, bias: boolean) =>
    new Linear({ device, random: new Random(1) }, {
      ...{ inputs: INPUTS, outputs: OUTPUTS, std: 0.5, bias },
    }),
  conv1d: (device: Device, bias: boolean) =>
    new Conv1D({ device, random: new Random(1) }, {
      ...{ inputs: INPUTS, outputs: OUTPUTS, std: 0.5, bias },
    }),
};

/** `x W^T + b` with the change, as the papers have it; `x` and what is left of it. */
async function expected(
  layer: Linear | Conv1D,
  lora: LoRA,
  x: Float32Array,
  read: Float32Array,
): Promise<number[]> {
  const w = await layer.weight.read();
  const b = await layer.bias?.read();
  const a = await lora.lora_A.weight.read();
  const up = await lora.lora_B.weight.read();
  const m = await lora.lora_magnitude_vector?.read();
  const isConv = layer instanceof Conv1D;
  const weight = (o: number, i: number) =>
    w[isConv ? i * OUTPUTS + o : o * INPUTS + i];
  const change = (o: number, i: number) => {
    let sum = 0;
    for (let r = 0; r < RANK; r++) sum += up[o * RANK + r] * a[r * INPUTS + i];
    return lora.scale * sum;
  };
  const y: number[] = [];
  for (let row = 0; row < ROWS; row++) {
    for (let o = 0; o < OUTPUTS; o++) {
      let [own, ownOfRead, changed, length] = [0, 0, 0, 0];
      for (let i = 0; i < INPUTS; i++) {
        own += x[row * INPUTS + i] * weight(o, i);
        ownOfRead += read[row * INPUTS + i] * weight(o, i);
        changed += read[row * INPUTS + i] * change(o, i);
        length += (weight(o, i) + change(o, i)) ** 2;
      }
      const g = m ? m[o] / Math.sqrt(length) : 1;
      y.push(own + (b?.[o] ?? 0) + (g - 1) * ownOfRead + g * changed);
    }
  }
  return y;
}

for (const [kind, layerOn] of Object.entries(kinds)) {
  for (const dora of [false, true]) {
    for (const rate of [0, 0.4]) {
      for (const bias of [false, true]) {
        Deno.test(`${dora ? "DoRA" : "LoRA"} on a ${kind} with ${bias ? "a" : "no"} bias, dropping ${rate}, gives what the formula says`, async () => {
          const device = devices.best!;
          using _scope = device.scope();
          const layer = layerOn(device, bias);
          const random = new Random(2);
          layer.bias?.write(random.normal(OUTPUTS));
          const options = { rank: RANK, alpha: 5, dropout: rate, dora };
          using lora = new LoRA({ device, random }, layer, options);
          lora.lora_B.weight.write(random.normal(OUTPUTS * RANK));
          lora.lora_magnitude_vector?.write(random.normal(OUTPUTS));
          const x = Tensor.randn(device, [ROWS, INPUTS], random);
          const seed = random.state;
          const y = await lora.forward(x, layer, random).read();
          const same = new Random(0);
          same.state = seed;
          const read = await dropout(x, rate, same).read();
          const wanted = await expected(
            layer,
            lora,
            await x.read() as Float32Array,
            read as Float32Array,
          );
          const distance = relativeDistance(y, wanted);
          assert(distance < 1e-6, `${distance} off`);

          if (rate > 0) return;
          const merged = lora.merged(layer);
          const other = layerOn(device, bias);
          other.weight.write(await merged.read());
          if (layer.bias) other.bias!.write(await layer.bias.read());
          const after = await noGrad(() => other.forward(x)).read();
          assert(relativeDistance(after, wanted) < 1e-6);
        });
      }
    }
  }
}

Deno.test("ranks, alphas and dropouts that make no sense are refused with the number", () => {
  const device = devices.best!;
  const layer = kinds.linear(device, false);
  const adapt = (options: object) => () =>
    new LoRA({ device, random: new Random(1) }, layer, options);
  assertThrows(adapt({ rank: 0 }), RangeError, "rank 0: expected a whole");
  assertThrows(adapt({ rank: 1.5 }), RangeError, "rank 1.5");
  assertThrows(adapt({ alpha: NaN }), RangeError, "alpha NaN");
  assertThrows(adapt({ dropout: 1 }), RangeError, "rate 1");
});

Deno.test("A is drawn as PyTorch draws a linear layer, and the scales are the papers'", async () => {
  const device = devices.best!;
  const layer = kinds.conv1d(device, false);
  const init = { device, random: new Random(1) };
  using lora = new LoRA(init, layer, { rank: 400, alpha: 12 });
  const bound = 1 / Math.sqrt(INPUTS);
  const a = [...await lora.lora_A.weight.read()];
  assert(a.every((value) => Math.abs(value) <= bound));
  const square = a.reduce((sum, value) => sum + value ** 2, 0) / a.length;
  assert(Math.abs(square / (bound ** 2 / 3) - 1) < 0.05, `${square}`);
  assertEquals(lora.scale, 12 / 400);
  using stable = new LoRA(init, layer, {
    ...{ rank: 4, alpha: 12, rankStabilized: true },
  });
  assertEquals(stable.scale, 6);
});
