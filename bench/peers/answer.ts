/**
 * How a contestant, in a process of its own, is told what to do and answers.
 *
 * The task is a JSON file named on the command line. The contestant gets ready,
 * prints one line with what the work results in, then does as many turns as each
 * line on stdin says and prints the seconds they took, until stdin ends.
 *
 * @module
 */

/** The sizes of a GPT-2, in nanoGPT's names. */
export interface Sizes {
  readonly vocabSize: number;
  readonly blockSize: number;
  readonly nLayer: number;
  readonly nHead: number;
  readonly nEmbd: number;
}

/** Numbers shared by all contestants, one array after the other in a file. */
export interface Shared {
  /** A file of 32-bit floats. */
  readonly path: string;
  /** The name and shape of each array, in the order of the file. */
  readonly shapes: readonly (readonly [name: string, shape: number[]])[];
}

/** C = A B: the arrays are `a` [rows, depth] and `b` [depth, cols]. */
export interface MatmulTask {
  readonly kind: "matmul";
  readonly rows: number;
  readonly depth: number;
  readonly cols: number;
  readonly shared: Shared;
  /** The elements of C to answer with. */
  readonly probes: readonly number[];
}

/**
 * Steps of training on one batch: loss, gradients, AdamW without clipping. The
 * arrays are the first weights, under Hugging Face's names. The answer is the
 * loss before each of the first `checks` steps.
 */
export interface TrainTask {
  readonly kind: "train";
  readonly sizes: Sizes;
  readonly shared: Shared;
  /** [B, T], B rows of a block. */
  readonly inputs: readonly number[];
  /** [B, T]. */
  readonly targets: readonly number[];
  readonly checks: number;
  readonly learningRate: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly eps: number;
  /** Of matrices; vectors do not decay. */
  readonly weightDecay: number;
}

/**
 * Writing `tokens` tokens after a prompt, the likeliest each time, with a cache.
 * A turn reads the prompt anew but counts only the tokens after the first. The
 * answer is the tokens.
 */
export interface DecodeTask {
  readonly kind: "decode";
  readonly sizes: Sizes;
  readonly shared: Shared;
  readonly prompt: readonly number[];
  readonly tokens: number;
}

/** Anything to do. */
export type Task = MatmulTask | TrainTask | DecodeTask;

/** What a contestant says when it is ready. */
export interface Ready {
  /** What its work results in, for comparison. */
  readonly check: readonly number[];
  /** Seconds of a turn, if finding that out has taken one. */
  readonly seconds?: number;
  /** Which version it is, where nothing else says so. */
  readonly version?: string;
}

/** A task made ready. */
export interface Work extends Ready {
  /** Does it so many times, to the end, and gives the seconds that count. */
  turns(count: number): Promise<number>;
}

/** Serves one task: the main program of a contestant. */
export async function answer(
  prepare: (task: Task) => Promise<Work>,
): Promise<void> {
  const task = JSON.parse(await Deno.readTextFile(Deno.args[0])) as Task;
  const work = await prepare(task);
  const { check, seconds } = work;
  console.log(JSON.stringify({ check, seconds }));
  for await (const line of lines(Deno.stdin.readable)) {
    const seconds = await work.turns(Number(line));
    console.log(JSON.stringify({ seconds }));
  }
  Deno.exit(0);
}

/** The arrays of a task, by name. */
export function readShared({ path, shapes }: Shared) {
  const numbers = new Float32Array(Deno.readFileSync(path).buffer);
  let at = 0;
  return shapes.map(([name, shape]) => {
    const size = shape.reduce((product, length) => product * length, 1);
    const data = numbers.subarray(at, at += size);
    return { name, shape, data };
  });
}

/** Seconds that something takes. */
export async function seconds(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
}

/** The lines of a stream of bytes. */
export async function* lines(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
): AsyncGenerator<string> {
  let rest = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    const parts = (rest + text).split("\n");
    rest = parts.pop()!;
    yield* parts;
  }
  if (rest !== "") yield rest;
}
