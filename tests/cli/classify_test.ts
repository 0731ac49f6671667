/**
 * The label of every line, from stdin, files and tables.
 */

import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import { lineGroups } from "../../cli/line_groups.ts";
import { Device } from "../../lib/gpu/device.ts";
import { Random } from "../../lib/random.ts";
import { CharTokenizer } from "../../lib/text/char.ts";
import { classProbabilities } from "../../lib/train/classification.ts";
import { newClassifier } from "../../models/classifier.ts";
import { saveClassifier } from "../../models/classifier_folder.ts";
import { run, start, type Workplace, workplace } from "./program.ts";

const LABELS = ["ham", "spam", "a\tthird"];
const TEXTS = ["see you", "call now", "x", "the prize is yours"];

let place: Workplace;
let model: string;
/** The probabilities of each of the texts, as the library finds them. */
let expected: readonly Float64Array[];

Deno.test.beforeAll(async () => {
  place = workplace();
  model = place.path("classifier");
  const tokenizer = new CharTokenizer("abcdefghijklmnopqrstuvwxyz ");
  using device = await Device.open();
  const classifier = newClassifier({ device, random: new Random(3) }, {
    body: {
      vocabSize: tokenizer.vocabSize,
      blockSize: 20,
      nLayer: 1,
      nHead: 2,
      nEmbd: 16,
    },
    labels: LABELS,
  });
  classifier.score.weight.write(new Random(4).normal(3 * 16, 1));
  await saveClassifier(model, { model: classifier, tokenizer });
  expected = await classProbabilities({
    device,
    model: classifier,
    examples: TEXTS.map((text) => ({ ids: tokenizer.encode(text) })),
  });
});

Deno.test.afterAll(() => place[Symbol.dispose]());

/** The line that is printed for a text. */
function lineFor(text: string): string {
  const shares = [...expected[TEXTS.indexOf(text)]];
  const guess = LABELS[shares.indexOf(Math.max(...shares))];
  const named = LABELS.map((label, k) => `${label}=${shares[k].toFixed(4)}`);
  return [guess, ...named, text].map((part) => part.replace(/\s/g, " "))
    .join("\t");
}

function write(name: string, text: string): string {
  const path = place.path(name);
  Deno.writeTextFileSync(path, text);
  return path;
}

async function classify(...args: string[]) {
  const { code, out, err } = await run("classify", "--model", model, ...args);
  assertEquals(code, 0, err);
  return { lines: out.trimEnd().split("\n"), err };
}

Deno.test("a process that may only read the model answers every line of stdin in order", async () => {
  const { code, out, err } = await start(
    ["classify", "--model", model, "--batch-size", "2"],
    { read: [model], stdin: `${TEXTS.join("\n")}\n\n  \nx` },
  ).outcome();
  assertEquals(code, 0, err);
  const lines = [...TEXTS, "x"].map(lineFor);
  const guesses = new Set(lines.map((line) => line.split("\t")[0]));
  assert(guesses.size > 1, `all are taken for ${[...guesses]}`);
  assertEquals(out, `${lines.join("\n")}\n`);
  assertStringIncludes(err, "note: empty lines passed over: 2");
});

Deno.test("a file of any other name is a text a line", async () => {
  const { lines } = await classify(
    "--data",
    write("a.log", "x\r\ncall now\r\n"),
  );
  assertEquals(lines, ["x", "call now"].map(lineFor));
});

Deno.test("--json says the line, and the probability of every label", async () => {
  const path = write("a.tsv", "text\tother\n\nx\t1\nsee you\t2\n");
  const { lines } = await classify(
    "--json",
    "--data",
    path,
    "--header",
    "--text-column",
    "text",
  );
  const rows = lines.map((line) => JSON.parse(line));
  assertEquals(rows.map(({ line, text }) => [line, text]), [
    [3, "x"],
    [4, "see you"],
  ]);
  for (const { text, label, probabilities } of rows) {
    const shares = [...expected[TEXTS.indexOf(text)]];
    assertEquals(Object.keys(probabilities), LABELS);
    const off = LABELS.map((label, k) =>
      Math.abs(probabilities[label] - shares[k])
    );
    assert(Math.max(...off) < 1e-6, `${off}`);
    assertEquals(label, LABELS[shares.indexOf(Math.max(...shares))]);
  }
});

