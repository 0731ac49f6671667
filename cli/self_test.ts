/**
 * Tests the arithmetic of an adapter: what the kernels rely on, on small inputs,
 * against the CPU.
 *
 * @module
 */

import type { Device } from "../lib/gpu/device.ts";
import {
  classes,
  copies,
  dots,
  functions,
  hashes,
  product,
  totals,
  trips,
} from "./self_test_basics.ts";
import { halfWeights, halves, lanes } from "./self_test_features.ts";
import type { Verdict } from "./verdict.ts";

/** What a test found. */
export interface Finding {
  /** What was tested. */
  readonly name: string;
  /** Whether the result was right. */
  readonly passed: boolean;
  /** What was wrong, or is worth knowing. */
  readonly detail?: string;
}

/** Puts a device through its paces; an error of the device is a finding too. */
export async function* selfTest(device: Device): AsyncGenerator<Finding> {
  const tests: Record<string, (device: Device) => Promise<Verdict>> = {
    "storage of u32, i32 and f32": copies,
    "exp, log, tanh and square roots": functions,
    "NaN and infinity told by their bits": classes,
    "overflow of whole numbers": hashes,
    "sums of products": dots,
    "reductions across barriers": totals,
    ...device.subgroupSize > 0 && { "subgroup operations": lanes },
    "matrix product": product,
    "long loops": trips,
  };
  for (const [name, run] of Object.entries(tests)) {
    yield await finding(name, () => run(device));
  }
}

/** Tests half precision on a device that was granted `shader-f16`. */
export async function selfTestHalf(device: Device): Promise<Finding> {
  return await finding(
    "half precision",
    async () => await halves(device) ?? await halfWeights(device),
  );
}

/** Throws one line unless a device computes in half precision, and rightly. */
export async function requireHalf(device: Device): Promise<void> {
  const { name } = device.adapter;
  const { passed, detail } = device.features.has("shader-f16")
    ? await selfTestHalf(device)
    : { passed: false, detail: "it has no 16-bit floats" };
  if (passed) return;
  throw new Error(
    `Cannot compute in f16 on ${name}: ${detail}; --dtype f32 works everywhere`,
  );
}

async function finding(
  name: string,
  run: () => Promise<Verdict>,
): Promise<Finding> {
  let verdict: Verdict;
  try {
    verdict = await run();
  } catch (error) {
    const [line] = (error as Error).message.split("\n");
    verdict = { wrong: line };
  }
  if (verdict === null) return { name, passed: true };
  return "wrong" in verdict
    ? { name, passed: false, detail: verdict.wrong }
    : { name, passed: true, detail: verdict.note };
}
