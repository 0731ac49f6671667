/**
 * What fine-tuning takes, and that what does not train takes nothing.
 */

import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import { type Flags, readArgs } from "../../cli/args.ts";
import { CLASSIFY_FLAGS } from "../../cli/classify_flags.ts";
import { CLASSIFY } from "../../cli/finetune_classify.ts";
import type { Described } from "../../cli/described_data.ts";
import { prepare, type Task } from "../../cli/finetune_command.ts";
import { INSTRUCT } from "../../cli/finetune_instruct.ts";
import { fittingFinetunePlan } from "../../cli/finetune_plan.ts";
import type { Asked, FinetuneValues } from "../../cli/finetune_values.ts";
import { INSTRUCT_FLAGS } from "../../cli/instruct_flags.ts";
import { trainedOf } from "../../lib/nn/freeze.ts";
import { Device } from "../../lib/gpu/device.ts";
import { finetunePlace, succeed } from "./finetune_place.ts";
import { wordsIn, type Workplace } from "./program.ts";

let place: Workplace;

Deno.test.beforeAll(async () => {
  place = await finetunePlace();
});

Deno.test.afterAll(() => place[Symbol.dispose]());

/** The flags of a command; a word that begins with @ is a path in the folder. */
function read<const F extends Flags>(flags: F, text: string) {
  const command = { name: "finetune", about: "", flags };
  return readArgs(command, wordsIn(place, text))!;
}

/** Plans a run, takes its steps, and says what both came to. */
async function compare<V extends FinetuneValues, D extends Described>(
  task: Task<V, D>,
  asked: Asked<V>,
) {
  using device = await Device.open();
  const prepared = await prepare(task, asked);
  const plan = await fittingFinetunePlan(task.plannable(device, prepared));
  assertEquals(device.bytesReserved, 0);
  const run = await task.begin(device, prepared);
  for await (const step of run.steps()) await step.read();
  return {
    plan,
    peak: device.bytesPeak,
    reserved: device.bytesReserved + device.images.bytes,
  };
}

const MEASURED = {
  classify: (text: string) => {
    const { values, given } = read(CLASSIFY_FLAGS, text);
    return compare(CLASSIFY, {
      values: { ...values, header: undefined },
      given,
    });
  },
  instruct: (text: string) => compare(INSTRUCT, read(INSTRUCT_FLAGS, text)),
} as const;

const TEXTS = "--model @gpt2 --data @texts.csv --max-iters 22 --batch-size 4";
const ROWS = "--model @gpt2 --data @rows.jsonl --max-iters 18 --batch-size 4";

for (
  const [kind, flags] of [
    ["classify", TEXTS],
    ["classify", `${TEXTS} --trainable-layers head --pad-to-max-length`],
    ["classify", `${TEXTS} --trainable-layers lora --lora-dropout 0.1`],
    ["instruct", `${ROWS} --prompt-style plain`],
    [
      "instruct",
      `${ROWS} --prompt-style phi-3 --packing --trainable-layers last-1`,
    ],
    [
      "instruct",
      `${ROWS} --prompt-style chatml --trainable-layers lora --use-dora`,
    ],
  ] as const
) {
  Deno.test(`the plan is what it takes: ${kind} ${flags}`, async () => {
    const { plan, peak, reserved } = await MEASURED[kind](flags);
    const close = (planned: number, taken: number) =>
      assert(Math.abs(planned / taken - 1) < 0.1, `${planned} for ${taken}`);
    close(plan.peak, peak);
    close(plan.reserved, reserved);
  });
}

Deno.test("what is frozen has no gradient and no moments", async () => {
  const planned = async (layers: string) => {
    const flags = `${TEXTS} --batch-size 1 --trainable-layers ${layers}`;
    const { values, given } = read(CLASSIFY_FLAGS, flags);
    const asked = { values: { ...values, header: undefined }, given };
    using device = await Device.open();
    const run = CLASSIFY.plannable(device, await prepare(CLASSIFY, asked));
    const { trainedCount, trained } = trainedOf(
      run.learner(device, asked.values).model,
    );
    return { ...await fittingFinetunePlan(run), trainedCount, trained };
  };
  const all = await planned("all");
  for (const layers of ["head", "last-block", "lora"]) {
    const some = await planned(layers);
    assert(some.peak < all.peak, layers);
    // Each lies at a multiple of 256 bytes; the pool adds a quarter at most, and
    // has nothing smaller than 512.
    const bytes = 4 * some.trainedCount + 256 * some.trained.size;
    const most = Math.max(512, 1.25 * bytes);
    assert(some.gradients <= most, `${some.gradients} for ${layers}`);
    assert(
      some.optimizer <= 2 * most + 1024,
      `${some.optimizer} for ${layers}`,
    );
  }
});

Deno.test("--dry-run says what would train, and what it would take, and writes nothing", async () => {
  const before = place.files();
  const dry = (task: string, flags: string) =>
    succeed(
      ...wordsIn(place, `finetune ${task} ${flags} --out @dry --dry-run`),
    );
  const whole = await dry("classify", TEXTS);
  assertStringIncludes(whole.out, "\nto learn from: 42: ham 30, spam 12\n");
  // 257 + 96 embeddings, two blocks, a norm and a score, of 16 channels.
  const count = 16 * (257 + 96) + 2 * (12 * 16 ** 2 + 13 * 16) + 2 * 16 +
    2 * 16;
  assertStringIncludes(
    whole.out,
    `\ntrains: ${count} of ${count} parameters (100 %), in 29 tensors\n`,
  );
  assertMatch(whole.out, /\n {2}peak {2,}\S+ \S+ +in use at once\n/);
  assertMatch(whole.out, /\n {2}--batch-size 2 +\S+ \S+\n/);
  const { out } = await dry("classify", `${TEXTS} --trainable-layers head`);
  assertStringIncludes(
    out,
    `\ntrains: 32 of ${count} parameters (0.261 %), in 1 tensor\n`,
  );
  const rows = await dry("instruct", `${ROWS} --prompt-style plain`);
  assertStringIncludes(rows.out, "\nto be answered: 4 examples\n");
  assertStringIncludes(rows.out, "\nit fits, as far as is known\n");
  assertEquals(place.files(), before);
});
