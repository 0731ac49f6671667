/**
 * Loads the model folder it is given and prints what that took: the other half
 * of {@link "./load.ts"}.
 *
 * @module
 */

import { Device } from "../lib/gpu/device.ts";
import { loadModel } from "../models/folder.ts";

/** What loading took. */
export interface Loading {
  /** Seconds until every weight was on the device. */
  readonly seconds: number;
  /** Bytes of memory with the device open and nothing loaded. */
  readonly before: number;
  /** The most bytes of memory there were. */
  readonly peak: number;
}

const SAMPLING = 10; // milliseconds

if (import.meta.main) {
  using device = await Device.open();
  const before = Deno.memoryUsage().rss;
  let highest = before;
  const sample = () => highest = Math.max(highest, Deno.memoryUsage().rss);
  const timer = setInterval(sample, SAMPLING);
  const began = performance.now();
  await loadModel(device, Deno.args[0]);
  await device.idle();
  const seconds = (performance.now() - began) / 1000;
  clearInterval(timer);
  sample();
  const loading: Loading = { seconds, before, peak: counted() ?? highest };
  console.log(JSON.stringify(loading));
}

/** The peak as Linux has counted it; elsewhere samples have to do. */
function counted(): number | undefined {
  if (Deno.build.os !== "linux") return undefined;
  const status = Deno.readTextFileSync("/proc/self/status");
  const [, kilobytes] = status.match(/^VmHWM:\s+(\d+) kB$/m) ?? [];
  return kilobytes === undefined ? undefined : 1024 * Number(kilobytes);
}
