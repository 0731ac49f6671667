/**
 * Tables, as Python writes them and as people do.
 *
 * ../fixtures/tables/make_tables.py makes the first kind.
 */

import { assert, assertEquals, assertThrows } from "@std/assert";
import { labeledTexts, textsOf } from "../../lib/data/labeled_text.ts";
import { formatOf, parseTable } from "../../lib/data/table.ts";

interface Written {
  readonly name: string;
  readonly text: string;
  readonly quotes: boolean;
  readonly cells: readonly (readonly string[])[];
  readonly lines: readonly number[];
}

const written: Written[] = Deno.readTextFileSync(
  new URL("../fixtures/tables/tables.jsonl", import.meta.url),
).trimEnd().split("\n").map((line) => JSON.parse(line));

/** A CSV row of one empty cell is an empty line to all but Python. */
function isLine({ cells }: { readonly cells: readonly unknown[] }): boolean {
  return cells.some((cell) => cell !== "");
}

Deno.test("what Python's csv module writes is read again, line by line", () => {
  assert(written.length > 10);
  for (const { name, text, quotes, cells, lines } of written) {
    const expected = cells
      .map((cells, i) => ({ line: lines[i], cells }))
      .filter(isLine);
    const { rows } = parseTable(text, name, { quotes });
    assertEquals(rows, expected, name);
    const marked = parseTable(`\ufeff${text}`, name, { quotes });
    assertEquals(marked.rows, expected, `${name} with a byte order mark`);
    const open = parseTable(text.trimEnd(), name, { quotes });
    assertEquals(open.rows, expected, `${name} without a last line end`);
  }
});

Deno.test("quotes are text in TSV, and inside cells of CSV that begin without", () => {
  const tsv = 'ham\t"Hi there\nspam\tcall "now"\n';
  assertEquals(
    parseTable(tsv, "sms.tsv").rows.map(({ cells }) => cells),
    [["ham", '"Hi there'], ["spam", 'call "now"']],
  );
  assertEquals(
    parseTable('a 5" pipe,x\n,"y"\n', "a.csv").rows.map(({ cells }) => cells),
    [['a 5" pipe', "x"], ["", "y"]],
  );
});

Deno.test("the ending of a name says how a table is written", () => {
  const names = ["A.CSV", "b.tsv", "c.tab", "d.jsonl", "e.ndjson"];
  assertEquals(names.map(formatOf), ["csv", "tsv", "tsv", "jsonl", "jsonl"]);
  assertThrows(
    () => parseTable("a,b", "table.txt"),
    RangeError,
    "Cannot read table.txt: expected a name that ends in .csv, .tsv or .jsonl",
  );
});

Deno.test("every bad row is named by its line, the first five of them", () => {
  const cases: [source: string, text: string, says: string][] = [
    ["a.csv", "", "Cannot read a.csv: there are no rows in it"],
    [
      "a.csv",
      'x,"two\nlines"\n\na\nb,c\nd,e,f\n',
      "line 4 has 1 columns, line 1 2; line 6 has 3 columns, line 1 2",
    ],
    ["a.csv", 'x,y\n"a"b,c\n', "line 2: a cell in quotes is not closed, or"],
    ["a.csv", 'x,y\na,"b\nc,d\n', "line 2: a cell in quotes is not closed, or"],
    ["a.tsv", "x\ty\n".repeat(2) + "z\n".repeat(7), "; and 2 more"],
    [
      "a.jsonl",
      '{"a":1}\n[1]\n{"a":\n',
      "line 2: expected an object; line 3: ",
    ],
  ];
  for (const [source, text, says] of cases) {
    assertThrows(() => parseTable(text, source), SyntaxError, says);
  }
});

Deno.test("an open quote in a large file is refused without delay", () => {
  const text = `a,"open\n${"b,c\n".repeat(200_000)}`;
  assertThrows(() => parseTable(text, "a.csv"), SyntaxError, "line 1: a cell");
});

