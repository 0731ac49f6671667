/**
 * A run of `finetune classify` as a session sees it.
 *
 * @module
 */

import { join } from "node:path";
import type { ClassBatch } from "../lib/data/class_examples.ts";
import { replaceFile } from "../lib/io/atomic.ts";
import { trainedOf } from "../lib/nn/freeze.ts";
import { classTableText } from "../lib/report/class_table.ts";
import { confusionText } from "../lib/report/confusion_text.ts";
import { percent } from "../lib/report/measures.ts";
import { readMetrics } from "../lib/report/metrics.ts";
import { reportFiles } from "../lib/report/report_files.ts";
import {
  type ClassEvaluation,
  evaluateClasses,
} from "../lib/train/classification.ts";
import type { Classifier } from "../models/classifier.ts";
import type { ClassificationData } from "./classify_data.ts";
import { factLines, reportedFacts, warningLines } from "./described_data.ts";
import { describeAdapter } from "./describe_adapter.ts";
import { trainedLine } from "./finetune_plan.ts";
import { flatValues } from "./finetune_values.ts";
import { Finetuning, type FinetuningParts } from "./finetuning.ts";
import { type Ending, type Measures, METRICS, type Standing } from "./run.ts";

/** What a classification run knows beside the rest. */
export interface Classified {
  readonly data: ClassificationData;
  readonly model: Classifier;
}

/** Learning to tell classes apart. */
export class Classification extends Finetuning<ClassBatch> {
  readonly #data: ClassificationData;
  readonly #model: Classifier;

  constructor(
    parts: FinetuningParts<ClassBatch>,
    { data, model }: Classified,
  ) {
    super(parts);
    this.#data = data;
    this.#model = model;
  }

  announce(): string[] {
    return [
      ...factLines(this.#data),
      ...warningLines(this.#data),
      trainedLine(this.#model),
      this.stepsLine("texts"),
    ];
  }

  async evaluate(): Promise<{ loss: number; measures: Measures }> {
    const { loss, accuracy, macro } = await this.#judge("validation");
    return {
      loss,
      measures: {
        epoch: this.epoch,
        eval_loss: loss,
        eval_accuracy: accuracy,
        eval_precision: macro.precision,
        eval_recall: macro.recall,
        eval_f1: macro.f1,
      },
    };
  }

  /** Judges the best model and writes the report. */
  async finish(standing: Standing): Promise<Ending> {
    const { seconds, best } = standing;
    const { out, values, device } = this.parts;
    await this.restoreBest(standing);
    const scores = await this.#judge("test");
    const { labels } = this.#data;
    const classes = { split: "test", labels, scores };
    const { count, trainedCount } = trainedOf(this.#model);
    const report = {
      title: `Classifier ${out}`,
      adapter: describeAdapter(device),
      parameterCount: count,
      trainableCount: trainedCount,
      seconds,
      results: { "Best step": best.step },
      rows: readMetrics(join(out, METRICS)),
      classes,
      data: reportedFacts(this.#data),
      configuration: flatValues(values),
    };
    for (const { name, content } of reportFiles(report)) {
      replaceFile(join(out, name), content);
    }
    replaceFile(
      join(out, "test_results.json"),
      `${JSON.stringify(resultsOf(scores, labels), null, 2)}\n`,
    );
    return {
      results: [
        ...this.learnedNothing(standing),
        `test accuracy ${percent(scores.accuracy)}, loss ${
          scores.loss.toFixed(4)
        }, by the model of step ${best.step}`,
        "",
        classTableText(classes),
        "",
        confusionText({ labels, counts: scores.confusion }),
        "",
      ],
      kept: [
        `the best model is in ${this.bestFolder}, report.html in ${out}`,
        `deno task classify --model ${this.bestFolder} takes lines from stdin`,
      ],
    };
  }

  #judge(part: "validation" | "test"): Promise<ClassEvaluation> {
    const { device, values } = this.parts;
    return evaluateClasses({
      device,
      model: this.#model,
      examples: this.#data.parts[part],
      batchSize: values["batch-size"],
      ...this.#data.padding,
    });
  }
}

/** In the names of scikit-learn's report. */
function resultsOf(
  { accuracy, loss, classes, macro, weighted, confusion }: ClassEvaluation,
  labels: readonly string[],
) {
  return {
    test_loss: loss,
    test_accuracy: accuracy,
    classes: Object.fromEntries(labels.map((label, i) => [label, classes[i]])),
    "macro avg": macro,
    "weighted avg": weighted,
    confusion_matrix: { labels, counts: confusion },
  };
}
