/**
 * How far the host may run ahead of the GPU.
 *
 * @module
 */

import type { Device } from "../gpu/device.ts";

/**
 * Steps between two waits. A wait takes 10 ms and more, so it is rare, and for
 * work of long before, so that the GPU has some left meanwhile.
 */
const STRIDE = 8;

/**
 * Keeps the host at most sixteen steps ahead of a GPU. Nothing else would: a queue
 * takes what it is given, memory for it included, and who stops a run waits for
 * all of it. A software driver needs none of this, as its submissions wait.
 */
export class Pace {
  readonly #device: Device;
  #steps = 0;
  #before: Promise<unknown> = Promise.resolve();

  /** Of steps on a device. */
  constructor(device: Device) {
    this.#device = device;
  }

  /** Counts a step that was submitted; waits, once in a while, for earlier ones. */
  async step(): Promise<void> {
    if (this.#device.adapter.software || ++this.#steps % STRIDE > 0) return;
    const before = this.#before;
    const done = this.#device.gpu.queue.onSubmittedWorkDone();
    this.#before = done.catch(() => {}); // what went wrong is thrown elsewhere
    await before;
  }
}
