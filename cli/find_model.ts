/**
 * The model that a command is to use: a folder, or one of the Hugging Face hub.
 *
 * @module
 */

import { resolveModel } from "../lib/io/hub.ts";
import { hubSettings } from "../lib/io/hub_settings.ts";
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
