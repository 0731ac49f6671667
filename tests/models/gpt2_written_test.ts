import { assertEquals } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { generate } from "../../lib/generate/generate.ts";
import { openWeights } from "../../lib/io/weights.ts";
import { Random } from "../../lib/random.ts";
import { readConfig } from "../../models/folder.ts";
import { newModel } from "../../models/model_types.ts";
import { loadWeights } from "../../models/weights.ts";
import { bothDevices } from "../both_devices.ts";

// ../fixtures/gpt2/make_written.py explains and makes the files.
const folder = fromFileUrl(
  new URL("../fixtures/gpt2/written", import.meta.url),
);
const { prompt, written }: { prompt: number[]; written: number[] } = JSON.parse(
  Deno.readTextFileSync(join(folder, "tokens.json")),
);
const devices = bothDevices();

for (const kind of ["best", "plain"] as const) {
  Deno.test(`GPT-2: 200 tokens, each the likeliest, are PyTorch's (${kind} kernels)`, async () => {
    const device = devices[kind]!;
    const model = newModel({ device, random: null }, readConfig(folder));
    using weights = openWeights(folder);
    await loadWeights(model, weights, folder);
    const ids = await Array.fromAsync(generate({
      device,
      model,
      prompt: Uint32Array.from(prompt),
      maxNewTokens: written.length,
      temperature: 0,
      random: new Random(0),
    }));
    assertEquals(ids.length, 200);
    assertEquals(ids, written);
  });
}
