/** What WebGPU objects to, thrown where the program next touches the device. */
export class GpuError extends Error {
  /** The class of error, for logs. */
  override readonly name = "GpuError";
}
