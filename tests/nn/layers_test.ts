import { assert, assertEquals } from "@std/assert";
import { Device } from "../../lib/gpu/device.ts";
import { Embedding } from "../../lib/nn/layers.ts";
import { through } from "../../lib/nn/through.ts";
import { mul } from "../../lib/ops/mod.ts";
import { Random } from "../../lib/random.ts";
import { noGrad } from "../../lib/tensor/tape.ts";
import { Tensor } from "../../lib/tensor/tensor.ts";

Deno.test("weights of more than a stretch are one stream of normal numbers", async () => {
  using device = await Device.open();
  const [rows, channels, std] = [3001, 701, 0.02]; // two million and a bit
  const random = new Random(4);
  const { weight } = new Embedding({ device, random }, rows, channels, std);
  const drawn = new Random(4);
  assertEquals(await weight.read(), drawn.normal(rows * channels, std));
  assertEquals(random.state, drawn.state);
  weight[Symbol.dispose]();
});

Deno.test("a block keeps what it made only where a gradient passes back", async () => {
  using device = await Device.open();
  const block = new Embedding({ device, random: new Random(1) }, 4, 4);
  const { weight } = block;
  const made = (x: Tensor) => {
    let inner: Tensor | undefined;
    using _scope = device.scope();
    through(block, x, (x) => {
      inner = mul(x, 2);
      return mul(inner, weight);
    });
    return !inner!.released;
  };
  using _scope = device.scope();
  const x = Tensor.full(device, [4, 4], 1);
  assert(made(x), "its weight learns");
  assert(!noGrad(() => made(x)), "nothing is recorded");
  weight.frozen = true;
  assert(!made(x), "nothing learns");
  weight.frozen = false;
  const learned = mul(weight, 1);
  weight.frozen = true;
  assert(made(learned), "its input does");
  weight[Symbol.dispose]();
});
