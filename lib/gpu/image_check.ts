/**
 * Whether images give what they hold. Some builds of Mesa, told to compute 512
 * bits at a time, load zeros for half of the lanes.
 *
 * @module
 */

import { TEXEL_BYTES } from "./image.ts";
import source from "../../kernels/image_check.wgsl" with { type: "text" };

const TEXELS = 32; // more than any subgroup of a software driver has lanes

/** Loads an image's texels and compares them with what was written. */
export async function loadsImages(gpu: GPUDevice): Promise<boolean> {
  const bytes = TEXEL_BYTES * TEXELS;
  const written = Float32Array.from({ length: bytes / 4 }, (_, i) => i + 1);
  const { STORAGE, COPY_SRC, COPY_DST, MAP_READ } = GPUBufferUsage;
  const x = gpu.createTexture({
    size: [TEXELS, 1],
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
