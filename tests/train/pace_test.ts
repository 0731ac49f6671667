/**
 * How far training runs ahead of a GPU.
 */

import { assertEquals } from "@std/assert";
import type { Device } from "../../lib/gpu/device.ts";
import { Pace } from "../../lib/train/pace.ts";

/** A device whose work is done when told. */
function device(software: boolean) {
  const done: (() => void)[] = [];
  const onSubmittedWorkDone = () =>
    new Promise<void>((resolve) => done.push(resolve));
  const fake = {
    adapter: { software },
    gpu: { queue: { onSubmittedWorkDone } },
  };
  return { device: fake as unknown as Device, done };
}

const soon = () => new Promise((resolve) => setTimeout(resolve));

Deno.test("the host waits for a GPU that is sixteen steps behind, then goes on", async () => {
  const { device: gpu, done } = device(false);
  const pace = new Pace(gpu);
  let steps = 0;
  const run = (async () => {
    while (steps < 100) {
      await pace.step();
      steps++;
    }
  })();
  await soon();
  assertEquals(steps, 15);
  done.shift()!(); // eight steps are done
  await soon();
  assertEquals(steps, 23);
  while (steps < 100) {
    done.shift()?.();
    await soon();
  }
  await run;
});

Deno.test("a software driver is not waited for", async () => {
  const { device: software, done } = device(true);
  const pace = new Pace(software);
  for (let step = 0; step < 100; step++) await pace.step();
  assertEquals(done, []);
});
