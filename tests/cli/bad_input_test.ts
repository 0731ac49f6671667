/**
 * What cannot work is refused with one line that says why, the right exit code,
 * and no trace on the disk.
 */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { run, start, TINY, type Workplace, workplace } from "./program.ts";

let place: Workplace;

Deno.test.beforeAll(async () => {
  place = workplace();
  const [text, out] = [place.path("text.txt"), place.path("model")];
  const { code, err } = await run(
    ...["train", text, "--out", out, ...TINY, "--max-iters", "2"],
  );
  assertEquals(code, 0, err);
  const files: Record<string, string | Uint8Array> = {
    "empty.txt": "",
    "short.txt": "abc",
    "latin.txt": Uint8Array.from([0x63, 0x61, 0x66, 0xe9, 0x20, 0x61]),
    "binary.txt": Uint8Array.from([0x7f, 0x45, 0x4c, 0x46, 2, 0, 1]),
    "other.txt": place.text.slice(1),
    "tokenizer.json": '{"model": {"type": "BPE", "vocab": {',
  };
  for (const [name, content] of Object.entries(files)) {
    const bytes = typeof content === "string"
      ? new TextEncoder().encode(content)
      : content;
    Deno.writeFileSync(place.path(name), bytes);
  }
  Deno.mkdirSync(place.path("nothing"));
  const change = (name: string, to: (bytes: Uint8Array) => Uint8Array) =>
    changedModel(name, to);
  change("config.json", () => new TextEncoder().encode("{n_layer: 1}"));
  change("tokenizer.json", (bytes) => bytes.subarray(0, 200));
  change("model.safetensors", (bytes) => bytes.subarray(0, -100));
  change("optimizer.safetensors", (bytes) => bytes.with(-1, ~bytes.at(-1)!));
  change(
    "training_state.json",
    (bytes) => bytes.with(200, bytes[200] ^ 1),
  );
});

Deno.test.afterAll(() => place[Symbol.dispose]());

/** A copy of the model in which one file is another: a folder of its name. */
function changedModel(
  name: string,
  change: (bytes: Uint8Array) => Uint8Array,
): void {
  const folder = place.path(`changed-${name}`);
  Deno.mkdirSync(folder);
  for (const file of Deno.readDirSync(place.path("model"))) {
    const bytes = Deno.readFileSync(`${place.path("model")}/${file.name}`);
    const content = file.name === name ? change(bytes) : bytes;
    Deno.writeFileSync(`${folder}/${file.name}`, content);
  }
}

/** A command line, where a word that begins with @ is a path in the folder. */
interface Case {
  readonly args: string;
  /** What the one line has to say. */
  readonly says: readonly string[];
}

const TRAIN = `train --out @new ${TINY.join(" ")}`;

