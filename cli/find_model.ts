/**
 * The model that a command is to use: a folder, or one of the Hugging Face hub.
 *
 * @module
 */

import { join } from "node:path";
import { resolveModel } from "../lib/io/hub.ts";
import { hubSettings } from "../lib/io/hub_settings.ts";
import { optimizerName } from "../lib/io/training_state.ts";
import { baseFolder, readAdapter } from "../models/adapter_folder.ts";
import { isAdapterAlone } from "../models/folder.ts";
import type { TextsFlag } from "./args.ts";
import {
  bar,
  formatDuration,
  Progress,
  type ProgressOptions,
} from "./progress.ts";

/** Where settings come from and progress goes; the defaults suit a command. */
export interface FindOptions extends ProgressOptions {
  /** The value of an environment variable. */
  readonly variable?: (name: string) => string | undefined;
}

/**
 * The folder of the model that `--model` names. One of the hub is downloaded
 * first, with a bar on stderr, unless the cache has it; a folder is looked at
 * and nothing else, so that it needs no permission but to read it.
 */
export async function findModel(
  reference: string,
  options: FindOptions = {},
): Promise<string> {
  const { variable = (name) => Deno.env.get(name), now = performanceNow } =
    options;
  using progress = new Progress(options);
  let start: { readonly time: number; readonly received: number } | undefined;
  return await resolveModel(reference, () => ({
    ...hubSettings(variable),
    onNotice: (text) => progress.line(text),
    onProgress: ({ file, received, total }) => {
      start ??= { time: now(), received };
      const seconds = (now() - start.time) / 1000;
      const speed = (received - start.received) / seconds;
      progress.update(
        { step: received, total, etaSeconds: (total - received) / speed },
        (state, columns, color) => downloadLine(file, state, columns, color),
      );
    },
  }));
}

/** The flag that puts adapters on a model. */
export const ADAPTER_FLAG = {
  kind: "texts",
  value: "DIR|ORG/NAME[@REVISION]",
  help:
    "An adapter as peft makes them, to put on the model (without --model: on the one it names)",
} as const satisfies TextsFlag;

/** A model, and what is put on it. */
export interface FoundModel {
  /** The folder of the model. */
  readonly folder: string;
  /** The folders of the adapters, in the order they were named. */
  readonly adapters: readonly string[];
}

/** What a command was told of a model and adapters. */
export interface Named {
  /** What `--model` says; undefined where it was not given. */
  readonly model: string | undefined;
  /** What is taken without it, if no adapter names a model. */
  readonly otherwise: string;
  /** What every `--adapter` says. */
  readonly adapters: readonly string[];
}

/**
 * The folders of a model and of adapters, downloaded where they are of the hub.
 * `--model` may name an adapter too: then the model is the one it was made for,
 * as it is without `--model`.
 */
export async function findAdapted(
  { model, otherwise, adapters }: Named,
  options: FindOptions = {},
): Promise<FoundModel> {
  const first = model ?? (adapters.length > 0 ? undefined : otherwise);
  const folders: string[] = [];
  for (
    const reference of first === undefined ? adapters : [first, ...adapters]
  ) {
    folders.push(await findModel(reference, options));
  }
  const [folder, ...rest] = folders;
  if (!isAdapterAlone(folder) && first !== undefined) {
    return { folder, adapters: rest };
  }
  const { base, revision } = readAdapter(folder);
  if (base === null) {
    throw new Error(`Cannot load ${folder}: it names no base; --model does`);
  }
  const at = revision === null ? base : `${base}@${revision}`;
  const found = baseFolder(folder, base) ?? await findModel(at, options);
  return { folder: found, adapters: folders };
}

const SMALL = 1 << 24; // bytes of weights

/**
 * Whether a folder's model is so small that writing with it takes a software
 * driver longer the more threads it wakes.
 */
export async function isSmall(folder: string): Promise<boolean> {
  let bytes = 0;
  try {
    for await (const { name } of Deno.readDir(folder)) {
      if (!name.endsWith(".safetensors") || name === optimizerName) continue;
      bytes += (await Deno.stat(join(folder, name))).size;
    }
  } catch {
    return false; // whoever loads it will say what is wrong
  }
  return bytes <= SMALL;
}

/**
 * One line of at most `columns` characters: the bar takes what the words leave,
 * and where that is too little, the least important words go first.
 */
function downloadLine(
  file: string,
  { step, total, etaSeconds = NaN }: {
    readonly step: number;
    readonly total: number;
    readonly etaSeconds?: number;
  },
  columns: number,
  color: boolean,
): string {
  const share = total > 0 ? step / total : 1;
  const words = [
    `${megabytes(step)} of ${megabytes(total)} MB`,
    file,
    `ETA ${formatDuration(etaSeconds)}`,
  ];
  const width = () => words.join("  ").length;
  while (words.length > 1 && width() > columns) words.pop();
  const room = Math.min(40, columns - width() - 2);
  const [head, ...tail] = words;
  return room < 8
    ? words.join("  ").slice(0, Math.max(0, columns))
    : [head, bar(share, room, color), ...tail].join("  ");
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(1);
}

function performanceNow(): number {
  return performance.now();
}