Deno.test("JSON lines name their columns, and a missing field is no text", () => {
  const text = '{"text":"a","label":0}\n\n{"label":true,"more":[1]}\n';
  const table = parseTable(text, "a.jsonl");
  assertEquals(table.names, ["text", "label", "more"]);
  assertEquals(table.rows, [
    { line: 1, cells: ["a", "0", undefined] },
    { line: 3, cells: [undefined, "true", undefined] },
  ]);
  assertThrows(
    () => labeledTexts(table),
    SyntaxError,
    "Cannot read a.jsonl: line 3 has no text (text is column text, label column label)",
  );
});

Deno.test("columns are found by name, by number, or because they are usual", () => {
  const table = (text: string) => parseTable(text, "a.csv");
  const found = (
    text: string,
    ...columns: Parameters<typeof labeledTexts>[1][]
  ) => {
    const { examples, ...where } = labeledTexts(table(text), ...columns);
    return [...examples.map(({ text, label }) => `${label}:${text}`), where];
  };
  const where = { textColumn: "Text", labelColumn: "Label" };
  assertEquals(found("Label,Text\nham,Hi\n"), ["ham:Hi", where]);
  assertEquals(found("id,Text,Label\n1,Hi,ham\n"), ["ham:Hi", where]);
  assertEquals(
    found("v1,v2,\nham,Hi,\n", { text: "v2", label: "v1" }),
    ["ham:Hi", { textColumn: "v2", labelColumn: "v1" }],
  );
  const numbers = { textColumn: "2", labelColumn: "1" };
  const rows = "ham,Hi\nspam,Call\nham,Ok\n";
  const read = ["ham:Hi", "spam:Call", "ham:Ok"];
  assertEquals(found(rows), [...read, numbers]);
  assertEquals(found(rows, { text: "2" }), [...read, numbers]);
  assertEquals(found("1,Hi\n0,Ok\n", { label: "1" }), [
    "1:Hi",
    "0:Ok",
    numbers,
  ]);
  assertEquals(found(rows, { text: "2", header: true }), [
    "spam:Call",
    "ham:Ok",
    { textColumn: "Hi", labelColumn: "ham" },
  ]);
  assertEquals(found("label,text\nham,Hi\n", { header: false }), [
    "label:text",
    "ham:Hi",
    numbers,
  ]);
});

Deno.test("columns that are not there, or not clear, are refused with those there are", () => {
  const cases: [text: string, columns: object, says: string][] = [
    [
      "a,b,c\n1,2,3\n",
      {},
      "which column has the texts, which the labels? It has 3 columns without names, numbered from 1",
    ],
    ["label,text\nx,y\n", { text: "sms" }, 'there is no column "sms"'],
    ["label,text\nx,y\n", { label: "3" }, 'Its columns are "label", "text"'],
    ["x,x,text\n1,2,3\n", { label: "x" }, 'are several columns "x"; give its'],
    ["a,b\n", { label: "1", text: "1" }, "column 1 cannot be both the text"],
    ["label,text\n", {}, "there are no rows below its header"],
    ["a,b\n,c\nd,\n", {}, "line 2 has no label; line 3 has no text"],
  ];
  for (const [text, columns, says] of cases) {
    assertThrows(
      () => labeledTexts(parseTable(text, "a.csv"), columns),
      Error,
      says,
    );
  }
});

Deno.test("texts alone need no label", () => {
  const texts = (text: string, columns?: object) =>
    textsOf(parseTable(text, "a.csv"), columns).map(({ text }) => text);
  assertEquals(texts("text\nHi\nOk\n"), ["Hi", "Ok"]);
  assertEquals(texts("Hi\nOk\n"), ["Hi", "Ok"]);
  assertEquals(texts("ham,Hi\n", { text: "2" }), ["Hi"]);
  assertThrows(
    () => texts("ham,Hi\n"),
    RangeError,
    "which column has the texts?",
  );
});
