/**
 * What pipelines bind, in groups that are made once.
 *
 * @module
 */

/** A compute pipeline and what it binds. */
export interface Pipeline {
  /** A number no other pipeline has. */
  readonly id: number;
  /** `kernel.entry`, for messages. */
  readonly label: string;
  /** The compiled pipeline. */
  readonly gpu: GPUComputePipeline;
  /** The layout of its one bind group. */
  readonly layout: GPUBindGroupLayout;
  /** The `@binding` of its uniform struct and its size, if it has one. */
  readonly uniform: { readonly binding: number; readonly size: number } | null;
}

/** A stretch of a buffer, or a texture, that a dispatch binds. */
export interface Bound {
  /** The `@binding`. */
  readonly binding: number;
  /** A number no other buffer or texture has. */
  readonly id: number;
  /** Bytes from the start of the buffer. */
  readonly offset: number;
  /** Bytes bound. */
  readonly bytes: number;
  /** What is bound. */
  readonly resource: GPUBuffer | GPUTextureView;
  /** Whether the dispatch may write to it. */
  readonly writable: boolean;
  /** Texels in a line of a texture. */
  readonly width?: number;
}

/** A bind group, and what it is for. */
interface Group {
  readonly pipeline: Pipeline;
  readonly storage: readonly Bound[];
  readonly gpu: GPUBindGroup;
}

const MOST = 1 << 14;

/** The bind groups of a device, by what they bind. */
export class BindGroups {
  readonly #gpu: GPUDevice;
  readonly #uniforms: GPUBuffer;
  /** By a number made of all that they depend on, which few of them share. */
  readonly #groups = new Map<number, Group[]>();

  /** How many there are. */
  size = 0;
  /** The most bytes bound at once. */
  largest = 0;

  /** Makes groups that bind, besides storage, a part of `uniforms`. */
  constructor(gpu: GPUDevice, uniforms: GPUBuffer) {
    this.#gpu = gpu;
    this.#uniforms = uniforms;
  }

  /** The group that binds this storage to a pipeline. */
  get(pipeline: Pipeline, storage: readonly Bound[]): GPUBindGroup {
    let hash = pipeline.id;
    for (const { id, offset, bytes } of storage) {
      hash = Math.imul(hash, 31) + id;
      hash = Math.imul(hash, 31) + offset;
      hash = Math.imul(hash, 31) + bytes;
    }
    const cached = this.#groups.get(hash)?.find((group) =>
      group.pipeline === pipeline && sameBound(group.storage, storage)
    );
    if (cached !== undefined) return cached.gpu;

    const group = { pipeline, storage, gpu: this.#make(pipeline, storage) };
    if (this.size >= MOST) this.forget();
    const alike = this.#groups.get(hash);
    if (alike === undefined) this.#groups.set(hash, [group]);
    else alike.push(group);
    this.size++;
    return group.gpu;
  }

  /** Forgets all, because buffers they name are to be destroyed. */
  forget(): void {
    this.#groups.clear();
    this.size = 0;
  }

  #make(
    { label, layout, uniform }: Pipeline,
    storage: readonly Bound[],
  ): GPUBindGroup {
    for (const { bytes } of storage) {
      this.largest = Math.max(this.largest, bytes);
    }
    const entries: GPUBindGroupEntry[] = storage.map((
      { binding, resource, offset, bytes },
    ) => ({
      binding,
      resource: resource instanceof GPUBuffer
        ? { buffer: resource, offset, size: bytes }
        : resource,
    }));
    if (uniform !== null) {
      const { binding, size } = uniform;
      entries.push({ binding, resource: { buffer: this.#uniforms, size } });
    }
    return this.#gpu.createBindGroup({ label, layout, entries });
  }
}

function sameBound(some: readonly Bound[], others: readonly Bound[]): boolean {
  return some.every(({ id, offset, bytes }, i) =>
    id === others[i].id && offset === others[i].offset &&
    bytes === others[i].bytes
  );
}
