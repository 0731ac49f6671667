/**
 * Adapters against peft and PyTorch.
 *
 * ../fixtures/peft/make_fixtures.py explains and makes the files.
 */

import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { join } from "@std/path";
import type { Device } from "../../lib/gpu/device.ts";
import { parameters } from "../../lib/nn/parameters.ts";
import { backward } from "../../lib/tensor/backward.ts";
import { noGrad } from "../../lib/tensor/tape.ts";
import { Tensor } from "../../lib/tensor/tensor.ts";
import { SafetensorsFile } from "../../lib/io/safetensors.ts";
import { loadAdapter, saveAdapter } from "../../models/adapter_folder.ts";
import type { Model } from "../../models/model_types.ts";
import { bothDevices } from "../both_devices.ts";
import { relativeDistance } from "../ops/case.ts";
import {
  ADAPTERS,
  baseOf,
  type Expected,
  expectedOf,
  folderOf,
  tensorsOf,
} from "./peft_fixtures.ts";

const devices = bothDevices();

function batchOf(device: Device, { ids, targets }: Expected) {
  const shape = [ids.length, ids[0].length];
  return {
    ids: Tensor.from(device, Uint32Array.from(ids.flat()), shape),
    targets: Tensor.from(device, Int32Array.from(targets.flat()), shape),
  };
}

async function logitsOf(model: Model, name: string): Promise<Float32Array> {
  const { device } = [...parameters(model).values()][0];
  using _scope = device.scope();
  const { ids } = batchOf(device, expectedOf(name));
  return await noGrad(() => model.forward(ids)).read() as Float32Array;
}

function furthest(a: Float32Array, b: Float32Array): number {
  return a.reduce((most, x, i) => Math.max(most, Math.abs(x - b[i])), 0);
}

for (const name of ADAPTERS) {
  for (const kind of ["best", "plain"] as const) {
    Deno.test(`${name}: logits, loss and every gradient are peft's (${kind} kernels)`, async () => {
      const device = devices[kind]!;
      const model = await baseOf(device, name);
      using adapter = await loadAdapter(model, folderOf(name));
      using file = tensorsOf(name);
      const logits = await logitsOf(model, name);
      const most = furthest(logits, file.read("logits").data);
      assert(most <= 1e-4, `the logits are off by ${most}`);

      using _scope = device.scope();
      const expected = expectedOf(name);
      const { ids, targets } = batchOf(device, expected);
      const loss = model.loss(ids, targets);
      assertAlmostEquals(await loss.item(), expected.loss, 1e-5);
      backward(loss);
      const own = adapter.parameters();
      for (const [path, { grad }] of own) {
        assert(grad, `${path} has no gradient`);
        const { data } = file.read(`gradient.${path}`);
        const distance = relativeDistance(await grad.read(), data);
        assert(
          distance <= 1e-4,
          `the gradient of ${path} is ${distance} off`,
        );
      }
      const moved = new Set(own.values());
      for (const [path, parameter] of parameters(model)) {
        if (moved.has(parameter)) continue;
        assert(parameter.frozen && !parameter.grad, `${path} has a gradient`);
      }
    });
  }

  Deno.test(`${name}: merged, the logits are the same; unmerged and taken off, the base's bits are back`, async () => {
    const device = devices.best!;
    const model = await baseOf(device, name);
    const bare = await logitsOf(model, name);
    const weights = await bitsOf(model);
    using adapter = await loadAdapter(model, folderOf(name));
    const worn = await logitsOf(model, name);
    assert(furthest(worn, bare) > 1e-2, "the adapter changes nothing");
    adapter.merge();
    const merged = await logitsOf(model, name);
    const most = furthest(merged, worn);
    assert(most <= 1e-5, `merging changes the logits by ${most}`);
    assertEquals([...parameters(model).keys()], [...weights.keys()]);
    adapter.unmerge();
    assertEquals(await logitsOf(model, name), worn);
    adapter.detach();
    assertEquals(await logitsOf(model, name), bare);
    assertEquals(await bitsOf(model), weights);
  });

  Deno.test(`${name}: saved again, every bit is peft's, and so is what is said of it`, async () => {
    const model = await baseOf(devices.best!, name);
    using adapter = await loadAdapter(model, folderOf(name));
    const folder = Deno.makeTempDirSync();
    await saveAdapter(folder, adapter, { base: "../base" });
    assertEquals(stored(folder), stored(folderOf(name)));
    const [ours, theirs] = [folder, folderOf(name)].map(described);
    assertEquals(ours, theirs);
    Deno.removeSync(folder, { recursive: true });
  });
}

/** The weights in a folder of an adapter. */
function stored(folder: string): Map<string, unknown> {
  using file = SafetensorsFile.open(join(folder, "adapter_model.safetensors"));
  return new Map(
    [...file.tensors.keys()].sort().map((name) => [name, file.read(name)]),
  );
}

/** What only peft says, and the base, which is where it is. */
const REMARKS = new Set([
  "base_model_name_or_path",
  "megatron_core",
  "peft_version",
  "qalora_group_size",
]);

/** What its config says, lists in order, but for what differs by nature. */
function described(folder: string): Record<string, unknown> {
  const path = join(folder, "adapter_config.json");
  const said = JSON.parse(Deno.readTextFileSync(path));
  const lists = ["target_modules", "exclude_modules"].filter((name) =>
    Array.isArray(said[name])
  );
  for (const name of lists) said[name].sort();
  // peft also lists the end of a name, or that alone.
  said.modules_to_save &&= [
    ...new Set(
      said.modules_to_save.map((name: string) => name.split(".").at(-1)),
    ),
  ].sort();
  const kept = Object.entries(said).filter(([, value]) =>
    (value ?? false) !== false && JSON.stringify(value) !== "{}"
  );
  return Object.fromEntries(kept.filter(([name]) => !REMARKS.has(name)));
}

/** The bits of every parameter. */
async function bitsOf(model: Model): Promise<Map<string, Uint32Array>> {
  const read = parameters(model).entries().map(async ([name, parameter]) => {
    const { buffer } = await parameter.read();
    return [name, new Uint32Array(buffer)] as const;
  });
  return new Map(await Promise.all(read));
}
