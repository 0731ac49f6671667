/**
 * The way every user goes: train, generate, eval, with no more permissions than
 * the files they name.
 */

import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertMatch,
  assertNotEquals,
  assertStringIncludes,
} from "@std/assert";
import { SafetensorsFile } from "../../lib/io/safetensors.ts";
import { type EvaluationRow, readMetrics } from "../../lib/report/metrics.ts";
import { run, start, TINY, type Workplace, workplace } from "./program.ts";

let place: Workplace;

const FILES = [
  ".lock",
  "config.json",
  "generation_config.json",
  "loss.png",
  "loss.svg",
  "metrics.jsonl",
  "model.safetensors",
  "optimizer.safetensors",
  "report.html",
  "tokenizer.json",
  "tokenizer_config.json",
  "training_state.json",
];

Deno.test.beforeAll(async () => {
  place = workplace();
  const [text, out] = [place.path("text.txt"), place.path("out")];
  const args = `--max-iters 60 --learning-rate 1e-2 --eval-interval 30`;
  await using program = start(
    ["train", text, "--out", out, ...TINY, ...args.split(" ")],
    { read: [text, out], write: [out] },
  );
  const outcome = await program.outcome();
  assertEquals(outcome.code, 0, outcome.err);
  assertEquals(outcome.out, "");
  assertStringIncludes(outcome.err, "step 60: train loss");
  assertStringIncludes(outcome.err, "sample after step 60");
  assertStringIncludes(outcome.err, `generate --model ${out}`);
});

Deno.test.afterAll(() => place[Symbol.dispose]());

/** Generates with the trained model, in this process. */
async function generated(...args: string[]): Promise<string> {
  const model = ["--model", place.path("out"), "--max-new-tokens", "40"];
  const { code, out, err } = await run("generate", ...model, ...args);
  assertEquals(code, 0, err);
  return out;
}

