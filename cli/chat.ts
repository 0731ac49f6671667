/**
 * `deno task chat`: talks to a model in the terminal.
 *
 * @module
 */

import { basename, resolve } from "node:path";
import { generate } from "../lib/generate/generate.ts";
import { StopStrings } from "../lib/generate/stop.ts";
import { Device } from "../lib/gpu/device.ts";
import { replaceFile } from "../lib/io/atomic.ts";
import { Random } from "../lib/random.ts";
import {
  type ChatTemplate,
  loadChatTemplate,
} from "../lib/text/chat_template.ts";
import { endTokens, type LoadedModel, loadModel } from "../models/folder.ts";
import type { ModelOptions } from "../models/pass.ts";
import { type Parsed, readArgs, type Values } from "./args.ts";
import { Conversation } from "./conversation.ts";
import { describeAdapter } from "./describe_adapter.ts";
import { ADAPTER_FLAG, findAdapted, isSmall } from "./find_model.ts";
import {
  SAMPLING_FLAGS,
  samplingOptions,
  samplingProblems,
} from "./sampling_flags.ts";
import { requireHalf } from "./self_test.ts";
import { stdinLines, writeStdout } from "./stdio.ts";

const FLAGS = {
  "model": {
    kind: "text",
    value: "DIR|ORG/NAME[@REVISION]",
    default: "out",
    help: "Folder of the model, or its name on the Hugging Face hub",
  },
  "adapter": {
    ...ADAPTER_FLAG,
    help: `${ADAPTER_FLAG.help}; of several, /adapter picks one`,
  },
  "system": {
    kind: "text",
    value: "TEXT",
    help: "What the model is told before all else",
  },
  ...SAMPLING_FLAGS,
  "max-new-tokens": {
    ...SAMPLING_FLAGS["max-new-tokens"],
    default: 500,
    help: "Tokens of an answer at most",
  },
} as const;

const COMMAND = {
  name: "chat",
  about:
    "Talks to a model in the terminal. Each line is a message; a line that begins\nwith / is a command, which /help lists. Ctrl-C ends an answer, or the talk.",
  flags: FLAGS,
  check: ({ values, rest: [word] }: Parsed<typeof FLAGS>) => [
    ...word === undefined
      ? []
      : [`unexpected "${word}"; messages come from stdin`],
    ...samplingProblems(values),
  ],
} as const;

const HELP = `/reset         forget what was said
/save FILE     write what was said as JSON
/adapter NAME  put another adapter on; "none" takes it off
/exit          leave, as the end of input does
/help          show this`;

/** Runs the command and returns the exit code. */
export async function chat(args: string[]): Promise<number> {
  const parsed = readArgs(COMMAND, args);
  if (parsed === null) return 0;
  const { values, given } = parsed;
  const { folder, adapters } = await findAdapted({
    model: given.has("model") ? values.model : undefined,
    otherwise: values.model,
    adapters: values.adapter,
  });
  const template = await firstTemplate([...adapters.slice(0, 1), folder]);
  if (template === undefined) {
    throw new Error(
      `Cannot chat with ${folder}: it has no chat template, neither chat_template.jinja nor "chat_template" in tokenizer_config.json`,
    );
  }
  using device = await Device.open({ oneThread: await isSmall(folder) });
  console.error(describeAdapter(device));
  const options: ModelOptions = {
    dtype: values.dtype as ModelOptions["dtype"],
  };
  if (options.dtype === "f16") await requireHalf(device);
  const loaded = await loadModel(device, folder, { ...options, adapters });
  const names = adapters.map((folder) => basename(resolve(folder)));
  using talk = new Talk(device, { ...loaded, template, names }, values);
  return await talk.run(stdinLines());
}

/** The chat template of the first folder that has one. */
async function firstTemplate(
  folders: readonly string[],
): Promise<ChatTemplate | undefined> {
  for (const folder of folders) {
    const template = await loadChatTemplate(folder);
    if (template !== undefined) return template;
  }
}

/** A model, how it wants a conversation written, and what its adapters are called. */
type Speaker = LoadedModel & {
  readonly template: ChatTemplate;
  readonly names: readonly string[];
};

/** A conversation with a model, line by line. */
class Talk implements Disposable {
  readonly #device: Device;
  readonly #speaker: Speaker;
  readonly #values: Values<typeof FLAGS>;
  readonly #conversation: Conversation;
  readonly #random: Random;
  readonly #hidden: ReadonlySet<number>;
  readonly #stops: ReadonlySet<number>;
  readonly #onSignal: () => void;
  /** Settles when a signal comes while nothing is being answered. */
  readonly #left = Promise.withResolvers<undefined>();
  #answering = false;
  #interrupted = false;

