/**
 * Scores of guesses against scikit-learn, and classifiers at work.
 *
 * ../fixtures/classifier/make_fixtures.py makes the first.
 */

import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertRejects,
  assertThrows,
} from "@std/assert";
import { ClassBatches } from "../../lib/data/class_batches.ts";
import { freezeBut, trainedOf } from "../../lib/nn/freeze.ts";
import { parameters } from "../../lib/nn/parameters.ts";
import { AdamW } from "../../lib/optim/adamw.ts";
import { constantSchedule } from "../../lib/optim/schedule.ts";
import { Random } from "../../lib/random.ts";
import { noGrad } from "../../lib/tensor/tape.ts";
import type { HostArray } from "../../lib/tensor/tensor.ts";
import {
  classProbabilities,
  evaluateClasses,
} from "../../lib/train/classification.ts";
import { scoreClasses } from "../../lib/train/class_scores.ts";
import { train } from "../../lib/train/train.ts";
import { Classifier } from "../../models/classifier.ts";
import { GPT2 } from "../../models/gpt2.ts";
import { padExamples } from "../../lib/data/class_examples.ts";
import { bothDevices } from "../both_devices.ts";
import { tinyModel } from "../generate/tiny_model.ts";

const devices = bothDevices();

const scored = Deno.readTextFileSync(
  new URL("../fixtures/classifier/scores.jsonl", import.meta.url),
).trimEnd().split("\n").map((line) => JSON.parse(line));

function assertClose(actual: readonly number[], expected: readonly number[]) {
  assertEquals(actual.length, expected.length);
  actual.forEach((value, i) => assertAlmostEquals(value, expected[i], 1e-12));
}

Deno.test("accuracy, precision, recall, F1 and confusion are scikit-learn's", () => {
  assertEquals(scored.length, 5);
  for (const expected of scored) {
    const found = scoreClasses(expected);
    assertClose([found.accuracy], [expected.accuracy]);
    assertEquals(found.confusion, expected.confusion);
    for (const name of ["precision", "recall", "f1", "support"] as const) {
      assertClose(found.classes.map((score) => score[name]), expected[name]);
    }
    for (const name of ["macro", "weighted"] as const) {
      const { precision, recall, f1 } = found[name];
      assertClose([precision, recall, f1], expected[name]);
    }
  }
});

Deno.test("guesses that cannot be scored are refused", () => {
  const refused = (labels: number[], guesses: number[], says: string) =>
    assertThrows(
      () => scoreClasses({ labels, guesses, classes: 2 }),
      RangeError,
      says,
    );
  refused([], [], "Cannot score 0 guesses against 0 labels");
  refused([1], [1, 0], "Cannot score 2 guesses against 1 labels");
  refused(
    [0, 2],
    [0, 1],
    "Cannot score class 2 of example 1: expected a class below 2",
  );
  refused([0, 1], [0, NaN], "Cannot score class NaN of example 1");
});

function classifier(labels = ["a", "b", "c"]) {
  const device = devices.best!;
  const body = tinyModel(device, { nLayer: 3 });
  return new Classifier({ device, random: new Random(3) }, body, { labels });
}

/** Ids whose class is told by whether one of them is there, and which. */
function someExamples(count: number, seed = 8) {
  const random = new Random(seed);
  return Array.from({ length: count }, () => {
    const label = random.integer(3);
    const ids = Uint32Array.from(
      { length: 2 + random.integer(12) },
      () => 3 + random.integer(50),
    );
    if (label > 0) ids[random.integer(ids.length)] = label;
    return { ids, label };
  });
}

Deno.test("probabilities are in the order of the examples, however they are batched", async () => {
  const device = devices.best!;
  const model = classifier();
  const examples = someExamples(11);
  const found = await classProbabilities({
    device,
    model,
    examples,
    batchSize: 3,
  });
  for (const [i, example] of examples.entries()) {
    using _scope = device.scope();
    const logits = await noGrad(() => model.forward(padExamples([example])))
      .read() as Float32Array;
    const sum = logits.reduce((sum, logit) => sum + Math.exp(logit), 0);
    logits.forEach((logit, k) =>
      assertAlmostEquals(found[i][k], Math.exp(logit) / sum, 1e-5)
    );
  }
});