const WRONG_USAGE: readonly Case[] = [
  {
    args: `${TRAIN} --learning-rte 1e-3`,
    says: ["unknown flag --learning-rte, did you mean --learning-rate?"],
  },
  { args: `${TRAIN} -n 3`, says: ["unknown flag -n"] },
  {
    args: `${TRAIN} --n-layer 0`,
    says: ['--n-layer is "0", expected a whole number from 1'],
  },
  { args: `${TRAIN} --batch-size 2.5`, says: ['--batch-size is "2.5"'] },
  { args: `${TRAIN} --max-iters many`, says: ['--max-iters is "many"'] },
  {
    args: `${TRAIN} --learning-rate 1e400`,
    says: ['--learning-rate is "1e400"'],
  },
  { args: `${TRAIN} --learning-rate NaN`, says: ['--learning-rate is "NaN"'] },
  { args: `${TRAIN} --dropout 1`, says: ["--dropout is 1, expected below 1"] },
  {
    args: `${TRAIN} --dropout -0.1`,
    says: ['--dropout is "-0.1", expected a number from 0 to 1'],
  },
  {
    args: `${TRAIN} --n-embd 10 --n-head 3`,
    says: ["--n-embd 10 is not a multiple of --n-head 3"],
  },
  {
    args: `${TRAIN} --min-lr 1 --learning-rate 0.1`,
    says: ["--min-lr 1 is above --learning-rate 0.1"],
  },
  {
    args: `${TRAIN} --warmup-iters 20 --lr-decay-iters 10`,
    says: ["--warmup-iters 20", "--lr-decay-iters 10"],
  },
  { args: `${TRAIN} --preset gpt5`, says: ['--preset is "gpt5"', "gpt2-xl"] },
  { args: `${TRAIN} --seed= `, says: ['--seed is ""'] },
  { args: "train --out --data @text.txt", says: ["--out needs a DIR"] },
  { args: "train --data", says: ["--data needs a FILE|DIR|GLOB|URL"] },
  {
    args: "train --resume --overwrite --out @model",
    says: ["--resume and --overwrite exclude each other"],
  },
  {
    args: "train --init-from @model --n-layer 2 --no-bias --out @new",
    says: ["--init-from", "--n-layer, --bias"],
  },
  {
    args: `${TRAIN} --bogus 3 --vocab-size 2 --n-embd 10 --n-head 3 --min-lr 9`,
    says: [
      "unknown flag --bogus",
      '--vocab-size is "2"',
      "--n-embd 10 is not a multiple of --n-head 3",
      "--min-lr 9 is above --learning-rate",
    ],
  },
  {
    args:
      "train --resume --out @model --n-layer 3 --tokenizer byte --n-embd 99",
    says: [
      '--tokenizer is "byte", the run has "char"',
      "--n-layer is 3, the run has 1",
      "--n-embd is 99, the run has 16",
    ],
  },
  {
    args: "train --resume --out @model --data @other.txt",
    says: ["--data is [", "other.txt", "the run has [", "text.txt"],
  },
  {
    args: "train --resume --out @model --max-iters 1",
    says: ["--max-iters is 1, the run has taken 2 steps"],
  },
  {
    args: "generate --model @model --prompt=",
    says: ["--prompt needs a TEXT"],
  },
  {
    args: "generate --model @model Once upon",
    says: ['unexpected "Once"; quote a prompt of several words'],
  },
  {
    args: "generate --model @model --temperature -1",
    says: ["temperature is -1"],
  },
  { args: "generate --model @model --top-p 1.5", says: ["1.5"] },
  { args: "generate --model @model --stop=", says: ["--stop needs a TEXT"] },
  { args: "eval --model @model", says: ["--data is missing"] },
  { args: "eval --modle @model", says: ["--model?", "--data is missing"] },
];

const FAILED: readonly Case[] = [
  {
    args: `${TRAIN} --data @missing.txt`,
    says: ["Cannot read ", "missing.txt: there is no such file or folder"],
  },
  { args: `${TRAIN} --data @empty.txt`, says: ["empty.txt: it is empty"] },
  {
    args: `${TRAIN} --data @binary.txt`,
    says: ["binary.txt: byte 5 is NUL, so it is no text file"],
  },
  {
    args: `${TRAIN} --data @latin.txt`,
    says: ["latin.txt: byte 3 (0xe9) is not valid UTF-8"],
  },
  { args: `${TRAIN} --data @nothing`, says: ["nothing: ", ".txt"] },
  { args: `${TRAIN} --data @none-*.txt`, says: ["no file matches"] },
  {
    args: `${TRAIN} --data @short.txt`,
    says: ["Cannot split 3 tokens", "each side needs 17"],
  },
  {
    args: "train --data @text.txt --out @new --vocab-size 90000",
    says: ["Cannot train a vocabulary of 90000", "ask for at most"],
  },
  {
    args: "train --data @text.txt --out @new --tokenizer @nowhere",
    says: ["Cannot load a tokenizer from ", "there is no such file or folder"],
  },
  {
    args: "train --data @text.txt --out @new --tokenizer @tokenizer.json",
    says: ["Cannot ", "tokenizer.json"],
  },
  {
    args: `${TRAIN} --data @text.txt --out @text.txt`,
    says: ["Cannot make the folder ", "text.txt"],
  },
  {
    args: `${TRAIN} --data @text.txt --out @text.txt/run`,
    says: ["part of its path is a file, not a folder"],
  },
  {
    args: `${TRAIN} --data @text.txt --out @model`,
    says: ["model: it holds one; --resume continues it"],
  },
  { args: "train --resume --out @new", says: ["new holds no run"] },
  {
    args: "train --init-from @nowhere --data @text.txt --out @new",
    says: ["nowhere: there is no such file or folder"],
  },
  {
    args: "train --init-from @nothing --data @text.txt --out @new",
    says: ["Cannot load", "nothing"],
  },
  {
    args: "train --init-from @changed-config.json --data @text.txt --out @new",
    says: ["config.json"],
  },
  {
    args: "train --resume --out @changed-model.safetensors",
    says: ["model.safetensors", "it is truncated"],
  },
  {
    args: "train --resume --out @changed-optimizer.safetensors",
    says: ["optimizer.safetensors", "it was altered, its SHA-256"],
  },
  {
    args: "train --resume --out @changed-training_state.json",
    says: ["training_state.json", "altered or cut short"],
  },
  {
    args: "train --resume --out @changed-tokenizer.json",
    says: ["Cannot ", "tokenizer.json"],
  },
  {
    args: "generate --model @nowhere",
    says: ["Cannot load a model from ", "nowhere"],
  },
  {
    args: "generate --model @nothing",
    says: ["there is no config.json in it"],
  },
  { args: "generate --model @changed-config.json", says: ["config.json"] },
  {
    args: "generate --model @changed-model.safetensors",
    says: ["Cannot ", "model.safetensors"],
  },
  {
    args: "generate --model @changed-tokenizer.json",
    says: ["Cannot ", "tokenizer.json"],
  },
  {
    args: "generate --model @model --prompt Ωmega",
    says: ['Cannot encode "Ω" (U+03A9) at index 0'],
  },
  {
    args: "eval --model @model --data @missing.txt",
    says: ["missing.txt: there is no such file or folder"],
  },
  {
    args: "eval --model @nothing --data @text.txt",
    says: ["there is no config.json in it"],
  },
  {
    args: "eval --model @model --data @text.txt --stride 17",
    says: ["stride 17", "16"],
  },
];

