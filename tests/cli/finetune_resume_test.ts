/**
 * Fine-tuning that is stopped, in whatever way, and continued is the fine-tuning
 * that was not stopped: bit for bit, dropout, gradient accumulation, the best
 * model and the rows of the log included.
 */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { finetunePlace, succeed } from "./finetune_place.ts";
import { losses, run, start, wordsIn, type Workplace } from "./program.ts";

/** The steps of a whole run, and where it is cut: amid a row of the log. */
const [STEPS, HALF] = [12, 6];
const COURSE = `--batch-size 3 --gradient-accumulation-steps 2 --warmup-iters 2
  --lr-decay-iters ${STEPS} --eval-interval 3 --log-interval 4 --save-interval 2
  --learning-rate 1e-2`.split(/\s+/);

interface Kind {
  readonly task: "classify" | "instruct";
  readonly weights: string;
  /** What is written at the end beside the model. */
  readonly results: string;
  readonly flags: string;
}

const KINDS: Readonly<Record<string, Kind>> = {
  "a classifier": {
    task: "classify",
    weights: "model.safetensors",
    results: "test_results.json",
    flags: "--model @dropping --data @texts.csv --trainable-layers last-block",
  },
  "a classifier's adapter": {
    task: "classify",
    weights: "adapter_model.safetensors",
    results: "test_results.json",
    flags:
      "--model @llama --data @texts.csv --trainable-layers lora --lora-dropout 0.1 --balance",
  },
  "instructions": {
    task: "instruct",
    weights: "model.safetensors",
    results: "answers.jsonl",
    flags:
      "--model @dropping --data @rows.jsonl --prompt-style plain --packing --max-new-tokens 4",
  },
  "an adapter for instructions": {
    task: "instruct",
    weights: "adapter_model.safetensors",
    results: "answers.jsonl",
    flags:
      "--model @llama --data @rows.jsonl --prompt-style chatml --trainable-layers lora --use-dora --lora-dropout 0.1 --max-new-tokens 4",
  },
};

let place: Workplace;

Deno.test.beforeAll(async () => {
  place = await finetunePlace();
});

Deno.test.afterAll(() => place[Symbol.dispose]());

function begin({ task, flags }: Kind, out: string): string[] {
  const where = ["--out", place.path(out)];
  return ["finetune", task, ...wordsIn(place, flags), ...where, ...COURSE];
}

function resume({ task }: Kind, out: string): string[] {
  return ["finetune", task, "--resume", "--out", place.path(out)];
}

function bytes(name: string): string {
  return Deno.readFileSync(place.path(name)).toHex();
}

/** Requires that a run came to exactly what another did. */
function assertSame({ weights, results }: Kind, out: string, whole: string) {
  const files = [weights, "optimizer.safetensors", results, `best/${weights}`];
  for (const file of files) {
    assert(bytes(`${out}/${file}`) === bytes(`${whole}/${file}`), file);
  }
  const [own, other] = [out, whole].map((name) =>
    losses(place.path(`${name}/metrics.jsonl`))
  );
  assertEquals(own, other);
}

const wholes = new Map<string, Promise<string>>();

/** The folder of the whole run of a kind, which is made once. */
function whole(name: string): Promise<string> {
  const made = wholes.get(name) ?? (async () => {
    const out = `whole ${name}`;
    const steps = ["--max-iters", `${STEPS}`];
    await succeed(...begin(KINDS[name], out), ...steps);
    return out;
  })();
  wholes.set(name, made);
  return made;
}

for (const [name, kind] of Object.entries(KINDS)) {
  Deno.test(`half a run and the other half are a run: ${name}`, async () => {
    const out = `halves ${name}`;
    await succeed(...begin(kind, out), "--max-iters", `${HALF}`);
    const file = `${out}/${kind.weights}`;
    const half = bytes(file);
    await succeed(...resume(kind, out), "--max-iters", `${STEPS}`);
    assert(bytes(file) !== half, "the second half learned nothing");
    assertSame(kind, out, await whole(name));
  });
}

Deno.test("a run with nothing left to do gives its results anew", async () => {
  const name = "instructions";
  const { results } = KINDS[name];
  const out = await whole(name);
  const before = bytes(`${out}/${results}`);
  Deno.removeSync(place.path(`${out}/${results}`));
  await succeed(...resume(KINDS[name], out));
  assertEquals(bytes(`${out}/${results}`), before);
});

