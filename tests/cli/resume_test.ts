/**
 * A run that is stopped, in whatever way, and continued is the run that was not
 * stopped: bit for bit, dropout and gradient accumulation included.
 */

import {
  assert,
  assertEquals,
  assertNotEquals,
  assertStringIncludes,
} from "@std/assert";
import { writeTrainingState } from "../../lib/io/training_state.ts";
import { Random } from "../../lib/random.ts";
import {
  losses,
  run,
  type Running,
  start,
  TINY,
  type Workplace,
  workplace,
} from "./program.ts";

const STEPS = 24;
const SETTINGS = [
  ...TINY,
  ...`--dropout 0.1 --gradient-accumulation-steps 2 --warmup-iters 4
  --lr-decay-iters ${STEPS} --eval-interval 6 --log-interval 1
  --save-interval 2`.split(/\s+/),
];

let place: Workplace;

Deno.test.beforeAll(async () => {
  place = workplace();
  await trainHere("whole");
});

Deno.test.afterAll(() => place[Symbol.dispose]());

/** Trains in this process, by default to the end. */
async function trainHere(name: string, ...more: string[]): Promise<void> {
  const { code, err } = await run("train", ...argsFor(name), ...more);
  assertEquals(code, 0, err);
}

/** Continues a run in this process. */
async function resume(name: string, ...more: string[]): Promise<void> {
  const where = ["--out", place.path(name), "--resume"];
  const { code, err } = await run("train", ...where, ...more);
  assertEquals(code, 0, err);
}

/** Trains in a process of its own. */
function startTraining(name: string, ...more: string[]): Running {
  const [text, out] = [place.path("text.txt"), place.path(name)];
  return start(
    ["train", ...argsFor(name), ...more],
    { read: [text, out], write: [out] },
  );
}

function argsFor(name: string): string[] {
  const where = ["--data", place.path("text.txt"), "--out", place.path(name)];
  return [...where, "--max-iters", `${STEPS}`, ...SETTINGS];
}

function bytes(name: string, file: string): string {
  return Deno.readFileSync(`${place.path(name)}/${file}`).toHex();
}

function savedStep(name: string): number {
  const path = `${place.path(name)}/training_state.json`;
  return JSON.parse(Deno.readTextFileSync(path)).step;
}

/** Requires that a run came to exactly what the whole one did. */
function assertWhole(name: string): void {
  assertEquals(savedStep(name), STEPS);
  for (const file of ["model.safetensors", "optimizer.safetensors"]) {
    assert(bytes(name, file) === bytes("whole", file), `${file} differs`);
  }
  assertEquals(
    losses(`${place.path(name)}/metrics.jsonl`),
    losses(`${place.path("whole")}/metrics.jsonl`),
  );
}

Deno.test("a seed repeats a run to the last bit, and another seed does not", async () => {
  await trainHere("again");
  assertWhole("again");
  await trainHere("other", "--seed", "7");
  const file = "model.safetensors";
  assertNotEquals(bytes("other", file), bytes("whole", file));
  const [metrics, others] = ["whole", "other"].map((name) =>
    losses(`${place.path(name)}/metrics.jsonl`)
  );
  assert(metrics.every(({ loss }, i) => !loss || loss !== others[i].loss));
});

Deno.test("half a run and the other half are a run", async () => {
  await trainHere("halves", "--max-iters", "12");
  assertEquals(savedStep("halves"), 12);
  await resume("halves", "--max-iters", `${STEPS}`);
  assertWhole("halves");
  // Once more, with nothing left to do: the report is made anew.
  Deno.removeSync(`${place.path("halves")}/report.html`);
  await resume("halves");
  assertWhole("halves");
  Deno.statSync(`${place.path("halves")}/report.html`);
});

Deno.test("a run may compute activations again from where it is resumed", async () => {
  await trainHere("lean", "--max-iters", "12", "--recompute", "mlp");
  await resume("lean", "--max-iters", `${STEPS}`, "--recompute", "block");
  assertWhole("lean");
});

Deno.test("a run that was saved before there was f16 or recomputing goes on", async () => {
  await trainHere("old", "--max-iters", "12");
  const path = `${place.path("old")}/training_state.json`;
  const { checksum: _, ...page } = JSON.parse(Deno.readTextFileSync(path));
  delete page.state.settings.dtype;
  delete page.state.settings.recompute;
  writeTrainingState(place.path("old"), page);
  await resume("old", "--max-iters", `${STEPS}`);
  assertWhole("old");
});

