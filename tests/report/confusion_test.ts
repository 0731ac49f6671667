import { assert, assertEquals, assertThrows } from "@std/assert";
import { classTableText } from "../../lib/report/class_table.ts";
import { confusionMatrix } from "../../lib/report/confusion_picture.ts";
import { confusionText } from "../../lib/report/confusion_text.ts";
import { svgOf } from "../../lib/report/drawing.ts";
import { pngOf } from "../../lib/report/raster.ts";
import { scoreClasses } from "../../lib/train/class_scores.ts";
import { decodePng } from "./decode_png.ts";

const spam = { labels: ["ham", "spam"], counts: [[140, 10], [30, 120]] };

/** As many classes as told; each taken for the next one now and then. */
function many(classes: number) {
  const labels = Array.from({ length: classes }, (_, i) => `intent_${i}`);
  const counts = labels.map((_, i) =>
    labels.map((_, j) => i === j ? 100 : (i + 1) % classes === j ? i + 1 : 0)
  );
  return { labels, counts };
}

Deno.test("a cell is as strong as the share of its class", () => {
  const { areas, texts } = confusionMatrix(spam);
  assertEquals(
    areas.map(({ ink, strength }) => [ink, Math.round(strength * 1000)]),
    [
      ["training", 933],
      ["validation", 67],
      ["validation", 200],
      ["training", 800],
    ],
  );
  const shown = texts.map(({ text }) => text);
  for (
    const text of [
      ...["predicted", "actual", "140", "93.33 %", "10", "6.67 %"],
      ...["30", "20.00 %", "120", "80.00 %"],
    ]
  ) {
    assertEquals(shown.filter((other) => other === text).length, 1, text);
  }
  assertEquals(shown.filter((text) => text === "spam").length, 2);
  // Rows are what is, columns what was said: 10 hams lie right of 140.
  const [right, wrong] = ["140", "10"].map((text) =>
    texts.find((other) => other.text === text)!.at
  );
  assert(wrong[0] > right[0] && wrong[1] === right[1]);
});

Deno.test("the picture has its colours where the cells are", () => {
  const drawing = confusionMatrix(spam);
  const { colour } = decodePng(pngOf(drawing, 2));
  const light: Record<string, number[]> = {
    training: [0x00, 0x72, 0xb2],
    validation: [0xd5, 0x5e, 0x00],
  };
  for (const { at: [x, y], ink, strength } of drawing.areas) {
    const mixed = light[ink].map((c) => Math.round(255 + (c - 255) * strength));
    assertEquals(colour(Math.round(2 * x) + 8, Math.round(2 * y) + 8), mixed);
  }
});

Deno.test("any number of classes makes a picture of bounded size", () => {
  for (const classes of [1, 2, 5, 12, 40, 77, 200]) {
    const drawing = confusionMatrix(many(classes));
    const { width, height, areas, texts } = drawing;
    assert(width <= 1000 && height <= 1000, `${classes}: ${width} x ${height}`);
    for (const { at: [x, y], width: w, height: h } of areas) {
      assert(x >= 0 && y >= 0 && x + w <= width && y + h <= height);
    }
    for (const { at: [x, y] } of texts) {
      assert(x >= 0 && y >= 0 && x <= width && y <= height, `${classes}`);
    }
    assert(!/NaN|undefined/.test(svgOf(drawing)));
  }
  decodePng(pngOf(confusionMatrix(many(77)), 1));
});

Deno.test("a class without examples is an empty row", () => {
  const confusion = { labels: ["a", "b"], counts: [[1, 1], [0, 0]] };
  assertEquals(confusionMatrix(confusion).areas.length, 2);
  assert(!svgOf(confusionMatrix(confusion)).includes("NaN"));
});

Deno.test("what is no square is refused with its sizes", () => {
  for (const show of [confusionMatrix, confusionText]) {
    assertThrows(
      () => show({ labels: ["a", "b"], counts: [[1, 2, 3], [4, 5, 6]] }),
      RangeError,
      "Cannot show confusions of 2 classes: expected as many rows and columns, got rows of [3,3]",
    );
    assertThrows(() => show({ labels: [], counts: [] }), RangeError);
  }
});

Deno.test("a terminal shows the matrix with aligned columns", () => {
  assertEquals(
    confusionText(spam),
    `
        predicted
actual  ham  spam
ham     140    10
spam     30   120`.slice(1),
  );
  const wide = { labels: ["好", "not good"], counts: [[1, 2], [3, 4]] };
  assertEquals(
    confusionText(wide),
    `
          predicted
actual    好  not good
好         1         2
not good   3         4`.slice(1),
  );
});

Deno.test("a matrix too wide for the terminal numbers its columns, or is a list", () => {
  const five = many(5);
  const [, head, first] = confusionText(five, { columns: 50 }).split("\n");
  assertEquals(head, "actual        1    2    3    4    5");
  assertEquals(first, "1 intent_0  100    1    0    0    0");
  const lines = confusionText(many(30)).split("\n");
  assertEquals(lines[0], "Most frequent confusions:");
  assertEquals(lines[1], "    30  intent_29 taken for intent_0");
  assertEquals(lines[20], "    11  intent_10 taken for intent_11");
  assertEquals(lines[21], "    55  in 10 more ways");
  assertEquals(lines.length, 22);
  const right = many(30);
  right.counts.forEach((row, i) => row.fill(0).fill(9, i, i + 1));
  assertEquals(confusionText(right), "No class was taken for another.");
});

Deno.test("a table has the scores of each class and their means", () => {
  const guesses = {
    labels: [0, 0, 0, 1, 1],
    guesses: [0, 0, 1, 1, 1],
    classes: 2,
  };
  const report = {
    split: "test",
    labels: ["ham", "spam"],
    scores: scoreClasses(guesses),
  };
  assertEquals(
    classTableText(report),
    `
class             precision    recall       F1  examples
ham                100.00 %   66.67 %  80.00 %         3
spam                66.67 %  100.00 %  80.00 %         2
macro average       83.33 %   83.33 %  80.00 %         5
weighted average    86.67 %   80.00 %  80.00 %         5`.slice(1),
  );
});
