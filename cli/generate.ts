/**
 * `deno task generate`: continues a prompt.
 *
 * @module
 */

import { generate as continuation } from "../lib/generate/generate.ts";
import { StopStrings } from "../lib/generate/stop.ts";
import { Device } from "../lib/gpu/device.ts";
import { planningDevice } from "../lib/gpu/plan.ts";
import type { Tunable } from "../lib/gpu/tuning.ts";
import { Random } from "../lib/random.ts";
import type { Tokenizer } from "../lib/text/tokenizer.ts";
import { endTokens, loadModel } from "../models/folder.ts";
import { adapterOf, addLoRA } from "../models/lora.ts";
import type { ModelOptions } from "../models/pass.ts";
import { type Model, newModel } from "../models/model_types.ts";
import { type Parsed, readArgs } from "./args.ts";
import { describeAdapter } from "./describe_adapter.ts";
import { ADAPTER_FLAG, findAdapted, isSmall } from "./find_model.ts";
import { Profiling } from "./profiling.ts";
import {
  SAMPLING_FLAGS,
  samplingOptions,
  samplingProblems,
} from "./sampling_flags.ts";
import { requireHalf } from "./self_test.ts";
import { readStdin, writeStdout } from "./stdio.ts";
import { prepareTuning, settleTuning, TUNE_FLAG } from "./tuning_store.ts";

const FLAGS = {
  "model": {
    kind: "text",
    value: "DIR|ORG/NAME[@REVISION]",
    default: "out",
    help: "Folder of the model, or its name on the Hugging Face hub",
  },
  "adapter": {
    ...ADAPTER_FLAG,
    kind: "text",
  },
  "prompt": {
    kind: "text",
    value: "TEXT",
    help: "Text to continue; - reads it from stdin (default: a new paragraph)",
  },
  ...SAMPLING_FLAGS,
  "num-samples": {
    kind: "number",
    integer: true,
    least: 1,
    default: 1,
    help: "Texts to write",
  },
  "tune": TUNE_FLAG,
  "profile": {
    kind: "switch",
    help: "Time every kernel, and write trace.json here",
  },
  "json": {
    kind: "switch",
    help: "Print a JSON object per text, not the text as it comes",
  },
} as const;

const COMMAND = {
  name: "generate",
  about: "Continues a prompt with a trained model.",
  flags: FLAGS,
  check,
} as const;

/** The file of a profile. */
const TRACE = "trace.json";

/** What is continued if there is no prompt. */
const NEW_PARAGRAPH = "\n\n";

/** Runs the command and returns the exit code. */
export async function generate(args: string[]): Promise<number> {
  const parsed = readArgs(COMMAND, args);
  if (parsed === null) return 0;
  const { values, given } = parsed;
  const sampling = samplingOptions(values);
  const prompt = values.prompt === "-"
    ? await readStdin()
    : values.prompt ?? NEW_PARAGRAPH;

  const { folder, adapters } = await findAdapted({
    model: given.has("model") ? values.model : undefined,
    otherwise: values.model,
    adapters: values.adapter === undefined ? [] : [values.adapter],
  });
  using device = await Device.open({ oneThread: await isSmall(folder) });
  console.error(describeAdapter(device));
  const options: ModelOptions = {
    dtype: values.dtype as ModelOptions["dtype"],
  };
  if (options.dtype === "f16") await requireHalf(device);
  const { model, tokenizer, companions } = await loadModel(
    device,
    folder,
    { ...options, adapters },
  );
  const ids = values.prompt === undefined
    ? openingIds(tokenizer)
    : tokenizer.encode(prompt, { addSpecialTokens: true });
  const { blockSize } = model.config;
  if (ids.length > blockSize) {
    console.error(
      `note: the prompt has ${ids.length} tokens; the model reads the last ${
        Math.max(1, Math.floor(blockSize / 2))
      }`,
    );
  }
  prepareTuning(device, values.tune);
  if (device.tuning.active) {
    const untuned = await untunedShapes(device, model, options, ids);
    await settleTuning(device, untuned, console.error);
  }
  using profiling = values.profile
    ? await startProfiling(device, model, ids)
    : null;
  for (let sample = 0; sample < values["num-samples"]; sample++) {
    const stop = new StopStrings(values.stop);
    const decoder = tokenizer.stream({ skipUnknown: true });
    for (const id of ids) decoder.push(id); // it is shown as it was given
    const show = values.json ? () => {} : writeStdout;
    if (sample > 0) show("\n---\n");
    show(prompt);
    let text = "";
    let tokens = 0;
    const add = (more: string) => {
      text += more;
      show(more);
    };
    for await (
      const id of continuation({
        device,
        model,
        prompt: ids,
        maxNewTokens: values["max-new-tokens"],
        random: new Random(values.seed + sample),
        stopTokens: endTokens(model.config, tokenizer, companions),
        ...sampling,
      })
    ) {
      tokens++;
      add(stop.push(decoder.push(id)));
      if (stop.stopped) break;
    }
    add(stop.push(decoder.end()));
    add(stop.end());
    if (values.json) console.log(JSON.stringify({ prompt, text, tokens }));
    else show("\n");
  }
  await profiling?.finish(TRACE, console.error);
  return 0;
}

/** The classes of shapes that writing meets and nothing is known of yet. */
async function untunedShapes(
  device: Device,
  original: Model,
  options: ModelOptions,
  prompt: Uint32Array,
): Promise<ReadonlyMap<string, Tunable>> {
  using plan = planningDevice(device);
  const init = { device: plan, random: null };
  const model = newModel(init, original.config, options);
  const adapter = adapterOf(original);
  if (adapter) addLoRA(model, init, adapter.config);
  await warmUp(plan, model, prompt);
  return plan.tuning.open;
}

/** Begins to time kernels, once they are compiled. */
async function startProfiling(
  device: Device,
  model: Model,
  prompt: Uint32Array,
): Promise<Profiling | null> {
  await warmUp(device, model, prompt);
  return await Profiling.start(device, console.error);
}

/** Writes two tokens for nobody. */
async function warmUp(
  device: Device,
  model: Model,
  prompt: Uint32Array,
): Promise<void> {
  const random = new Random(0);
  const options = { device, model, prompt, random, maxNewTokens: 2 };
  for await (const _id of continuation(options));
}

/** What is wrong with the flags beyond each by itself. */
function check({ values, rest: [word] }: Parsed<typeof FLAGS>): string[] {
  const problems = samplingProblems(values);
  return word === undefined
    ? problems
    : [`unexpected "${word}"; quote a prompt of several words`, ...problems];
}

/** The ids of {@linkcode NEW_PARAGRAPH}, which not every vocabulary can say. */
function openingIds(tokenizer: Tokenizer): Uint32Array {
  try {
    return tokenizer.encode(NEW_PARAGRAPH, { addSpecialTokens: true });
  } catch (error) {
    throw new Error(
      "Cannot generate without a --prompt: the model's tokenizer has no line break to begin a paragraph with",
      { cause: error },
    );
  }
}
