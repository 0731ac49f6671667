import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import {
  accuracyChart,
  furtherCharts,
  lossChart,
} from "../../lib/report/curves.ts";
import { svgOf } from "../../lib/report/drawing.ts";
import type { MetricsRow } from "../../lib/report/metrics.ts";
import { pngOf } from "../../lib/report/raster.ts";
import { decodePng } from "./decode_png.ts";
import { evaluation, run, training } from "./runs.ts";

/** The points of a curve in an SVG. */
function placesOf(svg: string, ink: string): number[][] {
  const [, points] = svg.match(
    new RegExp(`class="${ink}" stroke-width="2" points="([^"]+)"`),
  )!;
  return points.split(" ").map((point) => point.split(",").map(Number));
}

/** Where the labelled values of an SVG lie, by their grid lines. */
function gridOf(svg: string): Map<string, number> {
  const grid = [...svg.matchAll(/class="grid" [^>]*points="[\d.]+,([\d.]+) /g)];
  const labels = [...svg.matchAll(/text-anchor="end">([^<]+)</g)];
  assertEquals(labels.length, grid.length);
  return new Map(labels.map(([, label], i) => [label, Number(grid[i][1])]));
}

Deno.test("the SVG places the curves on the scales it labels", () => {
  const svg = svgOf(lossChart(run));
  const y = gridOf(svg);
  const curve = placesOf(svg, "training");
  assertEquals(curve.length, 101);
  assert(Math.abs(curve[0][1] - y.get("4.0")!) < 0.2);
  assert(Math.abs(curve[100][1] - y.get("2.0")!) < 0.2);
  assertEquals(svg.match(/<circle/g)?.length, 6);
  const validation = svg.match(/<circle class="validation"/g);
  assertEquals(validation?.length, 6);
  for (const step of ["0", "20", "100"]) {
    assertStringIncludes(svg, `text-anchor="middle">${step}</text>`);
  }
});

Deno.test("the PNG is sound, and shows both curves where the SVG has them", () => {
  const { width, height, colour } = decodePng(pngOf(lossChart(run), 2));
  assertEquals([width, height], [1600, 900]);
  assertEquals(colour(0, 0), [255, 255, 255]);
  const svg = svgOf(lossChart(run));
  for (
    const [name, rgb] of [
      ["training", [0x00, 0x72, 0xb2]],
      ["validation", [0xd5, 0x5e, 0x00]],
    ] as const
  ) {
    const [x, y] = placesOf(svg, name).at(-1)!;
    assertEquals(colour(Math.round(2 * x) - 1, Math.round(2 * y)), [...rgb]);
  }
});

Deno.test("any run gives a chart: none, one row, constant, NaN, very long", () => {
  const runs: Record<string, MetricsRow[]> = {
    none: [],
    "one row": [training(1, 3)],
    "one evaluation": [evaluation(0, 3)],
    constant: [training(1, 3), training(2, 3)],
    "NaN only": [training(1, NaN)],
    "NaN in between": [training(1, 3), training(2, NaN), training(3, 2)],
    zero: [training(1, 0), evaluation(1, 0)],
    tiny: [training(1, 1e-9), training(2, 2e-9)],
    huge: [training(1, 1e9), training(2, 1)],
    long: Array.from({ length: 200_000 }, (_, i) => training(i + 1, 1 / i)),
  };
  for (const [name, rows] of Object.entries(runs)) {
    const svg = svgOf(lossChart(rows));
    assert(!/NaN|Infinity|undefined/.test(svg), name);
    assert(svg.length < 60_000, name);
    for (const [, x, y] of svg.matchAll(/[" ](-?[\d.]+),(-?[\d.]+)/g)) {
      assert(Number(x) >= 0 && Number(x) <= 800, `${name}: x ${x}`);
      assert(Number(y) >= 0 && Number(y) <= 450, `${name}: y ${y}`);
    }
    if (name !== "long") decodePng(pngOf(lossChart(rows), 2));
  }
});

Deno.test("fine-tuning has the same curves by the names TRL gives them", () => {
  const named = (rows: MetricsRow[]) => svgOf(lossChart(rows));
  const pretraining = [evaluation(0, 3), training(1, 2), evaluation(2, 1)];
  const finetuning = pretraining.map(({ step, loss, val_loss }): MetricsRow =>
    loss !== undefined ? { step, loss } : { step, eval_loss: val_loss }
  );
  assertEquals(named(finetuning), named(pretraining));
});

Deno.test("losses of evaluations stand in where no step was logged", () => {
  const svg = svgOf(lossChart([evaluation(0, 4), evaluation(10, 2)]));
  assertEquals(placesOf(svg, "training").length, 2);
  assertStringIncludes(svg, "training loss");
});

Deno.test("accuracies are on a scale of percent", () => {
  const rows: MetricsRow[] = [
    { step: 0, eval_accuracy: 0.5, eval_f1: 0.4 },
    { step: 10, mean_token_accuracy: 0.6, loss: 1 },
    { step: 20, mean_token_accuracy: 0.7, loss: 1 },
    { step: 20, eval_accuracy: 1, eval_f1: 0.8, eval_exact_match: 0.6 },
  ];
  const svg = svgOf(accuracyChart(rows)!);
  const y = gridOf(svg);
  const near = (ink: string, label: string) =>
    assert(Math.abs(placesOf(svg, ink).at(-1)![1] - y.get(label)!) < 0.2, ink);
  near("validation", "100 %");
  near("training", "70 %");
  near("second", "80 %");
  // A curve of one point is a dot.
  const [, dot] = svg.match(/<circle class="third"[^>]* cy="([\d.]+)"/)!;
  assert(Math.abs(Number(dot) - y.get("60 %")!) < 0.2);
  for (const name of ["training accuracy", "validation F1", "exact matches"]) {
    assertStringIncludes(svg, name);
  }
  // All right, and never otherwise: 100 % is the top of the scale.
  const perfect = svgOf(accuracyChart([{ step: 1, eval_accuracy: 1 }])!);
  assertEquals(
    gridOf(perfect).get("100 %"),
    Math.min(...gridOf(perfect).values()),
  );
});

Deno.test("there is no chart of what was not measured", () => {
  assertEquals(accuracyChart(run), null);
  assertEquals(accuracyChart([{ step: 1, eval_accuracy: NaN }]), null);
  assertEquals(furtherCharts([{ step: 1, loss: 2 }]), []);
  assertEquals(furtherCharts(run).map(({ title }) => title), [
    "Learning rate over the steps",
    "Gradient norm over the steps",
  ]);
  // The axis names a curve that is alone.
  const [{ texts }] = furtherCharts(run);
  assertEquals(
    texts.filter(({ text }) => text === "learning rate").length,
    1,
  );
});

Deno.test("the legend keeps out of the way of the curves", () => {
  const legendAt = (rows: MetricsRow[]) => {
    const { texts } = lossChart(rows);
    return texts.find(({ text }) => text === "training loss")!.at;
  };
  const curve = (loss: (step: number) => number): MetricsRow[] =>
    Array.from({ length: 101 }, (_, step) => ({ step, loss: loss(step) }));
  const [rightX, topY] = legendAt(curve((step) => 1 / (step + 1)));
  const [risingX, risingY] = legendAt(curve((step) => 1 - 1 / (step + 1)));
  const [, peakY] = legendAt(curve((step) => -((step - 50) ** 2)));
  assert(rightX > 400 && topY < 225);
  assert(risingX > 400 && risingY > 225);
  assert(peakY < 225);
});
