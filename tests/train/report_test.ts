import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { crc32, inflateSync } from "node:zlib";
import { lossChartPng, lossChartSvg } from "../../lib/train/chart.ts";
import type { MetricsRow } from "../../lib/train/metrics.ts";
import { type Report, reportHtml } from "../../lib/train/report.ts";

function training(step: number, loss: number): MetricsRow {
  return {
    step,
    loss,
    learning_rate: 1e-3,
    grad_norm: 1,
    tokens_per_second: 1000 + step,
    time: step,
  };
}

function evaluation(step: number, loss: number): MetricsRow {
  return {
    step,
    train_loss: loss - 0.25,
    val_loss: loss,
    perplexity: Math.exp(loss),
    time: step,
  };
}

/** A run of 100 steps whose loss falls from 4 to 2. */
const run: MetricsRow[] = Array.from({ length: 101 }, (_, step) => {
  const loss = 4 - step / 50;
  return step % 20 === 0
    ? [training(step, loss), evaluation(step, loss + 0.1)]
    : [training(step, loss)];
}).flat();

const report: Report = {
  title: "out/stories",
  adapter: "a GPU",
  parameterCount: 804_096,
  seconds: 3723,
  configuration: { "n-layer": 4, bias: false, data: "x.txt", resume: null },
  rows: run,
  samples: [{ step: 50, text: "once" }, { step: 100, text: "upon a time" }],
};

/** Width, height and a function from a place to its colour. */
function decodePng(file: Uint8Array) {
  const signature = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
  assertEquals([...file.subarray(0, 8)], signature);
  const view = new DataView(file.buffer, file.byteOffset);
  const chunks = new Map<string, Uint8Array>();
  for (let at = 8; at < file.length;) {
    const length = view.getUint32(at);
    const type = String.fromCharCode(...file.subarray(at + 4, at + 8));
    const sum = crc32(file.subarray(at + 4, at + 8 + length));
    assertEquals(view.getUint32(at + 8 + length), sum, type);
    chunks.set(type, file.subarray(at + 8, at + 8 + length));
    at += 12 + length;
  }
  assertEquals([...chunks.keys()], ["IHDR", "IDAT", "IEND"]);
  const header = chunks.get("IHDR")!;
  assertEquals([...header.subarray(8)], [8, 2, 0, 0, 0]);
  const size = new DataView(header.buffer, header.byteOffset);
  const width = size.getUint32(0), height = size.getUint32(4);
  const rows = inflateSync(chunks.get("IDAT")!);
  assertEquals(rows.length, (3 * width + 1) * height);
  const colour = (x: number, y: number) => {
    const at = (3 * width + 1) * y + 1 + 3 * x;
    return [...rows.subarray(at, at + 3)];
  };
  return { width, height, colour };
}

Deno.test("the SVG places the curves on the scales it labels", () => {
  const svg = lossChartSvg(run);
  const places = (name: string) => {
    const [, points] = svg.match(
      new RegExp(`class="${name}" stroke-width="2" points="([^"]+)"`),
    )!;
    return points.split(" ").map((point) => point.split(",").map(Number));
  };
  // Where the labelled values 2 and 4 of the loss lie, by their grid lines.
  const grid = [...svg.matchAll(/class="grid" [^>]*points="[\d.]+,([\d.]+) /g)];
  const labels = [...svg.matchAll(/text-anchor="end">([\d.]+)</g)];
  const y = new Map(labels.map(([, label], i) => [label, Number(grid[i][1])]));
  assertEquals(labels.length, grid.length);

  const curve = places("training");
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
  const { width, height, colour } = decodePng(lossChartPng(run));
  assertEquals([width, height], [1600, 900]);
  assertEquals(colour(0, 0), [255, 255, 255]);
  const svg = lossChartSvg(run);
  for (
    const [name, rgb] of [
      ["training", [0x00, 0x72, 0xb2]],
      ["validation", [0xd5, 0x5e, 0x00]],
    ] as const
  ) {
    const [, points] = svg.match(
      new RegExp(`class="${name}" stroke-width="2" points="([^"]+)"`),
    )!;
    const [x, y] = points.split(" ").at(-1)!.split(",").map(Number);
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
    const svg = lossChartSvg(rows);
    assert(!/NaN|Infinity|undefined/.test(svg), name);
    assert(svg.length < 60_000, name);
    for (const [, x, y] of svg.matchAll(/[" ](-?[\d.]+),(-?[\d.]+)/g)) {
      assert(Number(x) >= 0 && Number(x) <= 800, `${name}: x ${x}`);
      assert(Number(y) >= 0 && Number(y) <= 450, `${name}: y ${y}`);
    }
    if (name !== "long") decodePng(lossChartPng(rows));
  }
});

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
      "Adapter a GPU ",
      "n-layer 4 bias false data x.txt resume none ",
      "Step 100 upon a time ",
      "Earlier samples (1) Step 50 once ",
    ]
  ) assertStringIncludes(text, part);
});

Deno.test("a report needs nothing from elsewhere and runs nothing", () => {
  const html = reportHtml(report);
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
  const html = reportHtml({
    ...report,
    title: hostile,
    adapter: hostile,
    configuration: { [hostile]: hostile },
    samples: [{ step: 1, text: hostile }],
  });
  assert(!html.includes("<script"));
  assertEquals(html.match(/<\/pre>/g)?.length, 1);
  assertEquals(html.match(/&lt;script&gt;/g)?.length, 6);
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