Deno.test("with --label-column it says how good the answers are", async () => {
  const guesses = TEXTS.map((text) => lineFor(text).split("\t")[0])
    .map((guess) => guess === "a third" ? "a\tthird" : guess);
  const wrong = LABELS.find((label) => label !== guesses[0])!;
  const rows = TEXTS.map((text, i) => ({
    sms: text,
    is: i === 0 ? wrong : guesses[i],
  }));
  const path = write(
    "a.jsonl",
    rows.map((row) => JSON.stringify(row)).join("\n"),
  );
  const args = ["--data", path, "--label-column", "is"];
  const { lines, err } = await classify(...args);
  assertEquals(lines, TEXTS.map(lineFor));
  assertStringIncludes(err, "accuracy 75.00 % of 4\n");
  assertMatch(err, /^class +precision +recall +F1 +examples$/m);
  assertMatch(err, /^actual +ham +spam +a third$/m);
  const json = (await classify(...args, "--json")).lines.map((line) =>
    JSON.parse(line).expected
  );
  assertEquals(json, rows.map(({ is }) => is));
});

Deno.test("texts longer than the model's block are cut, and that is said", async () => {
  const path = write("long.txt", `${"a".repeat(21)}\n${"a".repeat(20)}\n`);
  const { lines, err } = await classify("--data", path);
  assertStringIncludes(err, "note: of 1 texts the end did not fit the model's");
  const shares = lines.map((line) => line.split("\t").slice(1, -1));
  assertEquals(shares[0], shares[1]);
});

Deno.test("what cannot be classified is said in one line", async () => {
  const table = write("b.csv", "label,text\neggs,x\n");
  const cases: [args: string, code: number, says: string][] = [
    ["--text-column 2", 2, "--text-column is for --data that is a table"],
    [`--data ${write("c.txt", "x")} --no-header`, 2, "--header is for --data"],
    ["word --bach-size 2", 2, 'did you mean --batch-size?; unexpected "word"'],
    [`--data ${table} --label-column 3`, 1, 'there is no column "3"'],
    [
      `--data ${table} --label-column label`,
      1,
      'Cannot compare line 2: its label "eggs" is none of the model\'s, which are "ham", "spam"',
    ],
    [`--data ${place.path("none.csv")}`, 1, "there is no such file or folder"],
  ];
  for (const [args, code, says] of cases) {
    const outcome = await run("classify", "--model", model, ...args.split(" "));
    assertEquals(outcome.code, code, outcome.err);
    assertStringIncludes(outcome.err, says);
    assertEquals(outcome.err.match(/^error: /gm)?.length, 1);
  }
});

Deno.test("a language model is no classifier", async () => {
  const folder = new URL("../fixtures/gpt2", import.meta.url).pathname;
  const path = write("d.txt", "x");
  const { code, err } = await run(
    "classify",
    "--model",
    folder,
    "--data",
    path,
  );
  assertEquals(code, 1);
  assertStringIncludes(err, "it is a GPT2LMHeadModel, expected one …ForSeq");
});

Deno.test("lines that wait are grouped, and one that comes alone goes alone", async () => {
  const sent = Promise.withResolvers<void>();
  async function* lines() {
    yield* ["a", "b", "c", "d", "e"];
    await sent.promise;
    yield "f";
  }
  const groups: string[][] = [];
  for await (const group of lineGroups(lines(), 2)) {
    groups.push(group.map(({ text, line }) => `${line}${text}`));
    if (groups.flat().length === 5) sent.resolve();
    await new Promise((resolve) => setTimeout(resolve)); // the work on a group
  }
  assertEquals(groups.flat(), ["1a", "2b", "3c", "4d", "5e", "6f"]);
  assertEquals(groups.at(-1), ["6f"]);
  assert(groups.every(({ length }) => length <= 2), `${groups}`);
  assert(groups.some(({ length }) => length === 2), `${groups}`);
});

Deno.test("an error while reading lines comes after those that were read", async () => {
  async function* lines() {
    yield "a";
    throw new Error("it broke");
  }
  const seen: string[] = [];
  let message = "";
  try {
    for await (const group of lineGroups(lines(), 4)) {
      seen.push(...group.map(({ text }) => text));
    }
  } catch (error) {
    message = (error as Error).message;
  }
  assertEquals({ seen, message }, { seen: ["a"], message: "it broke" });
});
