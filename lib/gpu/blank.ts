/**
 * A GPU that does nothing, for finding out what work would ask of a real one.
 *
 * @module
 */

/**
 * A device with these limits and features whose buffers hold nothing, whose
 * shaders are never compiled and whose commands go nowhere. What is read from it
 * is zero.
 */
export function blankGpu(
  limits: GPUSupportedLimits,
  features: GPUSupportedFeatures,
): GPUDevice {
  const nothing = () => {};
  const object = () => ({});
  const pass = {
    setPipeline: nothing,
    setBindGroup: nothing,
    dispatchWorkgroups: nothing,
    end: nothing,
  };
  const encoder = {
    beginComputePass: () => pass,
    clearBuffer: nothing,
    copyBufferToBuffer: nothing,
    copyBufferToTexture: nothing,
    copyTextureToBuffer: nothing,
    resolveQuerySet: nothing,
    finish: object,
  };
  const gpu = {
    limits,
    features,
    lost: new Promise<never>(nothing),
    queue: {
      submit: nothing,
      writeBuffer: nothing,
      writeTexture: nothing,
      onSubmittedWorkDone: () => Promise.resolve(),
    },
    addEventListener: nothing,
    destroy: nothing,
    pushErrorScope: nothing,
    popErrorScope: () => Promise.resolve(null),
    createBuffer: ({ size, usage }: GPUBufferDescriptor) => ({
      size,
      usage,
      destroy: nothing,
      mapAsync: () => Promise.resolve(),
      getMappedRange: (_: number, bytes: number) => new ArrayBuffer(bytes),
      unmap: nothing,
    }),
    createTexture: () => ({ createView: object, destroy: nothing }),
    createQuerySet: () => ({ destroy: nothing }),
    createBindGroup: object,
    createBindGroupLayout: object,
    createPipelineLayout: object,
    createShaderModule: object,
    createComputePipeline: object,
    createCommandEncoder: () => encoder,
  };
  return gpu as unknown as GPUDevice;
}
