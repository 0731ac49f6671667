/**
 * A classifier from the command line to what is done with the result, with no
 * more permissions than the files that are named.
 */

import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import {
  finetunePlace,
  json,
  metrics,
  names,
  succeed,
} from "./finetune_place.ts";
import { start, wordsIn, type Workplace } from "./program.ts";

let place: Workplace;

Deno.test.beforeAll(async () => {
  place = await finetunePlace();
});

Deno.test.afterAll(() => place[Symbol.dispose]());

const MODEL = [
  "config.json",
  "generation_config.json",
  "model.safetensors",
  "tokenizer.json",
  "tokenizer_config.json",
];

Deno.test("a classifier is learned, judged and used by processes that may do no more", async () => {
  const out = place.path("classifier");
  const course =
    "--epochs 4 --learning-rate 1e-2 --batch-size 4 --trainable-layers last-block --json";
  await using program = start(
    [
      ...wordsIn(place, `finetune classify --model @gpt2 @texts.csv ${course}`),
      ...["--out", out],
    ],
    {
      read: [...wordsIn(place, "@gpt2 @texts.csv"), out],
      write: [out],
    },
  );
  const { code, out: printed, err } = await program.outcome();
  assertEquals(code, 0, err);
  assertEquals(printed, Deno.readTextFileSync(`${out}/metrics.jsonl`));
  assertStringIncludes(err, "\nto learn from: 42: ham 30, spam 12\n");
  assertMatch(
    err,
    /\ntrains: 3344 of \d+ parameters \(\S+ %\), in 15 tensors\n/,
  );
  assertStringIncludes(err, "\nactual  ham  spam\n");
  assertStringIncludes(err, `deno task classify --model ${out}/best takes`);
  assertEquals(names(place, "classifier/best"), MODEL);
  assertEquals(
    names(place, "classifier").filter((name) => !MODEL.includes(name)),
    [
      ".lock",
      "accuracy.png",
      "accuracy.svg",
      "best",
      "confusion_matrix.png",
      "confusion_matrix.svg",
      "loss.png",
      "loss.svg",
      "metrics.jsonl",
      "optimizer.safetensors",
      "report.html",
      "test_results.json",
      "training_state.json",
    ],
  );
  assertEquals(json(place, "classifier/best/config.json").id2label, {
    0: "ham",
    1: "spam",
  });
  assertEquals(json(place, "classifier/test_results.json").test_accuracy, 1);

  await using user = start(
    ["classify", "--model", `${out}/best`],
    { read: [`${out}/best`], stdin: "70 see see\n71 win\n" },
  );
  const answers = await user.outcome();
  assertEquals(
    answers.out.split("\n").map((line) => line.split("\t")[0]),
    ["ham", "spam", ""],
    answers.err,
  );
});

Deno.test("the rows of a classifier have TRL's names, and the mean loss of their steps", async () => {
  const flags =
    "--model @gpt2 --data @texts.csv --batch-size 5 --max-iters 7 --eval-interval 4";
  const classify = (out: string, interval: number) =>
    succeed(
      ...wordsIn(
        place,
        `finetune classify ${flags} --out @${out} --log-interval ${interval}`,
      ),
    );
  await classify("each", 1);
  await classify("some", 3);
  const each = metrics(place, "each").filter((row) => "loss" in row);
  const some = metrics(place, "some").filter((row) => "loss" in row);
  assertEquals(some.map(({ step }) => step), [3, 6]);
  for (const { step, loss, num_tokens, epoch } of some) {
    const before = each.slice(step - 3, step);
    const mean = before.reduce((sum, { loss }) => sum + loss!, 0) / 3;
    assertAlmostEquals(loss!, mean, 1e-12);
    assertEquals(num_tokens, before[2].num_tokens);
    assertEquals(epoch, Math.round(1e4 * step / 9) / 1e4);
  }
  assertEquals(Object.keys(each[0]), [
    "step",
    "loss",
    "learning_rate",
    "grad_norm",
    "num_tokens",
    "epoch",
    "tokens_per_second",
    "time",
  ]);
  const evaluations = metrics(place, "some").filter((row) =>
    "eval_loss" in row
  );
  assertEquals(evaluations.map(({ step }) => step), [0, 4, 7]);
  assertEquals(Object.keys(evaluations[0]), [
    "step",
    "epoch",
    "eval_loss",
    "eval_accuracy",
    "eval_precision",
    "eval_recall",
    "eval_f1",
    "time",
  ]);
});

Deno.test("all tokens of an epoch are counted, and no padding", async () => {
  await succeed(
    ...wordsIn(
      place,
      "finetune classify --model @gpt2 --data @texts.csv --out @counted --batch-size 7 --epochs 1 --log-interval 6",
    ),
  );
  const texts = Deno.readTextFileSync(place.path("texts.csv")).trim()
    .split("\n").slice(1).map((line) => line.split(",")[1].length);
  const [{ num_tokens }] = metrics(place, "counted").filter((row) =>
    "loss" in row
  );
  const all = texts.reduce((sum, length) => sum + length, 0);
  // Of 60 texts 42 are learned from, each of at most 18 tokens.
  assert(num_tokens! < all && num_tokens! > all - 18 * 18, `${num_tokens}`);
  assert(Number.isInteger(num_tokens), `${num_tokens}`);
});

Deno.test("a LoRA classifier on a Llama is found again with its base", async () => {
  const { err } = await succeed(
    ...wordsIn(
      place,
      "finetune classify --model @llama --data @texts.csv --out @lora --trainable-layers lora --lora-r 4 --use-rslora --use-dora --modules-to-save norm --lora-target-modules q_proj,down_proj --learning-rate 1e-2 --epochs 4 --batch-size 4",
    ),
  );
  const config = json(place, "lora/best/adapter_config.json");
  assertEquals(
    [config.task_type, config.r, config.use_rslora, config.use_dora],
    ["SEQ_CLS", 4, true, true],
  );
  assertEquals(config.base_model_name_or_path, place.path("llama"));
  assert(config.modules_to_save.includes("score"), config.modules_to_save);
  assertEquals(config.target_modules.toSorted(), ["down_proj", "q_proj"]);
  assertEquals(
    names(place, "lora/best").filter((name) => !MODEL.includes(name)),
    ["adapter_config.json", "adapter_model.safetensors"],
  );
  const [, accuracy] = err.match(/test accuracy (\S+) %/)!;
  for (const folder of ["lora", "lora/best"]) {
    const again = await succeed(
      ...wordsIn(place, `classify --model @${folder} --label-column label`),
      ...wordsIn(place, "--data @texts.csv"),
    );
    const [, all] = again.err.match(/accuracy (\S+) % of 60/)!;
    assert(Math.abs(Number(all) - Number(accuracy)) < 10, `${all}`);
  }
});