Deno.test("a run that began with another's weights, in smaller blocks, is continued too", async () => {
  const args = (name: string) => [
    ...["--data", place.path("text.txt"), "--out", place.path(name)],
    ...["--init-from", place.path("whole"), "--dropout", "0.2"],
    ..."--block-size 8 --eval-iters 1 --lr-decay-iters 6".split(" "),
  ];
  await run("train", ...args("longer"), "--max-iters", "6");
  await run("train", ...args("longer halved"), "--max-iters", "3");
  await resume("longer halved", "--max-iters", "6");
  assertEquals(savedStep("longer halved"), 6);
  for (const file of ["config.json", "model.safetensors"]) {
    assert(bytes("longer halved", file) === bytes("longer", file), file);
  }
  const path = `${place.path("longer")}/config.json`;
  const { n_positions, resid_pdrop } = JSON.parse(Deno.readTextFileSync(path));
  assertEquals({ n_positions, resid_pdrop }, {
    n_positions: 16,
    resid_pdrop: 0.2,
  });
});

Deno.test("a run is not continued on another text, wherever it differs", async () => {
  const text = place.path("text.txt");
  await trainHere("begun", "--max-iters", "2");
  for (const at of [10, place.text.length - 10]) {
    const letter = place.text[at] === "e" ? "a" : "e";
    Deno.writeTextFileSync(
      text,
      place.text.slice(0, at) + letter + place.text.slice(at + 1),
    );
    const { code, err } = await run(
      ...["train", "--out", place.path("begun"), "--resume"],
      ...["--max-iters", "4"],
    );
    Deno.writeTextFileSync(text, place.text);
    assertEquals(code, 1);
    assertStringIncludes(err, "fingerprint was");
  }
});

Deno.test("a run that is killed goes on where it was last saved, three times over", async () => {
  const random = new Random(3);
  let more: string[] = [];
  for (const target of [4, 10, 16]) {
    await using training = startTraining("killed", ...more);
    await training.line(new RegExp(`step ${target}: loss`));
    const wait = 30 * random.uniform();
    await new Promise((resolve) => setTimeout(resolve, wait));
    training.kill("SIGKILL");
    const { code, err } = await training.outcome();
    assertEquals(code, 137);
    const reached = Number([...err.matchAll(/step (\d+): loss/g)].at(-1)![1]);
    const saved = savedStep("killed");
    assert(saved >= reached - 2, `saved ${saved}, reached ${reached}`);
    more = ["--resume"];
  }
  await resume("killed");
  assertWhole("killed");
});

for (const [signal, code] of [["SIGINT", 130], ["SIGTERM", 143]] as const) {
  Deno.test(`${signal} saves the run and ends it with ${code}`, async () => {
    const name = signal.toLowerCase();
    await using training = startTraining(name, "--save-interval", "1000");
    await training.line(/step 7: loss/);
    training.kill(signal);
    const outcome = await training.outcome();
    assertEquals(outcome.code, code, outcome.err);
    const saved = savedStep(name);
    assert(saved >= 7 && saved < STEPS, `saved ${saved}`);
    assertEquals(
      outcome.err.trimEnd().split("\n").at(-1),
      `interrupted after step ${saved}; saved in ${
        place.path(name)
      }, continue with --resume`,
    );
    if (signal === "SIGTERM") return;
    await resume(name);
    assertWhole(name);
  });
}

Deno.test("a folder in use is refused; a second SIGINT waits for nothing; what --overwrite has begun is not the old run", async () => {
  // An evaluation without end comes before the first step.
  const endless = ["--overwrite", "--eval-iters", "1000000"];
  await using training = startTraining("again", ...endless);
  await training.line(/^steps: /m);
  const folder = place.path("again");
  const { code, out, err } = await run("train", ...argsFor("again"));
  assertEquals({ code, out }, { code: 1, out: "" });
  const pid = Deno.readTextFileSync(`${folder}/.lock`).trim();
  assertEquals(
    err,
    `error: Cannot use the folder "${folder}": another run (process ${pid}) is writing to it; wait for it, stop it, or name another folder\n`,
  );

  training.kill("SIGINT");
  await training.line(/^saving after this step/m);
  training.kill("SIGINT");
  assertEquals((await training.outcome()).code, 130);
  assertEquals(savedStep("again"), 0);
  assertEquals(Deno.readTextFileSync(`${folder}/metrics.jsonl`), "");
});
