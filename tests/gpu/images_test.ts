/**
 * Images: copies of memory that kernels read as textures.
 */

import { assert, assertEquals } from "@std/assert";
import { Device } from "../../lib/gpu/device.ts";
import { IMAGE_WIDTH, TEXEL_BYTES } from "../../lib/gpu/image.ts";
import { Tensor } from "../../lib/tensor/tensor.ts";

function isPowerOfTwo(number: number): boolean {
  return Number.isInteger(Math.log2(number));
}

Deno.test("no size of an image is a power of two, but for the long row's width", async () => {
  using device = await Device.open();
  const { images } = device;
  // Rows of 60 texels, with 4 to spare, would come to 64; 1, 2 and 64 rows are
  // powers of two as they are.
  for (const [rows, cols] of [[1, 64], [2, 256], [64, 240], [7, 128]]) {
    using x = Tensor.ones(device, [rows, cols]);
    const line = images.lineOf(x, 4 * cols);
    for (const lines of line > 0 ? [[line], []] : [[]]) {
      const [{ size: { width, height } }] = images.copies([x], { lines });
      const long = lines.length === 0;
      assertEquals(width === IMAGE_WIDTH, long);
      assert(long || width >= line && !isPowerOfTwo(width), `${width} wide`);
      assert(height >= (long ? 1 : rows) && !isPowerOfTwo(height));
    }
  }
});

Deno.test("a matrix of as many rows as a texture has lines is copied whole", async () => {
  using device = await Device.open();
  const { images, gpu: { limits: { maxTextureDimension2D: most } } } = device;
  for (const rows of [most - 4, most - 3, most]) {
    using x = Tensor.ones(device, [rows, 64]);
    const line = images.lineOf(x, 256);
    assertEquals(line, rows === most - 4 ? 16 : 0);
    const [{ size }] = images.copies([x], { lines: [line] });
    assert(size.height <= most);
    assert(size.height * (line || IMAGE_WIDTH) * TEXEL_BYTES >= x.bytes);
  }
});
