/**
 * The command line as its tests run it: in this process or in one of its own.
 *
 * @module
 */

import { fromFileUrl, join } from "@std/path";
import { main } from "../../cli/main.ts";
import { stories } from "../../lib/data/stories.ts";

/** How a command ended, and what it printed. */
export interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Sizes that train in no time. */
export const TINY: readonly string[] =
  "--tokenizer char --n-layer 1 --n-head 2 --n-embd 16 --block-size 16 --batch-size 4 --eval-iters 2"
    .split(" ");

/** A folder of its own, with a text to learn from; gone at the end of the scope. */
export interface Workplace extends Disposable {
  /** A path in the folder. */
  path(name: string): string;
  /** The text of `text.txt`. */
  readonly text: string;
  /** Every file in the folder with its size, to see what a command has changed. */
  files(): string[];
}

/** Makes a folder with a `text.txt` of a few kB. */
export function workplace(): Workplace {
  const root = Deno.makeTempDirSync();
  const text = stories({ bytes: 6000 });
  Deno.writeTextFileSync(join(root, "text.txt"), text);
  return {
    text,
    path: (name) => join(root, name),
    files: () => filesIn(root).sort(),
    [Symbol.dispose]: () => Deno.removeSync(root, { recursive: true }),
  };
}

/** The words of a command; one that begins with @ is a path in the folder. */
export function wordsIn(place: Workplace, text: string): string[] {
  return text.trim().split(/\s+/).map((word) =>
    word.startsWith("@") ? place.path(word.slice(1)) : word
  );
}

function filesIn(folder: string): string[] {
  return [...Deno.readDirSync(folder)].flatMap(({ name, isDirectory }) => {
    const path = join(folder, name);
    if (isDirectory) return [path, ...filesIn(path)];
    return [`${path} ${Deno.statSync(path).size}`];
  });
}

/** Runs a command in this process and keeps what it prints. */
export async function run(...args: readonly string[]): Promise<Outcome> {
  const printed = { out: "", err: "" };
  const decoder = new TextDecoder();
  const printTo = (stream: "out" | "err") => (...data: readonly unknown[]) => {
    printed[stream] += `${data.join(" ")}\n`;
  };
  const writeTo = (stream: "out" | "err") => (bytes: Uint8Array) => {
    printed[stream] += decoder.decode(bytes);
    return bytes.length;
  };
  using replaced = new DisposableStack();
  function replace<T, K extends keyof T>(object: T, key: K, value: T[K]): void {
    const before = object[key];
    object[key] = value;
    replaced.defer(() => object[key] = before);
  }
  replace(console, "log", printTo("out"));
  replace(console, "error", printTo("err"));
  replace(Deno.stdout, "writeSync", writeTo("out"));
  replace(Deno.stderr, "writeSync", writeTo("err"));
  const code = await main(args);
  return { code, ...printed };
}

/** What a process may touch, and what it reads. */
export interface ProcessOptions {
  readonly read?: readonly string[];
  readonly write?: readonly string[];
  readonly stdin?: string;
}

/** Milliseconds after which a process has failed, whatever it is doing. */
const PATIENCE = 60_000;

/** A command in a process of its own, which ends with its scope. */
export interface Running extends AsyncDisposable {
  /** Waits for a line of its progress that matches, and gives the match. */
  line(pattern: RegExp): Promise<RegExpMatchArray>;
  /** Sends it a signal. */
  kill(signal: Deno.Signal): void;
  /** Waits for its end. */
  outcome(): Promise<Outcome>;
}

/** Starts a command in a process that has these permissions and no others. */
export function start(
  args: readonly string[],
  { read = [], write = [], stdin }: ProcessOptions = {},
): Running {
  const allowed = [
    ...read.length > 0 ? [`--allow-read=${read}`] : [],
    ...write.length > 0 ? [`--allow-write=${write}`] : [],
  ];
  const program = fromFileUrl(new URL("../../cli/main.ts", import.meta.url));
  const flags = ["run", "--no-prompt", "--no-check", ...allowed, program];
  // The shell gives its process to deno itself, so that signals reach it.
  const child = new Deno.Command("sh", {
    args: ["-c", 'exec "$0" "$@"', Deno.execPath(), ...flags, ...args],
    // Without it a part of the GL driver complains on stderr.
    env: { XDG_RUNTIME_DIR: "/tmp" },
    stdin: stdin === undefined ? "null" : "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const fed = stdin === undefined ? undefined : feed(child.stdin, stdin);
  const out = new Response(child.stdout).text();
  let err = "";
  let grown = Promise.withResolvers<void>();
  const errEnded = (async () => {
    for await (
      const text of child.stderr.pipeThrough(new TextDecoderStream())
    ) {
      err += text;
      grown.resolve();
      grown = Promise.withResolvers();
    }
    grown.reject(new Error(`The program has ended:\n${err}`));
    grown.promise.catch(() => {});
  })();
  let ended = false;
  const patience = setTimeout(() => child.kill("SIGKILL"), PATIENCE);
  const status = child.status.finally(() => {
    clearTimeout(patience);
    ended = true;
  });

  async function line(pattern: RegExp): Promise<RegExpMatchArray> {
    for (;;) {
      const whole = err.slice(0, err.lastIndexOf("\n") + 1);
      const match = whole.match(pattern);
      if (match) return match;
      await grown.promise;
    }
  }

  async function outcome(): Promise<Outcome> {
    const { code } = await status;
    await fed;
    await errEnded;
    return { code, out: await out, err };
  }

  return {
    line,
    outcome,
    kill: (signal) => child.kill(signal),
    async [Symbol.asyncDispose]() {
      if (!ended) child.kill("SIGKILL");
      await outcome();
    },
  };
}

async function feed(
  stdin: WritableStream<Uint8Array<ArrayBuffer>>,
  text: string,
): Promise<void> {
  const writer = stdin.getWriter();
  await writer.write(new TextEncoder().encode(text));
  await writer.close();
}

/** A metrics file without what the clock decides. */
export function losses(path: string): Record<string, number>[] {
  return Deno.readTextFileSync(path).trimEnd().split("\n").map((line) => {
    const { time: _, tokens_per_second: __, ...row } = JSON.parse(line);
    return row;
  });
}
