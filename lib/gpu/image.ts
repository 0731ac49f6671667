/**
 * Memory that kernels read as a texture.
 *
 * Software adapters read texels several times as fast as buffers.
 *
 * @module
 */

/** Texels in a row of every image. */
export const IMAGE_WIDTH = 1024;

/** Bytes of a texel: four 32-bit floats. */
export const TEXEL_BYTES = 16;

/**
 * A texture that holds what lay in a buffer, four elements a texel: element
 * `4 t` and the three after it lie at `(t % 1024, t / 1024)`.
 */
export class Image implements Disposable {
  /** A number no other image or buffer of the device has. */
  readonly id: number;
  /** The texture. */
  readonly texture: GPUTexture;
  /** What kernels bind. */
  readonly view: GPUTextureView;
  /** Bytes it can hold. */
  readonly bytes: number;

  /** Makes room for `bytes` bytes; see `Images`. */
  constructor(gpu: GPUDevice, bytes: number, id: number) {
    const height = Math.max(1, Math.ceil(bytes / TEXEL_BYTES / IMAGE_WIDTH));
    this.id = id;
    this.bytes = height * IMAGE_WIDTH * TEXEL_BYTES;
    this.texture = gpu.createTexture({
      size: [IMAGE_WIDTH, height],
      format: "rgba32float",
      usage: GPUTextureUsage.STORAGE_BINDING | GPUTextureUsage.COPY_DST,
    });
    this.view = this.texture.createView();
  }

  /** Gives the memory back. Queued work that uses it must be submitted before. */
  [Symbol.dispose](): void {
    this.texture.destroy();
  }
}