for (const [code, cases] of [[2, WRONG_USAGE], [1, FAILED]] as const) {
  for (const { args, says } of cases) {
    Deno.test(`${code}: ${args.replace(TRAIN, "train …")}`, async () => {
      const before = place.files();
      const words = args.trim().split(" ").map((word) =>
        word.startsWith("@") ? place.path(word.slice(1)) : word
      );
      const { out, err, ...outcome } = await run(...words);
      assertEquals({ ...outcome, out }, { code, out: "" }, err);
      assertEquals(place.files(), before);
      const lines = err.trimEnd().split("\n").filter((line) =>
        !line.startsWith("adapter: ")
      );
      assertEquals(lines.length, 1, err);
      assert(lines[0].startsWith("error: Cannot "), err);
      for (const words of says) assertStringIncludes(lines[0], words);
      assert(!/undefined|\[object|\s{2}/.test(lines[0]), err);
    });
  }
}

Deno.test("two files that cannot be read are both named", async () => {
  const { code, err } = await run(
    ...["eval", "--data", place.path("empty.txt"), place.path("missing.txt")],
  );
  assertEquals(code, 1);
  assertStringIncludes(err, "empty.txt: it is empty");
  assertStringIncludes(err, "missing.txt: there is no such file or folder");
});

Deno.test("a data file that changed under a run is refused", async () => {
  const text = place.path("text.txt");
  try {
    Deno.writeTextFileSync(text, place.text.replace("a", "b"));
    const { code, err } = await run(
      "train",
      "--resume",
      "--out",
      place.path("model"),
    );
    assertEquals(code, 1, err);
    assertStringIncludes(err, "Cannot ");
    assertEquals(err.trimEnd().split("\n").length, 2, err); // The adapter's too.
  } finally {
    Deno.writeTextFileSync(text, place.text);
  }
});

Deno.test("a loss that is not a number stops the run, naming the step", async () => {
  const out = place.path("diverged");
  const { code, err } = await run(
    ...["train", place.path("text.txt"), "--out", out, ...TINY],
    ..."--max-iters 30 --learning-rate 1e30 --grad-clip 0".split(" "),
  );
  assertEquals(code, 1);
  assertStringIncludes(
    err,
    "\nerror: Cannot go on after step 2: its loss is NaN",
  );
  const names = [...Deno.readDirSync(out)].map(({ name }) => name).sort();
  assertEquals(names, [".lock", "metrics.jsonl"]);
});

Deno.test("a permission that is missing is named, with the way to grant it", async () => {
  const [text, out] = [place.path("text.txt"), place.path("new")];
  await using program = start(
    ["train", text, "--out", out, ...TINY],
    { read: [text, out] },
  );
  const { code, err } = await program.outcome();
  assertEquals(code, 1);
  const error = err.split("\n").filter((line) => !line.startsWith("adapter"));
  assertStringIncludes(error[0], "error: Cannot make the folder");
  assertStringIncludes(error[0], "--allow-write");
});