  constructor(
    device: Device,
    speaker: Speaker,
    values: Values<typeof FLAGS>,
  ) {
    const { model, tokenizer, companions, template } = speaker;
    const { blockSize } = model.config;
    this.#device = device;
    this.#speaker = speaker;
    this.#values = values;
    this.#random = new Random(values.seed);
    // An answer gets a quarter of the block, or what it asks for if less.
    const kept = Math.min(values["max-new-tokens"], Math.ceil(blockSize / 4));
    const { system } = values;
    const room = blockSize - kept;
    const about = { template, tokenizer, system, room };
    this.#conversation = new Conversation(about);
    // Better now than at the first question: some templates have no system.
    template.render([...this.#conversation.messages, {
      role: "user",
      content: "?",
    }], { addGenerationPrompt: true });
    this.#hidden = new Set(tokenizer.specialTokens.values());
    const end = tokenizer.specialTokens.get(template.endToken ?? "");
    const stops = endTokens(model.config, tokenizer, companions);
    this.#stops = new Set(end === undefined ? stops : [...stops, end]);
    this.#onSignal = () => {
      if (this.#answering) this.#interrupted = true;
      else this.#left.resolve(undefined);
    };
    Deno.addSignalListener("SIGINT", this.#onSignal);
  }

  /** Answers lines until they end, one says so, or a signal comes. */
  async run(lines: AsyncIterator<string>): Promise<number> {
    const isTerminal = Deno.stdin.isTerminal();
    if (isTerminal) console.error("/help lists the commands");
    for (;;) {
      if (isTerminal) writeStdout("> ");
      const next = await Promise.race([lines.next(), this.#left.promise]);
      if (next === undefined || next.done) {
        if (isTerminal) writeStdout("\n");
        return next === undefined ? 130 : 0;
      }
      const line = next.value.trim();
      if (line === "/exit") return 0;
      if (line === "") continue;
      try {
        if (line.startsWith("/")) this.#command(line);
        else await this.#answer(next.value);
      } catch (error) {
        if (error instanceof Deno.errors.BrokenPipe) throw error;
        console.error(`error: ${(error as Error).message}`);
      }
    }
  }

  /** Stops listening for signals. */
  [Symbol.dispose](): void {
    Deno.removeSignalListener("SIGINT", this.#onSignal);
  }

  #command(line: string): void {
    const [name] = line.split(/\s/, 1);
    const rest = line.slice(name.length).trim();
    if (name === "/help") console.error(HELP);
    else if (name === "/reset") this.#conversation.reset();
    else if (name === "/adapter") this.#adapt(rest);
    else if (name === "/save" && rest !== "") {
      const { messages } = this.#conversation;
      replaceFile(rest, `${JSON.stringify({ messages })}\n`);
      console.error(`note: ${messages.length} messages are in ${rest}`);
    } else {
      throw new Error(
        name === "/save"
          ? "Cannot save without a name: /save FILE"
          : `There is no command ${name}; /help lists them`,
      );
    }
  }

  #adapt(name: string): void {
    const { adapters = [], names } = this.#speaker;
    const chosen = adapters[names.indexOf(name)];
    if (chosen === undefined && name !== "none") {
      throw new Error(
        names.length === 0
          ? "There are no adapters; --adapter loads them"
          : `There is no adapter "${name}": there is ${names.join(", ")}, none`,
      );
    }
    for (const adapter of adapters) adapter.detach();
    chosen?.attach();
    console.error(
      name === "none" ? "note: no adapter is on" : `note: ${name} is on`,
    );
  }

  async #answer(message: string): Promise<void> {
    const { model, tokenizer } = this.#speaker;
    const { ids, dropped } = this.#conversation.ask(message);
    if (dropped > 0) {
      console.error(
        `note: the oldest ${
          dropped === 1 ? "question" : `${dropped} questions`
        } and the answers to them no longer fit the model's block, and are forgotten`,
      );
    }
    const { blockSize } = model.config;
    const most = Math.min(
      this.#values["max-new-tokens"],
      blockSize - ids.length,
    );
    const stop = new StopStrings(this.#values.stop);
    const decoder = tokenizer.stream({ skipUnknown: true });
    for (const id of ids) decoder.push(id);
    let text = "";
    let count = 0;
    const add = (more: string) => {
      text += more;
      writeStdout(more);
    };
    this.#answering = true;
    this.#interrupted = false;
    try {
      const answer = generate({
        ...{ device: this.#device, model, prompt: ids, random: this.#random },
        maxNewTokens: most,
        stopTokens: this.#stops,
        drawnBelow: tokenizer.vocabSize,
        ...samplingOptions(this.#values),
      });
      for await (const id of answer) {
        count++;
        if (!this.#hidden.has(id)) add(stop.push(decoder.push(id)));
        if (stop.stopped || this.#interrupted) break;
      }
    } finally {
      this.#answering = false;
    }
    add(stop.push(decoder.end()));
    add(stop.end());
    writeStdout("\n");
    this.#conversation.answer(text);
    if (this.#interrupted) console.error("note: the answer was interrupted");
    else if (count === most && !stop.stopped) {
      console.error(
        `note: the answer was cut after ${count} tokens: ${
          most < this.#values["max-new-tokens"]
            ? "the model's block is full"
            : "--max-new-tokens allows more"
        }`,
      );
    }
  }
}
