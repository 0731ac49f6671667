/**
 * The host's part in a step: how long it records, how many kernels.
 *
 * @module
 */

import type { Counters, Device } from "../lib/gpu/device.ts";

const WARM_UP = 3; // steps in which kernels are compiled

/** Adds up what the host does between the beginning and the end of steps. */
export class HostPace {
  readonly #device: Device;
  #since: Counters;
  #seen = 0;
  #dispatches = 0;
  #recording = 0; // milliseconds

  /** Watches a device. */
  constructor(device: Device) {
    this.#device = device;
    this.#since = device.counters;
  }

  /** Says that a step begins. */
  begin(): void {
    this.#since = this.#device.counters;
  }

  /** Says that it is queued. */
  end(): void {
    if (++this.#seen <= WARM_UP) return;
    const { dispatches, recording } = this.#device.counters;
    this.#dispatches += dispatches - this.#since.dispatches;
    this.#recording += recording - this.#since.recording;
  }

  /** What was seen, in a line; null if there were no steps but the first ones. */
  describe(): string | null {
    const steps = this.#seen - WARM_UP;
    if (steps <= 0 || this.#dispatches === 0) return null;
    const each = 1000 * this.#recording / this.#dispatches;
    return `host: ${each.toFixed(1)} us to record a dispatch, ${
      Math.round(this.#dispatches / steps)
    } dispatches a step`;
  }
}