for (
  const [name, signals] of [
    ["a classifier's adapter", ["SIGKILL", "SIGINT"]],
    ["instructions", ["SIGKILL"]],
  ] as const
) {
  Deno.test(`${name}: a run that gets ${signals.join(", ")} goes on`, async () => {
    const kind = KINDS[name];
    const out = `stopped ${name}`;
    const steps = ["--max-iters", `${STEPS}`];
    let args = [...begin(kind, out), ...steps];
    for (const [i, signal] of signals.entries()) {
      await using program = start(args, {
        read: [place.path("")],
        write: [place.path(out)],
      });
      await program.line(new RegExp(`step ${i === 0 ? 3 : 4 * i}: `));
      program.kill(signal);
      const { code, err } = await program.outcome();
      assertEquals(code, signal === "SIGINT" ? 130 : 137, err);
      args = resume(kind, out);
    }
    await succeed(...args);
    assertSame(kind, out, await whole(name));
  });
}

Deno.test("a best model that was not written when the run was killed is written when it goes on", async () => {
  const name = "instructions";
  const kind = KINDS[name];
  const out = "unkept";
  await succeed(...begin(kind, out), "--max-iters", "3");
  const best = bytes(`${out}/best/${kind.weights}`);
  const state = Deno.readTextFileSync(
    place.path(`${out}/training_state.json`),
  );
  assertEquals(JSON.parse(state).state.standing.best.step, 3);
  Deno.removeSync(place.path(`${out}/best`), { recursive: true });
  await succeed(...resume(kind, out));
  assertEquals(bytes(`${out}/best/${kind.weights}`), best);
});

Deno.test("other data are refused, whichever part they are of", async () => {
  const name = "instructions";
  const folder = await whole(name);
  const path = place.path("rows.jsonl");
  const rows = Deno.readTextFileSync(path);
  try {
    for (const number of [3, 17]) {
      Deno.writeTextFileSync(
        path,
        rows.replace(`"Say ${number}"`, `"Tell ${number}"`),
      );
      const { code, err } = await run(...resume(KINDS[name], folder));
      assertEquals(code, 1);
      assertStringIncludes(err, "its data or their tokens have changed: ");
      assert(
        /of the (train|validation|test) part was \d+ and is \d+/.test(err),
      );
    }
  } finally {
    Deno.writeTextFileSync(path, rows);
  }
});

Deno.test("other flags are refused with both values; those of the course may change", async () => {
  const name = "a classifier";
  const kind = KINDS[name];
  const folder = await whole(name);
  const refused = async (...flags: string[]) => {
    const { code, err } = await run(...resume(kind, folder), ...flags);
    assertEquals(code, 2, err);
    return err;
  };
  const err = await refused(
    ...["--trainable-layers", "all", "--batch-size", "4", "--seed", "1337"],
    ...["--text-column", "x", "--no-group-by-length"],
  );
  for (
    const problem of [
      '--trainable-layers is "all", the run has "last-block"',
      "--batch-size is 4, the run has 3",
      '--text-column is "x", the run has none',
      "--group-by-length is false, the run has true",
    ]
  ) assertStringIncludes(err, problem);
  assert(!err.includes("--seed"), err);
  assertStringIncludes(
    await refused("--max-iters", "4"),
    `--max-iters is 4, the run has taken ${STEPS} steps`,
  );
  assertStringIncludes(
    await refused("--epochs", "1"),
    `--epochs 1 is 7 steps, the run has taken ${STEPS} steps`,
  );
  assertStringIncludes(
    await refused("--min-lr", "1"),
    "--min-lr 1 is above --learning-rate 0.01",
  );
});

Deno.test("each command refuses the runs of the others", async () => {
  const folder = place.path(await whole("a classifier"));
  const trained = place.path("trained");
  await succeed(
    ...["train", place.path("text.txt"), "--out", trained, "--max-iters", "0"],
    ..."--tokenizer byte --n-layer 1 --n-head 1 --n-embd 8 --eval-iters 1"
      .split(" "),
  );
  for (
    const [command, out, began] of [
      ["train", folder, "finetune classify"],
      ["finetune instruct", folder, "finetune classify"],
      ["finetune classify", trained, "train"],
    ]
  ) {
    const args = [...command.split(" "), "--resume", "--out", out];
    const { code, err } = await run(...args);
    assertEquals({ code, err }, {
      code: 2,
      err:
        `error: Cannot resume: ${out} holds a run of \`${began}\`, not of \`${command}\`; deno task ${began} --resume --out ${out} continues it (see --help)\n`,
    });
  }
});
