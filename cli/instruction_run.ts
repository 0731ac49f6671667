/**
 * A run of `finetune instruct` as a session sees it.
 *
 * @module
 */

import { join } from "node:path";
import type { Batch } from "../lib/data/batch.ts";
import { replaceFile } from "../lib/io/atomic.ts";
import type { JsonValue } from "../lib/io/training_state.ts";
import { trainedOf } from "../lib/nn/freeze.ts";
import { percent } from "../lib/report/measures.ts";
import { readMetrics } from "../lib/report/metrics.ts";
import { reportFiles } from "../lib/report/report_files.ts";
import { showMask } from "../lib/text/shown_mask.ts";
import {
  answerInstructions,
  type InstructionAnswer,
  meanScores,
} from "../lib/train/instruction_answers.ts";
import {
  evaluateTokens,
  type TokenStatistics,
  type TokenSums,
} from "../lib/train/token_statistics.ts";
import { endTokens, type LoadedModel } from "../models/folder.ts";
import { factLines, reportedFacts, warningLines } from "./described_data.ts";
import { describeAdapter } from "./describe_adapter.ts";
import { trainedLine } from "./finetune_plan.ts";
import { flatValues } from "./finetune_values.ts";
import { Finetuning, type FinetuningParts } from "./finetuning.ts";
import { type InstructData, sequenceBatches } from "./instruct_data.ts";
import type { InstructValues } from "./instruct_flags.ts";
import { type Ending, type Measures, METRICS, type Standing } from "./run.ts";

/** What a run of instructions knows beside the rest. */
export interface Instructed {
  readonly values: InstructValues;
  readonly data: InstructData;
  readonly loaded: LoadedModel;
  /** What measures the model while it learns. */
  readonly statistics: TokenStatistics;
}

/** Learning to answer instructions. */
export class Instruction extends Finetuning<Batch> {
  readonly #values: InstructValues;
  readonly #data: InstructData;
  readonly #loaded: LoadedModel;
  readonly #statistics: TokenStatistics;

  constructor(parts: FinetuningParts<Batch>, own: Instructed) {
    super(parts);
    this.#values = own.values;
    this.#data = own.data;
    this.#loaded = own.loaded;
    this.#statistics = own.statistics;
  }

  announce(): string[] {
    return [
      ...factLines(this.#data),
      ...this.saved.step > 0 ? [] : this.#shownMasks(),
      ...warningLines(this.#data),
      trainedLine(this.parts.subject.model),
      this.stepsLine("rows"),
    ];
  }

  #shownMasks(): string[] {
    const color = Deno.stderr.isTerminal() && !Deno.noColor;
    const how = color ? "green" : "between ⟦ and ⟧";
    return this.#data.masks.map((pieces, i) =>
      `\n--- example ${i + 1}: what is learned is ${how} ---\n${
        showMask(pieces, { color })
      }\n`
    );
  }

  override async measured(tokens: number): Promise<Measures> {
    // Asked for together: the next batch is taken before the GPU answers.
    const [progress, { meanTokenAccuracy, entropy }] = await Promise.all([
      super.measured(tokens),
      this.#statistics.read(),
    ]);
    return {
      ...progress,
      mean_token_accuracy: meanTokenAccuracy,
      entropy,
    };
  }

  protected override async measuring(): Promise<JsonValue> {
    return { ...await this.#statistics.sums() };
  }

  protected override resumeMeasuring(sums: JsonValue): void {
    this.#statistics.resume(sums as unknown as TokenSums);
  }

  async evaluate(): Promise<{ loss: number; measures: Measures }> {
    const { loss, meanTokenAccuracy, entropy } = await evaluateTokens({
      device: this.parts.device,
      model: this.#loaded.model,
      batches: sequenceBatches(this.#data, this.#values, { part: "validation" })
        .all(),
    });
    return {
      loss,
      measures: {
        epoch: this.epoch,
        eval_loss: loss,
        eval_mean_token_accuracy: meanTokenAccuracy,
        eval_entropy: entropy,
      },
    };
  }

  /** Answers held-out instructions with the best model, and writes the report. */
  async finish(standing: Standing): Promise<Ending> {
    const { out, device, subject } = this.parts;
    await this.restoreBest(standing);
    const answers = await this.#answer();
    const scores = meanScores(answers);
    const { count, trainedCount } = trainedOf(subject.model);
    const { step, loss } = standing.best;
    const report = {
      title: `Instructions ${out}`,
      adapter: describeAdapter(device),
      parameterCount: count,
      trainableCount: trainedCount,
      seconds: standing.seconds,
      results: {
        "Best step": step,
        "Its validation loss": loss,
        ...answers.length > 0 && {
          "Answers": answers.length,
          "Exact match": scores.exactMatch,
          "Token overlap F1": scores.f1,
        },
      },
      rows: readMetrics(join(out, METRICS)),
      answers: answers.map(({ f1, ...answer }) => ({ ...answer, score: f1 })),
      masks: this.#data.masks,
      data: reportedFacts(this.#data),
      configuration: flatValues(this.#values),
    };
    for (const { name, content } of reportFiles(report)) {
      replaceFile(join(out, name), content);
    }
    replaceFile(
      join(out, "answers.jsonl"),
      answers.map((answer) => `${JSON.stringify(answer)}\n`).join(""),
    );
    const best = this.bestFolder;
    return {
      results: [
        ...this.learnedNothing(standing),
        ...answers.slice(0, 3).map(shown),
        ...this.#scored(answers),
        `validation loss ${loss.toFixed(4)} after step ${step}`,
      ],
      kept: [
        `the best model is in ${best}, report.html and answers.jsonl in ${out}`,
        `deno task chat --model ${best} talks with it`,
      ],
    };
  }

  /** What the answers are worth, and how many there are none to. */
  #scored(answers: readonly InstructionAnswer[]): string[] {
    const asked = Math.min(this.#values.answers, this.#data.test.length);
    const passed = asked - answers.length;
    const { exactMatch, f1 } = meanScores(answers);
    return [
      ...passed > 0
        ? [
          `warning: instructions that are not answered, for they fill the model's block of ${this.#loaded.model.config.blockSize} tokens: ${passed}`,
        ]
        : [],
      ...answers.length > 0
        ? [
          `${answers.length} held-out instructions answered: exact match ${
            percent(exactMatch)
          }, token overlap F1 ${percent(f1)}`,
        ]
        : [],
    ];
  }

  async #answer(): Promise<InstructionAnswer[]> {
    const { model, tokenizer, companions } = this.#loaded;
    return await Array.fromAsync(answerInstructions({
      device: this.parts.device,
      model,
      tokenizer,
      template: this.#data.template,
      examples: this.#data.test.slice(0, this.#values.answers),
      maxNewTokens: this.#values["max-new-tokens"],
      stopTokens: endTokens(model.config, tokenizer, companions),
    }));
  }
}

function shown({ prompt, expected, answer, f1 }: InstructionAnswer): string {
  return `\n--- held out ---\n${prompt}\n--- expected ---\n${expected}\n--- answered (F1 ${
    percent(f1)
  }) ---\n${answer.trim()}\n`;
}
