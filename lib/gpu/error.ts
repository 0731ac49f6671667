/** What WebGPU objects to, thrown where the program next touches the device. */
export class GpuError extends Error {
  /** The class of error, for logs. */
  override readonly name = "GpuError";
}

/** What makes training need less memory, for errors that say it is short. */
export const MEMORY_ADVICE =
  "a smaller --batch-size, a shorter --block-size or --recompute block needs less";

/** A size as people read it: `768 B`, `1.5 KiB`, `154.4 MiB`. */
export function formatBytes(bytes: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let unit = 0;
  while (bytes >= 1024 && unit < units.length - 1) {
    bytes /= 1024;
    unit++;
  }
  return `${unit === 0 ? bytes : bytes.toFixed(1)} ${units[unit]}`;
}