Deno.test("train leaves a Hugging Face folder, the state of the run, and a report", () => {
  const out = place.path("out");
  const names = [...Deno.readDirSync(out)].map(({ name }) => name).sort();
  assertEquals(names, FILES);
  const json = (name: string) =>
    JSON.parse(Deno.readTextFileSync(`${out}/${name}`));
  assertEquals(json("config.json").model_type, "gpt2");
  assertEquals(json("config.json").n_positions, 16);
  assertEquals(json("training_state.json").step, 60);
  using file = SafetensorsFile.open(`${out}/model.safetensors`);
  const vocabSize = new Set(place.text).size;
  const wte = file.tensors.get("transformer.wte.weight");
  assertEquals(wte?.shape, [vocabSize, 16]);
  assertEquals(json("config.json").vocab_size, vocabSize);
  const png = Deno.readFileSync(`${out}/loss.png`);
  assertEquals([...png.subarray(1, 4)], [..."PNG"].map((c) => c.charCodeAt(0)));
  assertMatch(
    Deno.readTextFileSync(`${out}/loss.svg`),
    /^<svg [^]*<\/svg>\s*$/,
  );
  const report = Deno.readTextFileSync(`${out}/report.html`);
  assertStringIncludes(report, "<svg");
  assert(!/(src|href)="https?:/.test(report), "the report is self-contained");
});

Deno.test("metrics.jsonl has the documented rows, and the loss falls", () => {
  const rows = readMetrics(`${place.path("out")}/metrics.jsonl`);
  const training = rows.filter((row) => "loss" in row);
  const evaluations = rows.filter((row) =>
    "val_loss" in row
  ) as EvaluationRow[];
  assertEquals(training.map(({ step }) => step), [10, 20, 30, 40, 50, 60]);
  assertEquals(evaluations.map(({ step }) => step), [0, 30, 60]);
  for (const row of training) {
    assertEquals(Object.keys(row), [
      "step",
      "loss",
      "learning_rate",
      "grad_norm",
      "tokens_per_second",
      "time",
    ]);
  }
  for (const row of evaluations) {
    assertEquals(
      Object.keys(row),
      ["step", "train_loss", "val_loss", "perplexity", "time"],
    );
    assertAlmostEquals(row.perplexity, Math.exp(row.val_loss), 1e-9);
  }
  const [before, , after] = evaluations;
  assertAlmostEquals(before.val_loss, Math.log(new Set(place.text).size), 0.1);
  assert(after.val_loss < 0.8 * before.val_loss, `${after.val_loss}`);
  const times = rows.map(({ time }) => time!);
  assertEquals(times, times.toSorted((a, b) => a - b));
});

Deno.test("--json prints the rows of metrics.jsonl on stdout, and nothing else", async () => {
  const out = place.path("json");
  const { code, out: printed } = await run(
    "train",
    place.path("text.txt"),
    "--json",
    ...TINY,
    ...`--out ${out} --max-iters 2 --log-interval 1`.split(" "),
  );
  assertEquals(code, 0);
  assertEquals(printed, Deno.readTextFileSync(`${out}/metrics.jsonl`));
  assertEquals(printed.trimEnd().split("\n").length, 4);
});

Deno.test("a process that may only read the model continues a prompt from stdin", async () => {
  const model = place.path("out");
  const args = "generate --prompt - --max-new-tokens 40 --model".split(" ");
  const prompt = "One day,\n";
  await using program = start([...args, model], {
    read: [model],
    stdin: prompt,
  });
  const { code, out, err } = await program.outcome();
  assertEquals(code, 0, err);
  assert(out.startsWith(prompt));
  assertEquals(out, await generated("--prompt", prompt));
  assertEquals(out.length, prompt.length + 40 + 1);
});

Deno.test("the seed decides the text, and temperature 0 leaves nothing to it", async () => {
  const one = await generated("--seed", "1");
  assertEquals(await generated("--seed", "1"), one);
  assertNotEquals(await generated("--seed", "2"), one);
  const greedy = await generated("--temperature", "0", "--seed", "1");
  assertEquals(await generated("--temperature", "0", "--seed", "2"), greedy);
  assertEquals(await generated("--top-k", "1"), greedy);
});

Deno.test("several samples differ, and the first is that of the same seed", async () => {
  const three = await generated("--num-samples", "3", "--prompt", "The");
  const texts = three.split("\n\n---\n");
  assertEquals(texts.length, 3);
  assertEquals(new Set(texts).size, 3);
  assert(texts.every((text) => text.startsWith("The")));
  const json = await generated(
    ...["--num-samples", "3", "--prompt", "The", "--json"],
  );
  const objects = json.trimEnd().split("\n").map((line) => JSON.parse(line));
  assertEquals(
    objects.map(({ prompt, text }) => prompt + text).join("\n\n---\n") + "\n",
    three,
  );
  assertEquals(objects.map(({ tokens }) => tokens), [40, 40, 40]);
});

Deno.test("a stop string ends the text before it", async () => {
  const whole = (await generated("--prompt", "The")).trimEnd();
  const stop = whole.slice(12, 14);
  const stopped = await generated(
    ...["--prompt", "The", "--stop", "\u2603", "--stop", stop],
  );
  assertEquals(stopped, whole.slice(0, whole.indexOf(stop, 3)) + "\n");
});

Deno.test("of a prompt longer than the block it is said what the model reads", async () => {
  const model = ["--model", place.path("out"), "--max-new-tokens", "5"];
  const long = place.text.slice(0, 17);
  const { code, out, err } = await run(
    ...["generate", ...model, "--prompt", long],
  );
  assertEquals(code, 0);
  assert(out.startsWith(long));
  assertStringIncludes(
    err,
    "the prompt has 17 tokens; the model reads the last 8",
  );
  const fitting = await run(
    ...["generate", ...model, "--prompt", long.slice(0, 16)],
  );
  assert(!fitting.err.includes("note:"), fitting.err);
});

Deno.test("eval's loss, perplexity and bits per byte agree with each other", async () => {
  const held = place.text.slice(-100) + place.text.slice(0, 100);
  const data = place.path("held.txt");
  Deno.writeTextFileSync(data, held);
  const model = place.path("out");
  await using program = start(
    ["eval", "--model", model, "--data", data, "--json"],
    { read: [model, data] },
  );
  const { code, out, err } = await program.outcome();
  assertEquals(code, 0, err);
  const found = JSON.parse(out);
  assertEquals(found.bytes, held.length);
  assertEquals(found.tokens, held.length - 1);
  assertAlmostEquals(found.perplexity, Math.exp(found.loss), 1e-9);
  const bits = found.loss * found.tokens / Math.LN2;
  assertAlmostEquals(found.bits_per_byte, bits / found.bytes, 1e-9);
  assert(found.loss > 1 && found.loss < Math.log(new Set(place.text).size));

  const lines = (await run("eval", "--model", model, data)).out;
  assertStringIncludes(lines, `loss           ${found.loss.toFixed(4)} nats`);
  assertStringIncludes(lines, `perplexity     ${found.perplexity.toFixed(3)}`);
  assertStringIncludes(
    lines,
    `bits per byte  ${found.bits_per_byte.toFixed(4)}`,
  );
  const twice = await run(
    ...["eval", "--model", model, data, "--batch-size", "1", "--json"],
  );
  assertAlmostEquals(JSON.parse(twice.out).loss, found.loss, 1e-6);
});