Deno.test("a classifier is measured by its guesses, and gives back all memory", async () => {
  const device = devices.best!;
  const model = classifier();
  const examples = someExamples(30);
  const options = { device, model, examples };
  await evaluateClasses(options);
  const before = device.bytesInUse;
  const found = await evaluateClasses(options);
  assertEquals(device.bytesInUse, before);
  const right = examples.filter(({ label }, i) => label === found.guesses[i]);
  assertAlmostEquals(found.accuracy, right.length / 30, 1e-12);
  using _scope = device.scope();
  const loss = noGrad(() => model.loss(padExamples(examples)));
  assertAlmostEquals(found.loss, await loss.item(), 1e-5);
});

Deno.test("scores that are not finite are refused", async () => {
  const device = devices.best!;
  const model = classifier();
  model.score.weight.fill(NaN);
  await assertRejects(
    () => classProbabilities({ device, model, examples: someExamples(2) }),
    RangeError,
    "Cannot classify: the model scores the classes NaN, NaN, NaN",
  );
});

for (const trains of ["all", "last-block"]) {
  Deno.test(`a classifier learns with ${trains}, the rest staying as it is`, async () => {
    const device = devices.best!;
    const examples = someExamples(96);
    const init = { device, random: new Random(5) };
    const body = new GPT2(init, {
      vocabSize: 61,
      blockSize: 16,
      nLayer: 2,
      nHead: 2,
      nEmbd: 32,
    });
    const model = new Classifier(init, body, { labels: ["a", "b", "c"] });
    const { frozen } = freezeBut(model, trains);
    const before: HostArray[] = [];
    for (const parameter of frozen.values()) {
      before.push(await parameter.read());
    }
    using optimizer = new AdamW(parameters(model), { weightDecay: 0 });
    const run = train({
      device,
      optimizer,
      objective: (batch, pass) => model.loss(batch, pass),
      batches: new ClassBatches(examples, {
        batchSize: 16,
        random: new Random(2),
      }),
      schedule: constantSchedule(5e-3),
      steps: 90,
      random: new Random(1),
    });
    for await (const step of run) await step.read();
    const { accuracy } = await evaluateClasses({ device, model, examples });
    assert(accuracy >= 0.95, `accuracy is ${accuracy}`);
    for (const [i, parameter] of [...frozen.values()].entries()) {
      assertEquals(await parameter.read(), before[i]);
      assertEquals(parameter.grad, null);
    }
    assertEquals(frozen.size > 0, trains !== "all");
  });
}

Deno.test("what trains is chosen by part of the model, or by path", () => {
  const model = classifier();
  const paths = [...parameters(model).keys()];
  const chosen = (
    trains: string,
  ) => [...freezeBut(model, trains).trained.keys()];
  assertEquals(chosen("all"), paths);
  assertEquals(chosen("head"), ["score.weight"]);
  const isLast = (path: string) => /\.h\.2\.|ln_f|score/.test(path);
  assertEquals(chosen("last-block"), paths.filter(isLast));
  assertEquals(chosen("last-1"), paths.filter(isLast));
  assertEquals(
    chosen("last-2"),
    paths.filter((path) => isLast(path) || path.includes(".h.1.")),
  );
  assertEquals(
    chosen("h.1, score"),
    paths.filter((path) => /h\.1\.|score/.test(path)),
  );
  assertEquals(
    chosen("h.*.mlp"),
    paths.filter((path) => path.includes(".mlp.")),
  );
  assertEquals(chosen("bias"), paths.filter((path) => path.endsWith(".bias")));
  const { trainedCount, count } = trainedOf(model);
  const sizes = (paths: readonly string[]) =>
    paths.reduce((sum, path) => sum + parameters(model).get(path)!.size, 0);
  assertEquals(count, sizes(paths));
  assertEquals(trainedCount, sizes(chosen("bias")));
});

Deno.test("the head of a language model is its embedding, where the two are one", () => {
  const model = tinyModel(devices.best!);
  assertEquals([...freezeBut(model, "head").trained.keys()], ["wte.weight"]);
});

Deno.test("a choice that fits nothing is refused with paths that there are", () => {
  const model = classifier();
  for (const trains of ["atn", "last-", "", "h.1,", "h.1.att"]) {
    assertThrows(
      () => freezeBut(model, trains),
      RangeError,
      "is neither all, head",
    );
  }
  for (const trains of ["last-0", "last-4"]) {
    assertThrows(
      () => freezeBut(model, trains),
      RangeError,
      "the model has 3, expected a number from 1 to that",
    );
  }
});
