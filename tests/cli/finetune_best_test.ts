/**
 * What is kept of fine-tuning: the best model, when to stop looking for a better
 * one, and nothing of the run that was there before.
 */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { openWeights } from "../../lib/io/weights.ts";
import { finetunePlace, json, metrics, succeed } from "./finetune_place.ts";
import type { Workplace } from "./program.ts";

let place: Workplace;

Deno.test.beforeAll(async () => {
  place = await finetunePlace();
  const lines = Deno.readTextFileSync(place.path("texts.csv")).split("\n");
  const [header, ...rows] = lines.filter((line) => line !== "");
  const write = (name: string, rows: readonly string[]) =>
    Deno.writeTextFileSync(place.path(name), [header, ...rows].join("\n"));
  write("train.csv", rows.slice(0, 30));
  // The labels of others: what is learned makes this worse.
  const swapped = rows.map((row) =>
    row.startsWith("ham") ? row.replace("ham", "spam") : `ham${row.slice(4)}`
  );
  write("swapped.csv", swapped.slice(30, 45));
  write("test.csv", rows.slice(45));
});

Deno.test.afterAll(() => place[Symbol.dispose]());

function classify(out: string, flags: string): Promise<{ err: string }> {
  return succeed(
    ...["finetune", "classify", "--out", place.path(out)],
    ...["--model", place.path("gpt2"), "--test-data", place.path("test.csv")],
    ...["--data", place.path("train.csv"), ...flags.split(" ")],
  );
}

function evaluations(out: string) {
  return metrics(place, out)
    .filter((row) => "eval_loss" in row)
    .map(({ step, eval_loss }) => ({ step, loss: eval_loss! }));
}

/** The tensors of a model, but for those of the score. */
function weights(folder: string): Record<string, string> {
  using stored = openWeights(place.path(folder));
  return Object.fromEntries(
    [...stored.tensors.keys()].filter((name) => !name.startsWith("score"))
      .map((name) => [
        name,
        new Uint8Array(stored.read(name).data.buffer).toHex(),
      ]),
  );
}

Deno.test("the best model is kept, judged, and found again by classify", async () => {
  // Too fast: better first, then worse.
  await classify(
    "course",
    "--learning-rate 1 --grad-clip 0 --max-iters 12 --eval-interval 2 --warmup-iters 10 --seed 3",
  );
  const found = evaluations("course");
  const best = found.reduce((a, b) => b.loss < a.loss ? b : a);
  const last = found.at(-1)!;
  assert(0 < best.step && best.step < last.step, JSON.stringify(found));
  const { state } = json(place, "course/training_state.json");
  assertEquals(state.standing.best, {
    step: best.step,
    loss: best.loss,
    since: (last.step - best.step) / 2,
  });
  const accuracyOf = async (folder: string) => {
    const { err } = await succeed(
      ...["classify", "--model", place.path(folder), "--json"],
      ...["--data", place.path("test.csv"), "--label-column", "label"],
    );
    return err.match(/accuracy (.*) %/)![1];
  };
  const judged = json(place, "course/test_results.json").test_accuracy;
  assertEquals(await accuracyOf("course/best"), (100 * judged).toFixed(2));
  assert(
    JSON.stringify(weights("course")) !==
      JSON.stringify(weights("course/best")),
    "the last is the best",
  );
});

Deno.test("a run stops when nothing gets better, keeps what it began with, and says so", async () => {
  const course =
    "--learning-rate 1e-2 --eval-interval 2 --early-stopping-patience 2";
  const { err } = await classify(
    "swapped",
    `--validation-data ${place.path("swapped.csv")} ${course}`,
  );
  assertStringIncludes(
    err,
    "\nstopped after step 4: 2 evaluations without a better loss\n",
  );
  assertStringIncludes(
    err,
    `\nwarning: no evaluation was better than the one before the first step, so the model in ${
      place.path("swapped/best")
    } has learned nothing\n`,
  );
  assertStringIncludes(err, "by the model of step 0\n");
  assertEquals(evaluations("swapped").map(({ step }) => step), [0, 2, 4]);
  assertEquals(weights("swapped/best"), weights("gpt2"));

  const resume = ["finetune", "classify", "--resume", "--out"];
  const again = await succeed(...resume, place.path("swapped"));
  assertStringIncludes(again.err, "\nstopped after step 4: 2 evaluations");
  assertEquals(evaluations("swapped").length, 3);
  const more = ["--early-stopping-patience", "3"];
  const later = await succeed(...resume, place.path("swapped"), ...more);
  assertStringIncludes(later.err, "\nstopped after step 6: 3 evaluations");
});

Deno.test("--overwrite leaves nothing of the run before", async () => {
  const lora = "--trainable-layers lora --max-iters 1";
  await classify("over", lora);
  const names = () =>
    [...Deno.readDirSync(place.path("over"))]
      .map(({ name }) => name);
  assert(names().includes("adapter_config.json"));
  assert(names().includes("test_results.json"));
  await succeed(
    ...["finetune", "instruct", "--model", place.path("gpt2"), "--overwrite"],
    ...["--data", place.path("rows.jsonl"), "--out", place.path("over")],
    ..."--prompt-style plain --max-iters 0 --answers 0".split(" "),
  );
  for (const folder of ["over", "over/best"]) {
    const names = [...Deno.readDirSync(place.path(folder))]
      .map(({ name }) => name);
    assert(names.includes("model.safetensors"), folder);
    for (
      const old of [
        "adapter_config.json",
        "adapter_model.safetensors",
        "test_results.json",
      ]
    ) assert(!names.includes(old), `${folder}/${old}`);
  }
  await classify("over", `${lora} --overwrite`);
  assert(!names().includes("model.safetensors"));
  assert(!names().includes("answers.jsonl"));
});
