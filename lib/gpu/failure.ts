/**
 * What went wrong on the GPU, which WebGPU tells late and to nobody in particular.
 *
 * @module
 */

import { GpuError } from "./error.ts";

const PATIENCE = 1000; // milliseconds

/** The first thing that went wrong and has not been thrown yet. */
export class Failure {
  #error: GpuError | null = null;
  #alarm: ReturnType<typeof setTimeout> | null = null;

  /**
   * Notes what went wrong. It is thrown by the next check, or into the program
   * if none comes within a second.
   */
  report(message: string): void {
    // Later errors follow from the first, which alone says what is wrong.
    if (this.#error !== null) return;
    this.#error = new GpuError(message);
    this.#alarm = setTimeout(() => this.check(), PATIENCE);
  }

  /** Throws what went wrong, once. */
  check(): void {
    if (this.#error === null) return;
    const error = this.#error;
    if (this.#alarm !== null) clearTimeout(this.#alarm);
    this.#alarm = null;
    this.#error = null;
    throw error;
  }
}
