import { assertEquals, assertThrows } from "@std/assert";
import { parseMultipleChoice } from "../../lib/data/multiple_choice.ts";

Deno.test("rows of HellaSwag are put together and cleaned as lm-evaluation-harness does", () => {
  const row = {
    activity_label: "Home and Garden",
    ctx_a: "[header] How to wash [title] Begin. [step] Fill  it.",
    ctx_b: "the MAN",
    ctx: "not read",
    endings: [" is up. ", "[substeps] a [b] c"],
    label: "1",
  };
  assertEquals(parseMultipleChoice(`${JSON.stringify(row)}\n`, "x"), [{
    context: "Home and Garden: How to wash. Begin. Fill it. The man",
    endings: ["is up.", " a c"],
    label: 1,
  }]);
});

Deno.test("other rows are taken as they are", () => {
  const row = { ctx: " [a]  b ", endings: [" c", "[d]", "e"], label: 2 };
  const text = `\n${JSON.stringify({ ...row, ind: 3 })}\r\n\n`;
  assertEquals(parseMultipleChoice(text, "x"), [
    { context: row.ctx, endings: row.endings, label: 2 },
  ]);
});

Deno.test("what is wrong is said with its file and line", () => {
  const good = '{"ctx":"a","endings":["b","c"],"label":0}\n';
  const refused: [line: string, problem: string][] = [
    ["{", "line 2: "],
    ["[]", "line 2: expected an object"],
    ['{"endings":["b","c"],"label":0}', "line 2: ctx must be a text"],
    ['{"ctx":"a","endings":["b"],"label":0}', "endings must be two texts"],
    ['{"ctx":"a","endings":["b",""],"label":0}', "none empty"],
    [
      '{"ctx":"a","endings":["b","c"],"label":2}',
      "label is 2, expected a whole number from 0 to 1",
    ],
    ['{"ctx":"a","endings":["b","c"],"label":""}', 'label is ""'],
    ['{"ctx":"a","endings":["b","c"]}', "label is undefined"],
    [
      '{"activity_label":"a","ctx_a":"b","ctx_b":"","endings":["c","[d]"],"label":0}',
      "an ending has nothing but what is left out",
    ],
  ];
  for (const [line, problem] of refused) {
    const error = assertThrows(
      () => parseMultipleChoice(good + line, "file.jsonl"),
      SyntaxError,
      problem,
    );
    assertEquals(error.message.startsWith("Cannot read file.jsonl: "), true);
  }
  assertThrows(
    () => parseMultipleChoice("\n", "x"),
    SyntaxError,
    "x: there are",
  );
});
