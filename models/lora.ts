/**
 * LoRA on a model: adapters that are trained, switched and merged.
 *
 * @module
 */

import { Conv1D, type Init } from "../lib/nn/layers.ts";
import { LoRA } from "../lib/nn/lora.ts";
import { copyInto } from "../lib/tensor/accumulate.ts";
import { Parameter } from "../lib/tensor/parameter.ts";
import {
  type LoRAConfig,
  loraConfig,
  optionsOf,
  tiedEmbedding,
} from "./lora_config.ts";
import {
  ALL_LINEAR,
  type Anatomy,
  anatomyOf,
  type LinearLayer,
  type Place,
  savedModules,
  savedNames,
  spelledOut,
  targetsOf,
} from "./lora_targets.ts";

/** A parameter that an adapter has of its own in place of the model's. */
interface Replaced extends Place {
  /** The adapter's. */
  readonly own: Parameter;
}

/** A layer as an adapter changes it. */
interface Changed {
  readonly layer: LinearLayer;
  readonly lora: LoRA;
}

const attached = new WeakMap<object, ModelAdapter>();

/** The adapter that a model has on, or null. */
export function adapterOf(model: object): ModelAdapter | null {
  return attached.get(model) ?? null;
}

/**
 * Makes an adapter for a model and puts it on: from then on only the adapter's
 * parameters are trained, and `parameters(model)` has them. The model gives what
 * it gave before, bit for bit, until they move.
 *
 * ```ts
 * import {
 *   AdamW,
 *   addLoRA,
 *   Device,
 *   GPT2,
 *   parameters,
 *   Random,
 *   saveAdapter,
 * } from "@shaderloom/shaderloom";
 *
 * using device = await Device.open();
 * const init = { device, random: new Random(1337) };
 * const sizes = { vocabSize: 50, blockSize: 16, nLayer: 2, nHead: 2, nEmbd: 16 };
 * const model = new GPT2(init, sizes);
 * using adapter = addLoRA(model, init, { rank: 4, targetModules: ["c_attn"] });
 * using optimizer = new AdamW(parameters(model)); // moves the adapter alone
 *
 * const folder = await Deno.makeTempDir();
 * await saveAdapter(folder, adapter, { base: "gpt2" }); // for peft, too
 * adapter.merge(); // the change is in the weights now
 * ```
 *
 * Throws a `RangeError` that says what of the config fits nothing of the model.
 */
export function addLoRA(
  model: object,
  init: Init,
  config: LoRAConfig = {},
): ModelAdapter {
  const adapter = new ModelAdapter(model, init, config);
  adapter.attach();
  return adapter;
}

/**
 * What a model has learned on top of what it was: changes of linear layers, and
 * parameters of its own in place of some of the model's. Of several on a model,
 * one at most is on.
 */
export class ModelAdapter implements Disposable {
  /** The model it is for. */
  readonly model: object;
  /** What it changes, and how. */
  readonly config: Required<LoRAConfig>;
  /** The changes, by the published names of the layers. */
  readonly layers: ReadonlyMap<string, LoRA>;
  /** The parameters of its own, by the published names of the model's. */
  readonly saved: ReadonlyMap<string, Parameter>;
  /** Whether the embedding, which is also the head, is among those. */
  readonly savesTied: boolean;
  readonly #anatomy: Anatomy;
  readonly #changed: readonly Changed[];
  readonly #replaced: readonly Replaced[];
  #frozen: ReadonlyMap<Parameter, boolean> = new Map();
  #merged: readonly Replaced[] | null = null;

