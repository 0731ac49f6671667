import { assertAlmostEquals, assertEquals } from "@std/assert";
import { constantSchedule, cosineSchedule } from "../../lib/optim/schedule.ts";

/** What nanoGPT's config asks for, and its schedule as a formula. */
const peak = 6e-4, least = 6e-5, warmup = 2000, decay = 600_000;

function nanoGPT(step: number): number {
  if (step < warmup) return peak * (step + 1) / (warmup + 1);
  if (step > decay) return least;
  const ratio = (step - warmup) / (decay - warmup);
  return least + (peak - least) * (1 + Math.cos(Math.PI * ratio)) / 2;
}

const nanoSchedule = cosineSchedule({
  learningRate: peak,
  minLr: least,
  warmupIters: warmup,
  lrDecayIters: decay,
});

Deno.test("the cosine is nanoGPT's, from the first step to beyond the last", () => {
  const steps = [0, 1, 999, 1999, 2000, 2001, 301_000, 599_999, 600_000];
  for (const step of [...steps, 600_001, 1e9]) {
    assertAlmostEquals(nanoSchedule(step), nanoGPT(step), 1e-18, `${step}`);
  }
});

Deno.test("the cosine at its landmarks", () => {
  assertEquals(nanoSchedule(0), peak / 2001);
  assertEquals(nanoSchedule(1999), peak * 2000 / 2001);
  assertEquals(nanoSchedule(2000), peak);
  assertAlmostEquals(nanoSchedule(301_000), (peak + least) / 2, 1e-18);
  assertEquals(nanoSchedule(600_000), least);
  assertEquals(nanoSchedule(700_000), least);
});

Deno.test("unless said otherwise there is no warm-up, and a tenth is left", () => {
  const schedule = cosineSchedule({ learningRate: 1, lrDecayIters: 10 });
  assertEquals(schedule(0), 1);
  assertAlmostEquals(schedule(5), 0.55, 1e-12);
  assertEquals(schedule(10), 0.1);
});

Deno.test("a warm-up as long as the decay, or longer, is all there is", () => {
  for (const lrDecayIters of [10, 5]) {
    const schedule = cosineSchedule({
      learningRate: 1,
      warmupIters: 10,
      lrDecayIters,
    });
    assertEquals(schedule(9), 10 / 11);
    assertEquals(schedule(10), 0.1);
  }
});

Deno.test("a constant schedule rises to its rate and stays there", () => {
  const schedule = constantSchedule(0.5, 4);
  assertEquals([0, 1, 3, 4, 1e9].map(schedule), [0.1, 0.2, 0.4, 0.5, 0.5]);
  assertEquals(constantSchedule(0.5)(0), 0.5);
});
