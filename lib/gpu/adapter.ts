/**
 * What an adapter is and has.
 *
 * @module
 */

/** What is known of the hardware behind a device. */
export interface AdapterSummary {
  /** The adapter's name, as its driver gives it. */
  readonly name: string;
  /** Whether it computes on the CPU, and so slowly. */
  readonly software: boolean;
}

/** The fastest adapter, if there is one. */
export async function findAdapter(): Promise<GPUAdapter | null> {
  const powerPreference = "high-performance";
  return await navigator.gpu?.requestAdapter({ powerPreference }) ?? null;
}

/** A GPU with every limit and useful feature of an adapter; subgroups if wanted. */
export async function requestGpu(
  adapter: GPUAdapter,
  subgroups: boolean,
): Promise<GPUDevice> {
  const features = usefulFeatures(adapter.features);
  const request = (more: GPUFeatureName[]) =>
    adapter.requestDevice({
      requiredFeatures: [...features, ...more],
      requiredLimits: everyLimit(adapter.limits),
    });
  if (!subgroups) return await request([]);
  // Deno grants subgroups on request but leaves them out of the list of features,
  // so asking is the only way to find out.
  return await request(["subgroups" as GPUFeatureName])
    .catch(() => request([]));
}

/** Every limit of an adapter that kernels care for. */
function everyLimit(limits: GPUSupportedLimits): Record<string, number> {
  const wanted = [
    "maxBufferSize",
    "maxStorageBufferBindingSize",
    "maxStorageBuffersPerShaderStage",
    "maxStorageTexturesPerShaderStage",
    "maxComputeWorkgroupStorageSize",
    "maxComputeInvocationsPerWorkgroup",
    "maxComputeWorkgroupSizeX",
    "maxComputeWorkgroupSizeY",
    "maxComputeWorkgroupSizeZ",
    "minUniformBufferOffsetAlignment",
    "minStorageBufferOffsetAlignment",
    "maxTextureDimension2D",
  ] as const;
  return Object.fromEntries(wanted.map((name) => [name, limits[name]]));
}

/** Limits as plain numbers, which are read faster than those of a GPU. */
export function plainLimits(limits: GPUSupportedLimits): GPUSupportedLimits {
  const plain: Record<string, number> = {};
  for (const name in limits) plain[name] = limits[name as "maxBufferSize"];
  return plain as unknown as GPUSupportedLimits;
}

/** The features of an adapter that make a difference here. */
function usefulFeatures(
  features: GPUSupportedFeatures,
): GPUFeatureName[] {
  const wanted: GPUFeatureName[] = ["shader-f16", "timestamp-query"];
  return wanted.filter((name) => features.has(name));
}

/** The adapter's name and kind. */
export function summary(info: GPUAdapterInfo): AdapterSummary {
  const name = info.description || info.device || info.vendor || "unknown";
  const software = info.isFallbackAdapter ||
    /llvmpipe|lavapipe|swiftshader|software/i.test(name);
  return { name, software };
}

/** Lanes of a subgroup if all have the same number and may be used, else 0. */
export function subgroupSize(gpu: GPUDevice, info: GPUAdapterInfo): number {
  const { subgroupMinSize: least, subgroupMaxSize: most } = info as {
    subgroupMinSize?: number;
    subgroupMaxSize?: number;
  };
  const granted = gpu.features.has("subgroups" as GPUFeatureName);
  return granted && least !== undefined && least === most ? least : 0;
}
