/**
 * `deno task finetune`: adapts a model to a task.
 *
 * @module
 */

import { usageError } from "./args.ts";
import { nearest } from "./nearest.ts";

const HELP = `Adapts a model to a task.

Usage: deno task finetune TASK [--flags]

  classify   Tell classes of texts apart
  instruct   Answer instructions

\`deno task finetune TASK --help\` lists the flags of a task.`;

type Run = (args: string[]) => Promise<number>;

const TASKS: ReadonlyMap<string, () => Promise<Run>> = new Map([
  [
    "classify",
    async () => (await import("./finetune_classify.ts")).finetuneClassify,
  ],
  [
    "instruct",
    async () => (await import("./finetune_instruct.ts")).finetuneInstruct,
  ],
]);

/** Runs `finetune classify|instruct` and returns the exit code. */
export async function finetune(args: string[]): Promise<number> {
  const [name = "", ...rest] = args;
  if (name === "--help" || name === "-h") {
    console.log(HELP);
    return 0;
  }
  const load = TASKS.get(name);
  if (load === undefined) {
    const guess = nearest(name, TASKS.keys());
    throw usageError("finetune", [
      `expected ${[...TASKS.keys()].join(" or ")}` +
      (name === "" ? "" : `, got "${name}"`) +
      (guess === undefined ? "" : `; did you mean ${guess}?`),
    ]);
  }
  const run = await load();
  return await run(rest);
}