  /** See {@linkcode addLoRA}; this one does not put it on. */
  constructor(model: object, init: Init, config: LoRAConfig = {}) {
    this.model = model;
    this.config = loraConfig(model, config);
    using _bare = bare(model);
    this.#anatomy = anatomyOf(model);
    const { layers, places } = this.#anatomy;
    const names = targetsOf([...layers.keys()], this.config);
    refuseHead(names);
    const saved = savedNames([...places.keys()], names, this.config);
    this.savesTied = saved.includes(`${tiedEmbedding(model)}.weight`);
    this.#changed = names.map((name) => {
      const layer = layers.get(name)!;
      return {
        layer,
        lora: new LoRA(init, layer, optionsOf(this.config, name)),
      };
    });
    this.#replaced = saved.map((name) => {
      const place = places.get(name)!;
      return { ...place, own: copyOf(place.parameter) };
    });
    this.layers = new Map(
      names.map((name, i) => [name, this.#changed[i].lora]),
    );
    this.saved = new Map(saved.map((name, i) => [name, this.#replaced[i].own]));
  }

  /** Whether it is on its model, or merged into it. */
  get attached(): boolean {
    return adapterOf(this.model) === this;
  }

  /** Whether it is merged into its model's weights. */
  get merged(): boolean {
    return this.#merged !== null;
  }

  /** What its config says that it changes, "all-linear" spelled out. */
  get targets(): string | readonly string[] {
    const { targetModules } = this.config;
    return `${targetModules}`.toLowerCase() === ALL_LINEAR
      ? spelledOut(
        [...this.#anatomy.layers.keys()],
        [...this.layers.keys()],
        this.config,
      )
      : targetModules;
  }

  /** The modules it trains whole, by their names. */
  get modules(): readonly string[] {
    const names = [...this.#anatomy.places.keys()];
    return savedModules(names, this.config.modulesToSave);
  }

  /** Whether the layers it changes are stored inputs first, as GPT-2's are. */
  get fanInFanOut(): boolean {
    return this.#changed.some(({ layer }) => layer instanceof Conv1D);
  }

  /** Its parameters, by the names they have in PEFT's files. */
  parameters(): Map<string, Parameter> {
    const named = new Map<string, Parameter>();
    for (const [name, lora] of this.layers) {
      const path = `base_model.model.${name}`;
      named.set(`${path}.lora_A.weight`, lora.lora_A.weight);
      named.set(`${path}.lora_B.weight`, lora.lora_B.weight);
      const magnitude = lora.lora_magnitude_vector;
      if (magnitude) named.set(`${path}.lora_magnitude_vector`, magnitude);
    }
    for (const [name, parameter] of this.saved) {
      const layer = name.slice(0, name.lastIndexOf("."));
      const inside = this.layers.has(layer) ? "base_layer." : "";
      const field = name.slice(layer.length + 1);
      named.set(`base_model.model.${layer}.${inside}${field}`, parameter);
    }
    return named;
  }

  /** Puts it on its model, in place of the one that is, and freezes the rest. */
  attach(): void {
    const current = adapterOf(this.model);
    if (current === this) return;
    current?.detach();
    const parameters = [...this.#anatomy.places.values()]
      .map(({ parameter }) => parameter);
    this.#frozen = new Map(
      parameters.map((parameter) => [parameter, parameter.frozen]),
    );
    for (const parameter of parameters) parameter.frozen = true;
    for (const { layer, lora } of this.#changed) layer.adapter = lora;
    for (const place of this.#replaced) put(place, place.own);
    attached.set(this.model, this);
  }

  /** Takes it off: the model is what it was, bit for bit. */
  detach(): void {
    if (!this.attached) return;
    if (this.merged) this.unmerge();
    for (const { layer } of this.#changed) layer.adapter = null;
    for (const place of this.#replaced) put(place, place.parameter);
    for (const [parameter, was] of this.#frozen) parameter.frozen = was;
    attached.delete(this.model);
  }

  /**
   * Puts weights in place of the model's that hold the change: the model gives
   * the same, but for rounding, and costs what it cost without. The model's own
   * are kept for {@linkcode ModelAdapter.unmerge}, unless told otherwise.
   */
  merge({ keepBase = true }: { readonly keepBase?: boolean } = {}): void {
    if (this.merged) return;
    this.attach();
    this.#merged = this.#changed.map(({ layer, lora }) => {
      const { weight: parameter } = layer;
      const place = { owner: layer, key: "weight", parameter };
      const own = lora.merged(layer);
      own.frozen = true;
      layer.adapter = null;
      put(place, own);
      if (!keepBase) parameter[Symbol.dispose]();
      return { ...place, own };
    });
  }

  /**
   * Puts the model's own weights back, bit for bit. Throws an `Error` if they were
   * not kept.
   */
  unmerge(): void {
    const merged = this.#merged ?? [];
    if (merged.some(({ parameter }) => parameter.released)) {
      throw new Error("Cannot unmerge: the base's weights were not kept");
    }
    for (const place of merged) {
      put(place, place.parameter);
      place.own[Symbol.dispose]();
    }
    this.#merged = null;
    if (merged.length > 0) {
      for (const { layer, lora } of this.#changed) layer.adapter = lora;
    }
  }

  /**
   * Takes it off its model and gives its memory back. Merged for good, its weights
   * stay where they are: they are the model's now.
   */
  [Symbol.dispose](): void {
    const stays = this.#merged?.some(({ parameter }) => parameter.released);
    if (stays) attached.delete(this.model);
    else this.detach();
    for (const { lora } of this.#changed) lora[Symbol.dispose]();
    for (const { own, parameter } of this.#replaced) {
      (stays ? parameter : own)[Symbol.dispose]();
    }
  }
}

/** The loss of a language model reads its head's weights, not its output. */
function refuseHead(names: readonly string[]): void {
  const head = names.find((name) => /(^|\.)lm_head$/.test(name));
  if (head === undefined) return;
  throw new RangeError(
    `Cannot adapt ${head}, which scores every token: train it whole, among the modules to save, or leave it as it is`,
  );
}

/** Takes off what a model has on, until the end of the block. */
function bare(model: object): Disposable {
  const current = adapterOf(model);
  if (current?.merged) {
    throw new Error("Cannot add an adapter to a model that has another merged");
  }
  current?.detach();
  return { [Symbol.dispose]: () => current?.attach() };
}

function copyOf(parameter: Parameter): Parameter {
  const { device, shape } = parameter;
  const copy = new Parameter(device, null, shape);
  copyInto(parameter, copy);
  copy.changed();
  return copy;
}

function put({ owner, key }: Place, parameter: Parameter): void {
  Reflect.set(owner, key, parameter);
}
