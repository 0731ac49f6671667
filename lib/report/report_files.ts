/**
 * The files of a report.
 *
 * @module
 */

import { confusionMatrix } from "./confusion_picture.ts";
import { accuracyChart, lossChart } from "./curves.ts";
import { type Drawing, svgOf } from "./drawing.ts";
import { pngOf } from "./raster.ts";
import { type Report, reportHtml } from "./report.ts";

/** A file: its name in the run's folder, and its content. */
export interface ReportFile {
  /** Such as `loss.svg`. */
  readonly name: string;
  /** Text or bytes. */
  readonly content: string | Uint8Array<ArrayBuffer>;
}

/** Pixels of a PNG to a unit of its drawing. */
const scale = 2;

/**
 * The page of a report and its pictures, each as SVG and PNG: the loss, and,
 * where the report has them, the accuracy and the confusion matrix.
 *
 * ```ts
 * import { reportFiles } from "@shaderloom/shaderloom";
 * import { assertEquals } from "@std/assert";
 *
 * const files = reportFiles({
 *   title: "A run",
 *   adapter: "a GPU",
 *   parameterCount: 124_439_808,
 *   seconds: 60,
 *   rows: [{ step: 1, loss: 2.5 }, { step: 1, eval_loss: 2.25 }],
 *   configuration: { steps: 1 },
 * });
 * assertEquals(Array.from(files, ({ name }) => name), [
 *   "loss.svg",
 *   "loss.png",
 *   "report.html",
 * ]);
 * ```
 */
export function* reportFiles(report: Report): Generator<ReportFile> {
  const { rows, classes } = report;
  const pictures: Record<string, Drawing | null> = {
    loss: lossChart(rows),
    accuracy: accuracyChart(rows),
    confusion_matrix: classes
      ? confusionMatrix({
        labels: classes.labels,
        counts: classes.scores.confusion,
      })
      : null,
  };
  for (const [name, drawing] of Object.entries(pictures)) {
    if (drawing === null) continue;
    yield { name: `${name}.svg`, content: svgOf(drawing) };
    yield { name: `${name}.png`, content: pngOf(drawing, scale) };
  }
  yield { name: "report.html", content: reportHtml(report) };
}
