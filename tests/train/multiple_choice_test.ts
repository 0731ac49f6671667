import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertRejects,
} from "@std/assert";
import {
  type MultipleChoice,
  parseMultipleChoice,
} from "../../lib/data/multiple_choice.ts";
import { Device } from "../../lib/gpu/device.ts";
import { openWeights } from "../../lib/io/weights.ts";
import { loadTokenizer } from "../../lib/text/load.ts";
import type { Tokenizer } from "../../lib/text/tokenizer.ts";
import { answer } from "../../lib/train/multiple_choice.ts";
import { readConfig } from "../../models/folder.ts";
import { newModel } from "../../models/model_types.ts";
import { loadWeights } from "../../models/weights.ts";

// What PyTorch makes of the rows; see make_choices.py.
const fixtures = new URL("../fixtures/choices/", import.meta.url);

interface Expected {
  readonly acc: number;
  readonly acc_norm: number;
  readonly rows: readonly {
    readonly sums: readonly number[];
    readonly pick: number;
    readonly pick_norm: number;
  }[];
}

const expected: Readonly<Record<string, Expected>> = JSON.parse(
  await Deno.readTextFile(new URL("expected.json", fixtures)),
);
const questions = parseMultipleChoice(
  await Deno.readTextFile(new URL("rows.jsonl", fixtures)),
  "rows.jsonl",
);

let device: Device;
let tokenizer: Tokenizer;

Deno.test.beforeAll(async () => {
  device = await Device.open();
  tokenizer = await loadTokenizer(new URL(".", fixtures).pathname);
});

Deno.test.afterAll(() => device[Symbol.dispose]());

async function open(name: string) {
  const place = name === "gpt2" ? "../gpt2" : `../llama/${name}`;
  const folder = new URL(place, fixtures).pathname;
  using stored = openWeights(folder);
  const model = newModel({ device, random: null }, readConfig(folder));
  await loadWeights(model, stored, folder);
  return model;
}

for (const [name, { rows }] of Object.entries(expected)) {
  Deno.test(`${name}: endings are as likely as PyTorch finds them, and the same picked`, async () => {
    const model = await open(name);
    const asked = questions.slice(-rows.length);
    const ask = (batchSize?: number) =>
      Array.fromAsync(
        answer({ device, model, tokenizer, questions: asked, batchSize }),
      );
    const answers = await ask();
    assertEquals(answers.length, rows.length);
    answers.forEach(({ sums, pick, pickNorm, label }, i) => {
      assertEquals(sums.length, rows[i].sums.length);
      sums.forEach((sum, n) =>
        assertAlmostEquals(sum, rows[i].sums[n], 1e-4, `${i} ${n}`)
      );
      assertEquals([pick, pickNorm], [rows[i].pick, rows[i].pick_norm]);
      assertEquals(label, asked[i].label);
    });
    // Only the last is longer than a block, or in the small block the last two.
    assert(answers.at(-1)!.isCut);
    if (name !== "gpt2") {
      assert(answers.slice(0, -1).every(({ isCut }) => !isCut));
    }
    const alone = await ask(1);
    alone.forEach(({ sums }, i) =>
      sums.forEach((sum, n) =>
        assertAlmostEquals(sum, answers[i].sums[n], 2e-5)
      )
    );
  });
}

Deno.test("answering leaves nothing on the device", async () => {
  const model = await open("llama3");
  const ask = () =>
    Array.fromAsync(
      answer({ device, model, tokenizer, questions, batchSize: 3 }),
    );
  await ask(); // a model keeps what turns positions
  const before = device.bytesInUse;
  await ask();
  assertEquals(device.bytesInUse, before);
});

Deno.test("an ending that does not fit the block, or has nothing before it, is refused", async () => {
  const model = await open("gpt2");
  const ask = (question: MultipleChoice) =>
    Array.fromAsync(
      answer({ device, model, tokenizer, questions: [question] }),
    );
  const endings = ["a", "bcd".repeat(6)];
  await assertRejects(
    () => ask({ context: "A", endings, label: 0 }),
    RangeError,
    'ending "bcdbcdbcdbcdbcdbcd": it has 19 tokens, the model reads 16',
  );
  await assertRejects(
    () => ask({ context: " ", endings: ["a", "b"], label: 0 }),
    RangeError,
    'ending "a": its context has 0 tokens',
  );
});
