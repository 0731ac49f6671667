/**
 * Training in half precision, from the command line.
 */

import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { requireHalf } from "../../cli/self_test.ts";
import { Device } from "../../lib/gpu/device.ts";
import { readMetrics } from "../../lib/report/metrics.ts";
import { losses, run, TINY, workplace } from "./program.ts";

let offered = false;

Deno.test.beforeAll(async () => {
  using device = await Device.open();
  offered = device.features.has("shader-f16");
});

/** A device with f16, whose shaders are rewritten before they are compiled. */
async function opened(rewrite: (code: string) => string): Promise<Device> {
  const adapter = (await navigator.gpu.requestAdapter())!;
  const gpu = await adapter.requestDevice({
    requiredFeatures: ["shader-f16"],
  });
  const make = gpu.createShaderModule.bind(gpu);
  gpu.createShaderModule = (shader) =>
    make({ ...shader, code: rewrite(shader.code) });
  return new Device(gpu, adapter.info);
}

Deno.test("a device that computes halves rightly is taken", async () => {
  if (!offered) return;
  using device = await opened((code) => code);
  await requireHalf(device);
});

for (
  const [what, right, wrong, says] of [
    ["adds", "f32(a + b)", "f32(a - b)", " + "],
    ["stores", "y[i] = Half(", "y[i] = Half(0.5 * ", "as a half"],
  ] as const
) {
  Deno.test(`a device that ${what} halves wrongly is refused in one line`, async () => {
    if (!offered) return;
    using device = await opened((code) => code.replace(right, wrong));
    const { message } = await assertRejects(() => requireHalf(device), Error);
    assertStringIncludes(message, `Cannot compute in f16 on`);
    assertStringIncludes(message, says);
    assertStringIncludes(message, "expected");
    assert(!message.includes("\n"));
  });
}

Deno.test("a device without f16 is refused in one line", async () => {
  const adapter = (await navigator.gpu.requestAdapter())!;
  using device = new Device(await adapter.requestDevice(), adapter.info);
  const { message } = await assertRejects(() => requireHalf(device), Error);
  assertEquals(
    message,
    `Cannot compute in f16 on ${device.adapter.name}: it has no 16-bit floats; --dtype f32 works everywhere`,
  );
});

Deno.test("half a run in f16 and the other half are a run, loss scale included", async () => {
  if (!offered) return;
  using place = workplace();
  const begin = (name: string, steps: number) =>
    run(
      "train",
      ...["--data", place.path("text.txt"), "--out", place.path(name)],
      ...TINY,
      ...["--dtype", "f16", "--log-interval", "1", "--eval-interval", "8"],
      ...["--max-iters", `${steps}`, "--warmup-iters", "2"],
      ...["--lr-decay-iters", "16"],
    );
  assertEquals((await begin("whole", 16)).code, 0);
  assertEquals((await begin("halves", 8)).code, 0);
  const resume = (...more: string[]) =>
    run("train", "--out", place.path("halves"), "--resume", ...more);
  const refused = await resume("--dtype", "f32");
  assertEquals(refused.code, 2);
  assertStringIncludes(refused.err, '--dtype is "f32", the run has "f16"');
  assertEquals((await resume("--max-iters", "16")).code, 0);

  const read = (name: string, file: string) =>
    Deno.readFileSync(`${place.path(name)}/${file}`);
  for (const file of ["model.safetensors", "optimizer.safetensors"]) {
    assertEquals(read("halves", file), read("whole", file), file);
  }
  const [one, two] = ["whole", "halves"].map((name) =>
    `${place.path(name)}/metrics.jsonl`
  );
  assertEquals(losses(two), losses(one));
  const states = ["whole", "halves"].map((name) =>
    JSON.parse(new TextDecoder().decode(read(name, "training_state.json")))
      .state.lossScale
  );
  assertEquals(states[1], states[0]);
  const { scale, goodSteps, skipped } = states[0];
  assertEquals(scale, 65536 / 2 ** skipped);
  assert(goodSteps + skipped <= 16);
  const rows = readMetrics(one).filter((row) => "loss" in row);
  assertEquals(rows.length, 16);
  assert(rows.every((row) => row.loss_scale! >= scale));
  assertEquals(
    rows.reduce((sum, row) => sum + row.skipped_steps!, 0),
    skipped,
  );
});

Deno.test("a model trained in f32 writes in f16", async () => {
  if (!offered) return;
  using place = workplace();
  const folder = place.path("model");
  const trained = await run(
    "train",
    ...["--data", place.path("text.txt"), "--out", folder, ...TINY],
    ...["--max-iters", "4", "--warmup-iters", "1"],
  );
  assertEquals(trained.code, 0, trained.err);
  const write = (dtype: string) =>
    run(
      ...["generate", "--model", folder, "--prompt", "a", "--dtype", dtype],
      ...["--max-new-tokens", "8", "--temperature", "0", "--json"],
    );
  const [half, wrong] = [await write("f16"), await write("f64")];
  assertEquals(half.code, 0, half.err);
  assertEquals(JSON.parse(half.out).tokens, 8);
  assertEquals(wrong.code, 2);
  assertStringIncludes(wrong.err, '--dtype is "f64", expected f32, f16');
});
