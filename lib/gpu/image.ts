/**
 * Memory that kernels read as a texture.
 *
 * Software adapters read texels several times as fast as buffers.
 *
 * @module
 */

/** Texels in a line of an image that is read as one long row. */
export const IMAGE_WIDTH = 1024;

/** Bytes of a texel: four 32-bit floats. */
export const TEXEL_BYTES = 16;

/** Texels along both axes of an image. */
export interface ImageSize {
  /** In a line. */
  readonly width: number;
  /** Lines. */
  readonly height: number;
}

/**
 * A texture that holds what lay in a buffer, 16 bytes a texel: a line of texels
 * for every row of a matrix, or lines of 1024, one after another.
 */
export class Image implements Disposable {
  /** A number no other image or buffer of the device has. */
  readonly id: number;
  /** The texture. */
  readonly texture: GPUTexture;
  /** What kernels bind. */
  readonly view: GPUTextureView;
  /** What it can hold. */
  readonly size: ImageSize;

  /** Makes an image; see `Images`. */
  constructor(gpu: GPUDevice, size: ImageSize, id: number) {
    this.id = id;
    this.size = size;
    this.texture = gpu.createTexture({
      size: [size.width, size.height],
      format: "rgba32float",
      usage: GPUTextureUsage.STORAGE_BINDING | GPUTextureUsage.COPY_DST,
    });
    this.view = this.texture.createView();
  }

  /** Bytes of all texels. */
  get bytes(): number {
    return this.size.width * this.size.height * TEXEL_BYTES;
  }

  /** Gives the memory back. Queued work that uses it must be submitted before. */
  [Symbol.dispose](): void {
    this.texture.destroy();
  }
}
