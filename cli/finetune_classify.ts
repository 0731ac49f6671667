/**
 * `deno task finetune classify`: teaches a model to tell classes of texts apart.
 *
 * @module
 */

import { type ClassBatch, padExamples } from "../lib/data/class_examples.ts";
import { ClassBatches } from "../lib/data/class_batches.ts";
import { freezeBut } from "../lib/nn/freeze.ts";
import type { Init } from "../lib/nn/layers.ts";
import { Random } from "../lib/random.ts";
import { Classifier } from "../models/classifier.ts";
import type { ReadToken } from "../models/classifier_config.ts";
import { describeClassifier } from "../models/classifier_folder.ts";
import { loadModel } from "../models/folder.ts";
import { addLoRA, type ModelAdapter } from "../models/lora.ts";
import { type Model, newModel } from "../models/model_types.ts";
import { type Parsed, readArgs } from "./args.ts";
import { type ClassificationData, readExamples } from "./classify_data.ts";
import { CLASSIFY_FLAGS, type ClassifyValues } from "./classify_flags.ts";
import { Classification } from "./classification_run.ts";
import { divisionProblems } from "./divided_data.ts";
import { finetuneWith, type Prepared, type Task } from "./finetune_command.ts";
import {
  adapts,
  dropsIn,
  finetuneProblems,
  loraConfigOf,
  modelOptionsOf,
  withFiles,
} from "./finetune_values.ts";
import { adapterSubject, classifierSubject } from "./subjects.ts";

const COMMAND = {
  name: "finetune classify",
  about:
    "Teaches a model to tell classes of texts apart: spam or not, say.\n\nThe folder it writes is for `deno task classify`, and for transformers.",
  usage: "[FILE…]",
  flags: CLASSIFY_FLAGS,
  check: (parsed: Parsed<typeof CLASSIFY_FLAGS>) => [
    ...finetuneProblems(withFiles(parsed)),
    ...divisionProblems(parsed),
  ],
} as const;

/** Runs the command and returns the exit code. */
export async function finetuneClassify(args: string[]): Promise<number> {
  const parsed = readArgs(COMMAND, args);
  if (parsed === null) return 0;
  const { values, given } = withFiles(parsed);
  const header = given.has("header") ? values.header : undefined;
  return await finetuneWith(CLASSIFY, {
    values: { ...values, header },
    given,
  });
}

type Run = Prepared<ClassifyValues, ClassificationData>;

/** What is particular to it. */
export const CLASSIFY: Task<ClassifyValues, ClassificationData> = {
  command: COMMAND.name,
  prepare: readExamples,
  plannable: (device, { values, data }) => ({
    device,
    values,
    dropout: dropsIn(data.config, values),
    learner: (device, values) => {
      const init = { device, random: null };
      const body = newModel(init, data.config, modelOptionsOf(values));
      const { model } = classifierOf(init, body, { values, data });
      return { model, objective: lossOf(model) };
    },
    batches: function* (values) {
      const { parts: { train }, padding } = data;
      const rows = values["batch-size"];
      const sorted = train.toSorted((a, b) => b.ids.length - a.ids.length);
      for (let first = 0; first < sorted.length; first += rows) {
        yield padExamples(sorted.slice(first, first + rows), padding);
      }
    },
  }),
  begin: async (device, { values, data, folder, course }) => {
    const random = new Random(values.seed);
    const loaded = await loadModel(device, folder, {
      dropout: values.dropout,
      ...modelOptionsOf(values),
    });
    const init = { device, random: random.fork() };
    const { model, adapter } = classifierOf(init, loaded.model, {
      values,
      data,
    });
    const subject = adapter
      ? adapterSubject(adapter, {
        base: values.model!,
        taskType: "SEQ_CLS",
        describe: (folder) => describeClassifier(folder, { ...loaded, model }),
      })
      : classifierSubject({ ...loaded, model });
    const batches = new ClassBatches(data.parts.train, {
      ...data.padding,
      batchSize: values["batch-size"],
      groupByLength: values["group-by-length"],
      random: random.fork(),
    });
    return new Classification({
      device,
      out: values.out,
      command: COMMAND.name,
      values,
      course,
      subject,
      batches,
      objective: lossOf(model),
      random: random.fork(),
      fingerprints: data.fingerprints,
    }, { data, model });
  },
};

function lossOf(model: Classifier) {
  return (batch: ClassBatch, pass: { random?: Random }) =>
    model.loss(batch, pass);
}

/** A classifier on a body, what trains of it chosen. */
function classifierOf(
  init: Init,
  body: Model,
  { values, data }: Pick<Run, "values" | "data">,
): { model: Classifier; adapter: ModelAdapter | null } {
  const model = new Classifier(init, body, {
    labels: data.labels,
    padTokenId: data.padTokenId,
    read: values["trainable-token"] as ReadToken,
  });
  if (!adapts(values)) {
    freezeBut(model, values["trainable-layers"]);
    return { model, adapter: null };
  }
  const config = loraConfigOf(values);
  const modulesToSave = [...new Set([...config.modulesToSave ?? [], "score"])];
  return { model, adapter: addLoRA(model, init, { ...config, modulesToSave }) };
}
