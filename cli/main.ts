/**
 * The command line: finds the command, runs it, turns errors into exit codes.
 *
 * 0 done, 1 it failed, 2 wrong usage, 130 interrupted.
 *
 * ```sh
 * deno task train --max-iters 200
 * deno run --allow-read --allow-write cli/main.ts train --max-iters 200
 * ```
 *
 * @module
 */

import { isDebugging } from "./environment.ts";
import { nearest } from "./nearest.ts";
import { UsageError } from "./usage_error.ts";

/** A command takes its arguments and returns the exit code. */
type Run = (args: string[]) => Promise<number>;

interface Command {
  readonly about: string;
  readonly load: () => Promise<Run>;
}

const COMMANDS: ReadonlyMap<string, Command> = new Map([
  ["train", {
    about: "Train a GPT; with no flags, a small one on built-in stories",
    load: async () => (await import("./train.ts")).train,
  }],
  ["finetune", {
    about: "Adapt a model: to tell classes apart, or to answer instructions",
    load: async () => (await import("./finetune.ts")).finetune,
  }],
  ["generate", {
    about: "Continue a prompt with a trained model",
    load: async () => (await import("./generate.ts")).generate,
  }],
  ["chat", {
    about: "Talk to a model that has a chat template",
    load: async () => (await import("./chat.ts")).chat,
  }],
  ["tokenize", {
    about: "Train a tokenizer; encode, decode or inspect text",
    load: async () => (await import("./tokenize.ts")).tokenize,
  }],
  ["eval", {
    about: "Loss of a model on a text, or its accuracy on multiple choice",
    load: async () => (await import("./eval.ts")).evaluate,
  }],
  ["classify", {
    about: "The label of every line, and the probability of each",
    load: async () => (await import("./classify.ts")).classify,
  }],
  ["convert", {
    about: "Write a model as a folder for Hugging Face's libraries",
    load: async () => (await import("./convert.ts")).convert,
  }],
  ["doctor", {
    about: "Examine the GPU adapter and test its arithmetic",
    load: async () => (await import("./doctor.ts")).doctor,
  }],
]);

const HELP = `Trains GPT language models and runs them, on WebGPU.

Usage: deno task COMMAND [--flags]

${
  [...COMMANDS].map(([name, { about }]) => `  ${name.padEnd(10)}${about}\n`)
    .join("")
}
\`deno task COMMAND --help\` lists the flags of a command.
With DEBUG=1 in the environment an error shows where it arose.
`;

/** Runs the command that `args` names and returns the exit code. */
export async function main(args: readonly string[]): Promise<number> {
  const [name, ...rest] = withoutSeparator(args);
  try {
    if (name === "--help" || name === "-h" || name === "help") {
      console.log(HELP.trimEnd());
      return 0;
    }
    const command = COMMANDS.get(name ?? "");
    if (command === undefined) throw new UsageError(explainUnknown(name));
    const run = await command.load();
    return await run(withoutSeparator(rest));
  } catch (error) {
    // The reader of our output has gone, as in `| head`: 128 + SIGPIPE.
    if (error instanceof Deno.errors.BrokenPipe) return 141;
    report(error, args);
    return error instanceof UsageError ? 2 : 1;
  }
}

/** `deno task train -- --flag` passes the `--` on; it means nothing here. */
function withoutSeparator(args: readonly string[]): string[] {
  return args[0] === "--" ? args.slice(1) : [...args];
}

function explainUnknown(name: string | undefined): string {
  const names = [...COMMANDS.keys()];
  const list = `the commands are ${names.join(", ")}`;
  if (name === undefined) return `Cannot run without a command: ${list}`;
  const guess = nearest(name, names);
  return `Cannot run "${name}": ${
    guess === undefined ? list : `did you mean ${guess}?`
  }`;
}

function report(error: unknown, args: readonly string[]): void {
  const message = error instanceof Error ? error.message : String(error);
  console.error(`error: ${message}`);
  if (error instanceof Deno.errors.NotCapable) {
    const [flag = "--allow-all"] = message.match(/--allow-\w+/) ?? [];
    const flags = ["--allow-read", "--allow-write"].filter((f) => f !== flag);
    console.error(
      `hint: deno run ${flags.join(" ")} ${flag} cli/main.ts ${args.join(" ")}`,
    );
  }
  if (isDebugging() && error instanceof Error) console.error(error);
}

if (import.meta.main) Deno.exit(await main(Deno.args));
