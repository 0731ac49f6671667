/**
 * The GPU's clock: how long one of its ticks is.
 */

import { assertAlmostEquals, assertEquals } from "@std/assert";
import { Clock } from "../../lib/gpu/clock.ts";

const MILLISECOND = 1e6; // nanoseconds

/**
 * As much of a GPU as a clock asks for. It counts ticks of `tick` nanoseconds, and
 * comes to the first pass, then the next, so many milliseconds late.
 */
function fakeGpu(tick: number, late: number[]): GPUDevice {
  let ends = 0n;
  let lag = 0;
  const begins = performance.now();
  const nothing = { beginComputePass: () => ({ end() {} }) };
  const fake = {
    createQuerySet: () => ({ destroy() {} }),
    createCommandEncoder: () => ({
      ...nothing,
      resolveQuerySet() {},
      copyBufferToBuffer() {},
      finish() {},
    }),
    createBuffer: () => ({
      destroy() {},
      mapAsync: () => new Promise((resolve) => setTimeout(resolve, lag + 1)),
      getMappedRange: () => BigUint64Array.of(ends, ends).buffer,
    }),
    queue: {
      submit() {
        lag = late.shift() ?? 0;
        const elapsed = performance.now() + lag - begins;
        ends = BigInt(Math.round(elapsed * MILLISECOND / tick));
      },
    },
  };
  return fake as unknown as GPUDevice;
}

Deno.test("ticks that are no nanoseconds are noticed", async () => {
  for (const tick of [10, 52.08, 83.3]) {
    const measured = (await Clock.of(fakeGpu(tick, []))).tick;
    assertAlmostEquals(measured / tick, 1, 0.2);
  }
});

Deno.test("a GPU that comes late to look at its clock does not stretch nanoseconds", async () => {
  for (const late of [[0, 0], [300, 0], [0, 300], [80, 20]]) {
    assertEquals((await Clock.of(fakeGpu(1, late))).tick, 1, `${late}`);
  }
});
