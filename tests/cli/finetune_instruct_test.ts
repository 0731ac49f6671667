/**
 * Instructions from the command line to what is done with the result, with no
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
import { run, start, wordsIn, type Workplace } from "./program.ts";

let place: Workplace;

Deno.test.beforeAll(async () => {
  place = await finetunePlace();
});

Deno.test.afterAll(() => place[Symbol.dispose]());

Deno.test("instructions are learned by a Llama, answered and talked about", async () => {
  const flags =
    "--prompt-style chatml --packing --epochs 2 --batch-size 2 --learning-rate 1e-2 --max-new-tokens 6 --log-interval 2";
  const { err } = await succeed(
    ...wordsIn(
      place,
      `finetune instruct --model @llama --data @rows.jsonl --out @answers ${flags}`,
    ),
  );
  assertStringIncludes(err, "\nshape: instruction/output\n");
  assertStringIncludes(err, "\nprompt style: chatml\n");
  assertMatch(
    err,
    /example 1: what is learned is between ⟦ and ⟧ ---\n<\|im_start\|>user⏎\nSay (\d+)<\|im_end\|>⏎\n<\|im_start\|>assistant⏎\n⟦\1!*<\|endoftext\|>⟧/,
  );
  const [row] = metrics(place, "answers").filter((row) => "loss" in row);
  assertEquals(Object.keys(row), [
    "step",
    "loss",
    "learning_rate",
    "grad_norm",
    "num_tokens",
    "epoch",
    "mean_token_accuracy",
    "entropy",
    "tokens_per_second",
    "time",
  ]);
  const evaluations = metrics(place, "answers").filter((row) =>
    "eval_loss" in row
  );
  assertEquals(Object.keys(evaluations[0]), [
    "step",
    "epoch",
    "eval_loss",
    "eval_mean_token_accuracy",
    "eval_entropy",
    "time",
  ]);
  const [before, after] = [evaluations[0], evaluations.at(-1)!];
  assertAlmostEquals(before.eval_loss!, Math.log(257), 0.1);
  assert(after.eval_loss! < before.eval_loss! - 0.5, `${after.eval_loss}`);
  const answers = Deno.readTextFileSync(place.path("answers/answers.jsonl"))
    .trim().split("\n").map((line) => JSON.parse(line));
  assertEquals(answers.length, 4);
  assert(answers.every(({ prompt }) => prompt.includes("user\nSay ")));
  assert(names(place, "answers/best").includes("chat_template.jinja"));

  await using chat = start(
    [
      ..."chat --max-new-tokens 5 --model".split(" "),
      place.path("answers/best"),
    ],
    { read: [place.path("answers/best")], stdin: "Say 3\n" },
  );
  const { code, err: noise } = await chat.outcome();
  assertEquals(code, 0, noise);
});

Deno.test("a model with a template of its own keeps it, and an adapter carries it", async () => {
  const template =
    "{%- for m in messages %}{{ m.role[0] + ':' + m.content + eos_token }}{%- endfor %}{%- if add_generation_prompt %}a:{%- endif %}";
  Deno.writeTextFileSync(place.path("gpt2/chat_template.jinja"), template);
  try {
    const config = place.path("gpt2/tokenizer_config.json");
    const said = JSON.parse(Deno.readTextFileSync(config));
    Deno.writeTextFileSync(
      config,
      JSON.stringify({ ...said, eos_token: "<|endoftext|>" }),
    );
    const { err } = await succeed(
      ...wordsIn(
        place,
        "finetune instruct --model @gpt2 --data @rows.jsonl --out @own --trainable-layers lora --max-iters 1 --answers 0 --show-masks 1",
      ),
    );
    assertStringIncludes(err, "\nprompt style: own\n");
    assertMatch(err, /u:Say (\d+)<\|endoftext\|>a:⟦\1!*<\|endoftext\|>⟧/);
    assertEquals(
      Deno.readTextFileSync(place.path("own/best/chat_template.jinja")),
      template,
    );
    assertEquals(
      json(place, "own/best/adapter_config.json").task_type,
      "CAUSAL_LM",
    );
    const { code, err: noise } = await run(
      ...wordsIn(
        place,
        "generate --model @own/best --max-new-tokens 4 --prompt Say",
      ),
    );
    assertEquals(code, 0, noise);
  } finally {
    Deno.removeSync(place.path("gpt2/chat_template.jinja"));
  }
});
