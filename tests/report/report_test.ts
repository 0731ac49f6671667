import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { reportFiles } from "../../lib/report/report_files.ts";
import { type Report, reportHtml } from "../../lib/report/report.ts";
import { scoreClasses } from "../../lib/train/class_scores.ts";
import { decodePng } from "./decode_png.ts";
import { run } from "./runs.ts";

const report: Report = {
  title: "out/stories",
  adapter: "a GPU",
  parameterCount: 804_096,
  seconds: 3723,
  configuration: { "n-layer": 4, bias: false, data: "x.txt", resume: null },
  rows: run,
  samples: [{ step: 50, text: "once" }, { step: 100, text: "upon a time" }],
};

Deno.test("a report says what was reached, with what, and in what time", () => {
  const html = reportHtml(report);
  const text = html.replace(/<[^>]*>/g, "|").replace(/[|\s]+/g, " ");
  for (
    const part of [
      "Steps 100 ",
      "Validation loss 2.1000 ",
      "Perplexity 8.17 ",
      "Training loss 1.8500 ",
      "Tokens per second (median) 1,050 ",
      "Time 1 h 2 min ",
      "Parameters 804,096 ",
      "GPU adapter a GPU ",
      "n-layer 4 bias false data x.txt resume none ",
      "Step 100 upon a time ",
      "Earlier samples (1) Step 50 once ",
    ]
  ) assertStringIncludes(text, part);
});

const scores = scoreClasses({
  labels: [0, 0, 0, 1, 1],
  guesses: [0, 0, 1, 1, 1],
  classes: 2,
});

/** A report with every section. */
const full: Report = {
  ...report,
  trainableCount: 8_041,
  results: { "Test accuracy": "80.00 %" },
  rows: [
    { step: 1, loss: 2, mean_token_accuracy: 0.4, learning_rate: 1e-4 },
    { step: 2, eval_loss: 1, eval_accuracy: 0.9 },
  ],
  classes: { split: "test", labels: ["ham", "spam"], scores },
  answers: [
    { prompt: "Say hi.", expected: "hi", answer: "hi there", score: 2 / 3 },
  ],
  masks: [[
    { text: "Q: hi\n", learned: false },
    { text: "A", learned: true },
    { text: "", learned: true },
    { text: "é", learned: true },
    ...Array.from({ length: 5 }, () => ({ text: "<pad>", learned: false })),
  ]],
  data: { rows: 1494, "rows cut short": 3 },
};

Deno.test("a report of fine-tuning shows classes, answers, and what is learned", () => {
  const html = reportHtml(full);
  const text = html.replace(/<[^>]*>/g, "|").replace(/[|\s]+/g, " ");
  for (
    const part of [
      "Test accuracy 80.00 % Steps 2 Validation loss 1.0000 ",
      "Trained parameters 8,041 (1.00 %) ",
      "validation accuracy",
      "More curves",
      "Classes (test) ",
      "spam 66.67 % 100.00 % 80.00 % 2 ",
      "macro average 83.33 % 83.33 % 80.00 % 5 ",
      "Prompt Say hi. Expected hi Answer (overlap 66.67 %) hi there ",
      "Example 1: 3 of 9 tokens are learned ",
      "&lt;pad&gt; × 5 ",
      "Data rows 1494 rows cut short 3 ",
    ]
  ) assertStringIncludes(text, part);
  const learned = [...html.matchAll(/<span class="learned">([^<]*)</g)];
  assertEquals(learned.map(([, text]) => text), ["learned", "A", "é"]);
  assertStringIncludes(html, "<span>Q: hi⏎\n</span>");
});

Deno.test("what is absent has no section", () => {
  const headings = (report: Report) =>
    [...reportHtml(report).matchAll(/<h2>([^<]*)</g)].map(([, name]) => name);
  assertEquals(headings(report), ["Result", "Samples", "Configuration"]);
  assertEquals(headings({ ...full, samples: undefined }), [
    "Result",
    "Classes (test)",
    "Answers",
    "What is learned",
    "Data",
    "Configuration",
  ]);
});

Deno.test("every element of a report is closed in its place", () => {
  const open: string[] = [];
  const empty = new Set(["meta", "polyline", "circle", "rect"]);
  const html = reportHtml(full).replace("<!DOCTYPE html>", "");
  for (const [, end, name, inside] of html.matchAll(/<(\/?)(\w+)([^>]*)>/g)) {
    if (end) assertEquals(open.pop(), name);
    else if (!empty.has(name) && !inside.endsWith("/")) open.push(name);
  }
  assertEquals(open, []);
});

Deno.test("a report's files are its page and a picture of each of its curves", () => {
  const names = (report: Report) => [...reportFiles(report)].map((f) => f.name);
  assertEquals(names(report), ["loss.svg", "loss.png", "report.html"]);
  assertEquals(names(full), [
    ...["loss.svg", "loss.png", "accuracy.svg", "accuracy.png"],
    ...["confusion_matrix.svg", "confusion_matrix.png", "report.html"],
  ]);
  for (const { name, content } of reportFiles(full)) {
    if (typeof content !== "string") decodePng(content);
    else assertStringIncludes(content, name.endsWith("svg") ? "<svg" : "<html");
  }
});

Deno.test("a report needs nothing from elsewhere and runs nothing", () => {
  const html = reportHtml(full);
  const addresses = html.match(/\b(https?:|file:|data:|\/\/)[^"'\s]*/g) ?? [];
  assertEquals(new Set(addresses), new Set(["http://www.w3.org/2000/svg"]));
  assert(
    !/<(script|link|img|iframe|object)|\b(src|href|on\w+)=|url\(|@import/i.test(
      html,
    ),
  );
});

Deno.test("nothing in a report can become markup", () => {
  const hostile = `</pre></style><script>alert("1")</script>&amp;'\0\ud800`;
  const named = { [hostile]: hostile };
  const html = reportHtml({
    ...full,
    title: hostile,
    adapter: hostile,
    configuration: named,
    data: named,
    results: named,
    samples: [{ step: 1, text: hostile }],
    classes: { split: hostile, labels: [hostile, hostile], scores },
    answers: [{ prompt: hostile, expected: hostile, answer: hostile }],
    masks: [[{ text: hostile, learned: true }]],
  });
  assert(!html.includes("<script"));
  assertEquals(html.match(/<\/pre>/g)?.length, 5);
  // Title 2, adapter 1, settings, data and results 2 each, sample 1, heading 1,
  // matrix 4, table 2, answers 3, mask 1.
  assertEquals(html.match(/&lt;script&gt;/g)?.length, 21);
  assert(!html.includes("\0") && html.isWellFormed());
});

Deno.test("a report can be made of an empty run", () => {
  const html = reportHtml({
    ...report,
    rows: [],
    samples: [],
    configuration: {},
  });
  assertStringIncludes(html, "no losses were recorded");
  assertStringIncludes(html, "None were written.");
});
