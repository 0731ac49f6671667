/**
 * Whether images give what they hold. Mesa 24.0 to 26.0 keeps code that loads them
 * in its shader cache without saying for how many lanes: made for 256 bits and used
 * with 512, it loads zeros for half of the lanes.
 *
 * @module
 */

import { summary } from "./adapter.ts";
import { GpuError } from "./error.ts";
import { TEXEL_BYTES } from "./image.ts";
import { gainsFromWidth, MESA_WIDTH, widthOf } from "./mesa.ts";
import source from "../../kernels/image_check.wgsl" with { type: "text" };

const TEXELS = 32; // more than any subgroup of a software driver has lanes
/** No powers of two, for which Mesa has code of its own; see `ImageMaker`. */
const SIZE = [TEXELS + 4, 3];

/** Closes a GPU that loads images wrongly, and throws. */
export async function expectImages(
  gpu: GPUDevice,
  info: GPUAdapterInfo,
): Promise<void> {
  const adapter = summary(info);
  if (widthOf(adapter) !== 512 || gainsFromWidth()) return;
  if (await loadsImages(gpu)) return;
  gpu.destroy();
  throw new GpuError(
    `Cannot compute on ${adapter.name}: with ${MESA_WIDTH}=512 it loads zeros from textures, by code that Mesa's shader cache has for 256 bits; leave ${MESA_WIDTH} unset`,
  );
}

/** Loads an image's texels and compares them with what was written. */
export async function loadsImages(gpu: GPUDevice): Promise<boolean> {
  const bytes = TEXEL_BYTES * TEXELS;
  const written = Float32Array.from({ length: bytes / 4 }, (_, i) => i + 1);
  const { STORAGE, COPY_SRC, COPY_DST, MAP_READ } = GPUBufferUsage;
  const x = gpu.createTexture({
    size: SIZE,
    format: "rgba32float",
    usage: GPUTextureUsage.STORAGE_BINDING | GPUTextureUsage.COPY_DST,
  });
  const y = gpu.createBuffer({ size: bytes, usage: STORAGE | COPY_SRC });
  const read = gpu.createBuffer({ size: bytes, usage: MAP_READ | COPY_DST });
  try {
    gpu.queue.writeTexture({ texture: x }, written, {}, [TEXELS, 1]);
    const pipeline = gpu.createComputePipeline({
      layout: "auto",
      compute: { module: gpu.createShaderModule({ code: source }) },
    });
    const bindGroup = gpu.createBindGroup({
      layout: pipeline.getBindGroupLayout(0),
      entries: [
        { binding: 0, resource: x.createView() },
        { binding: 1, resource: { buffer: y } },
      ],
    });
    const encoder = gpu.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, bindGroup);
    pass.dispatchWorkgroups(1);
    pass.end();
    encoder.copyBufferToBuffer(y, 0, read, 0, bytes);
    gpu.queue.submit([encoder.finish()]);
    await read.mapAsync(GPUMapMode.READ);
    const loaded = new Float32Array(read.getMappedRange());
    return loaded.every((value, i) => value === written[i]);
  } finally {
    for (const made of [x, y, read]) made.destroy();
  }
}
