/**
 * Fine-tuning that cannot work is refused with one line that says why; what may
 * be wrong is warned about.
 */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { FAILED, WRONG_USAGE } from "./finetune_cases.ts";
import { finetunePlace, succeed } from "./finetune_place.ts";
import { run, wordsIn, type Workplace } from "./program.ts";
import { assertRefused } from "./refusal.ts";

let place: Workplace;

Deno.test.beforeAll(async () => {
  place = await finetunePlace();
  const rows = (...rows: readonly object[]) =>
    rows.map((row) => JSON.stringify(row)).join("\n");
  const row = { instruction: "Say it", output: "it" };
  const files = {
    "one.csv": "label,text\nham,a\nham,b\n",
    "few.csv": "label,text\nham,a\nspam,b\n",
    "holes.csv": "label,text\nham,\nspam,b\n,c\n",
    "ragged.csv": 'label,text\nham,a\nspam,"b\n',
    "header.csv": "label,text\n",
    "strange.csv": "label,text\nham,a\neggs,b\n",
    "three.csv": "a,b,c\n1,2,3\n1,2,4\n",
    "empty.csv": "",
    "texts.txt": "ham a\nspam b\n",
    "broken.jsonl": '{"instruction": "x", "output": "y"}\n{"instruction\n[1]',
    "mixed.jsonl": rows(row, row, { prompt: "x", completion: "y" }),
    "other.jsonl": rows({ question: "x", reply: "y" }),
    "answerless.jsonl": rows({ ...row, output: "" }, { ...row, output: " " }),
    "few.jsonl": rows(row, row),
    "long.jsonl": rows(
      ...Array.from({ length: 4 }, (_, i) => ({
        instruction: `${i} ${"x".repeat(200)}`,
        output: "y",
      })),
    ),
    "turns.jsonl": rows({
      messages: [{ role: "tool", content: "x" }, {
        role: "assistant",
        content: "y",
      }],
    }),
  };
  for (const [name, text] of Object.entries(files)) {
    Deno.writeTextFileSync(place.path(name), text);
  }
  await succeed(
    ...["finetune", "classify", "--model", place.path("gpt2")],
    ...["--data", place.path("texts.csv"), "--out", place.path("adapter")],
    ..."--trainable-layers lora --max-iters 0".split(" "),
  );
});

Deno.test.afterAll(() => place[Symbol.dispose]());

for (const [code, cases] of [[2, WRONG_USAGE], [1, FAILED]] as const) {
  for (const wrong of cases) {
    const { args } = wrong;
    Deno.test(`${code}: ${args}`, () => assertRefused(place, code, wrong));
  }
}

Deno.test("what may be wrong with texts is warned about", async () => {
  const rows = Array.from(
    { length: 30 },
    (_, i) => `${i % 2 ? "ham" : "spam"},see ${i}`,
  );
  rows.push(`spam,${"x".repeat(30)}`);
  const write = (name: string, rows: readonly string[]) =>
    Deno.writeTextFileSync(
      place.path(name),
      ["label,text", ...rows].join("\n"),
    );
  write("warned.csv", rows);
  write("same.csv", rows.slice(0, 5));
  assertEquals(
    await warned(
      "classify",
      "--data @warned.csv --validation-data @same.csv --test-data @same.csv --max-length 20",
    ),
    [
      "warning: texts of which only the first 20 tokens are read: 1 (the longest has 30)",
      "warning: texts to choose by or to be judged by that are also learned from, and so easier than new ones: 10",
    ],
  );
  write("rare.csv", [...rows.slice(0, 9), "rare,something"]);
  assertEquals(
    await warned(
      "classify",
      "--data @rare.csv --train-split 0.1 --validation-split 0.1",
    ),
    ["warning: classes that no text to learn from is of: rare, spam"],
  );
});

Deno.test("what may be wrong with instructions is warned about, by its lines", async () => {
  const rows = (count: number, more: readonly object[]) =>
    [
      ...Array.from({ length: count }, (_, i) => ({
        instruction: `Say ${i}`,
        output: `${i}`,
      })),
      ...more,
    ].map((row) => JSON.stringify(row)).join("\n");
  const write = (name: string, text: string) =>
    Deno.writeTextFileSync(place.path(name), text);
  const long = "x".repeat(200);
  write(
    "warned.jsonl",
    rows(3, [
      { instruction: "x", output: long },
      { instruction: long, output: "x" },
      { instruction: "x", output: "" },
      { instruction: "x", output: "y", source: "me" },
    ]),
  );
  write("more.jsonl", rows(2, [{ instruction: "z", output: long }]));
  const warnings = await warned(
    "instruct",
    "--data @warned.jsonl --data @more.jsonl --validation-data @more.jsonl --test-data @few.jsonl --prompt-style plain",
  );
  const [one, other] = ["warned.jsonl", "more.jsonl"].map(place.path);
  const cut =
    "rows whose answers are cut off after the first 96 tokens, and with them their ends";
  assertEquals(warnings, [
    `warning: rows that are left out, for they have no answer: 1 (${one}: line 6)`,
    `warning: columns that are not read: ${one} source`,
    `warning: ${cut}: 2 (${one}: line 4; ${other}: line 3)`,
    `warning: rows that are left out, for their answers begin after the first 96 tokens: 1 (${one}: line 5)`,
    `warning: ${cut}: 1 (${other}: line 3)`,
    "warning: instructions to choose by or to be answered that are also learned from, and so easier than new ones: 3",
  ]);
});

/** The warnings before a run that learns nothing. */
async function warned(task: string, flags: string): Promise<string[]> {
  const { code, out, err } = await run(
    ...wordsIn(
      place,
      `finetune ${task} --model @gpt2 --out @warned --dry-run ${flags}`,
    ),
  );
  assertEquals(code, 0, err);
  assert(!out.includes("warning"), out);
  assertStringIncludes(err, "warning: ");
  return err.split("\n").filter((line) => line.startsWith("warning: "));
}
