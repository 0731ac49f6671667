/**
 * `deno task finetune instruct`: teaches a model to answer instructions.
 *
 * @module
 */

import { freezeBut } from "../lib/nn/freeze.ts";
import type { Init } from "../lib/nn/layers.ts";
import { Random } from "../lib/random.ts";
import { withChatTemplate } from "../lib/text/template_files.ts";
import { TokenStatistics } from "../lib/train/token_statistics.ts";
import { describeModel, loadModel } from "../models/folder.ts";
import { addLoRA, type ModelAdapter } from "../models/lora.ts";
import { type Model, newModel } from "../models/model_types.ts";
import { type Parsed, readArgs } from "./args.ts";
import { divisionProblems } from "./divided_data.ts";
import { finetuneWith, type Task } from "./finetune_command.ts";
import {
  adapts,
  dropsIn,
  finetuneProblems,
  loraConfigOf,
  modelOptionsOf,
  withFiles,
} from "./finetune_values.ts";
import {
  type InstructData,
  readConversations,
  sequenceBatches,
} from "./instruct_data.ts";
import { INSTRUCT_FLAGS, type InstructValues } from "./instruct_flags.ts";
import { Instruction } from "./instruction_run.ts";
import { adapterSubject, modelSubject } from "./subjects.ts";

const COMMAND = {
  name: "finetune instruct",
  about:
    "Teaches a model to answer instructions.\n\nThe folder it writes carries its chat template, for `deno task chat` and transformers.",
  usage: "[FILE…]",
  flags: INSTRUCT_FLAGS,
  check: (parsed: Parsed<typeof INSTRUCT_FLAGS>) => {
    const { values, given } = parsed;
    return [
      ...finetuneProblems(withFiles(parsed)),
      ...divisionProblems(parsed),
      ...values.packing && values["group-by-length"] &&
          given.has("group-by-length")
        ? ["--packing fills its rows, so --group-by-length means nothing"]
        : [],
    ];
  },
} as const;

/** Runs the command and returns the exit code. */
export async function finetuneInstruct(args: string[]): Promise<number> {
  const parsed = readArgs(COMMAND, args);
  if (parsed === null) return 0;
  return await finetuneWith(INSTRUCT, withFiles(parsed));
}

/** What is particular to it. */
export const INSTRUCT: Task<InstructValues, InstructData> = {
  command: COMMAND.name,
  prepare: readConversations,
  plannable: (device, { values, data }) => ({
    device,
    values,
    dropout: dropsIn(data.config, values),
    learner: (device, values) => {
      const init = { device, random: null };
      const model = newModel(init, data.config, modelOptionsOf(values));
      chooseTrained(model, init, values);
      const { objective } = new TokenStatistics(device, model);
      return { model, objective };
    },
    batches: (values) => sequenceBatches(data, values, { part: "train" }).all(),
  }),
  begin: async (device, { values, data, folder, course }) => {
    const random = new Random(values.seed);
    const found = await loadModel(device, folder, {
      dropout: values.dropout,
      ...modelOptionsOf(values),
    });
    const { tokenizer, template, ownTemplate } = data;
    const { model, companions = new Map() } = found;
    const loaded = ownTemplate ? found : {
      ...found,
      companions: withChatTemplate(companions, { template, tokenizer }),
    };
    const init = { device, random: random.fork() };
    const adapter = chooseTrained(model, init, values);
    const subject = adapter
      ? adapterSubject(adapter, {
        base: values.model!,
        taskType: "CAUSAL_LM",
        describe: (folder) => describeModel(folder, loaded),
      })
      : modelSubject(loaded);
    const statistics = new TokenStatistics(device, model);
    return new Instruction({
      device,
      out: values.out,
      command: COMMAND.name,
      values,
      course,
      subject,
      batches: sequenceBatches(data, values, {
        part: "train",
        random: random.fork(),
      }),
      objective: statistics.objective,
      random: random.fork(),
      fingerprints: data.fingerprints,
    }, { values, data, loaded, statistics });
  },
};

/** Freezes all but what is to train, and gives the adapter, if that is what. */
function chooseTrained(
  model: Model,
  init: Init,
  values: InstructValues,
): ModelAdapter | null {
  if (adapts(values)) return addLoRA(model, init, loraConfigOf(values));
  freezeBut(model, values["trainable-layers"]);
  return null;
}
