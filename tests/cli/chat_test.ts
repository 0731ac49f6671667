/**
 * Talking to a model, and what else is asked of published ones.
 */

import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import { join } from "@std/path";
import { generate } from "../../lib/generate/generate.ts";
import { Device } from "../../lib/gpu/device.ts";
import { Random } from "../../lib/random.ts";
import { CharTokenizer } from "../../lib/text/char.ts";
import { endTokens, loadModel } from "../../models/folder.ts";
import { folderOf } from "../models/llama_fixtures.ts";
import { run, start, type Workplace, workplace } from "./program.ts";

const START = "<|im_start|>";
const END = "<|im_end|>";

const CHATML =
  "{% for m in messages %}{{ '<|im_start|>' + m.role + '\\n' + m.content + '<|im_end|>' + '\\n' }}{% endfor %}" +
  "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}";

let place: Workplace;
let model: string;

Deno.test.beforeAll(() => {
  place = workplace();
  model = place.path("model");
  Deno.mkdirSync(model);
  for (const file of ["config.json", "model.safetensors"]) {
    Deno.copyFileSync(join(folderOf("llama3"), file), join(model, file));
  }
  Deno.writeTextFileSync(join(model, "chat_template.jinja"), CHATML);
  Deno.writeTextFileSync(
    join(model, "tokenizer.json"),
    JSON.stringify(tokenizer()),
  );
  Deno.writeTextFileSync(
    join(model, "tokenizer_config.json"),
    JSON.stringify({ eos_token: END }),
  );
});

Deno.test.afterAll(() => place[Symbol.dispose]());

/** 57 characters and two control tokens: two ids less than the model has. */
function tokenizer() {
  const characters =
    "\n .,:?!'ABCDEFGHIJKLMNOPQRSTUVWabcdefghijklmnopqrstuvwxyz";
  const vocab = Object.fromEntries([...characters].map((c, i) => [c, i]));
  const flags = { single_word: false, lstrip: false, rstrip: false };
  const special = [START, END].map((content, i) => ({
    ...{ id: 57 + i, content, ...flags, normalized: false, special: true },
  }));
  return {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: special,
    normalizer: null,
    pre_tokenizer: null,
    post_processor: {
      type: "TemplateProcessing",
      single: [
        { SpecialToken: { id: START, type_id: 0 } },
        { Sequence: { id: "A", type_id: 0 } },
      ],
      pair: [],
      special_tokens: { [START]: { id: START, ids: [57], tokens: [START] } },
    },
    decoder: { type: "Fuse" },
    model: {
      type: "BPE",
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      vocab,
      merges: [],
    },
  };
}

/** The likeliest text after another, without control tokens. */
async function likeliest(text: string, maxNewTokens: number): Promise<string> {
  using device = await Device.open();
  const loaded = await loadModel(device, model);
  const { tokenizer } = loaded;
  const stops = [...endTokens(loaded.model.config, tokenizer), 58];
  const ids = await Array.fromAsync(generate({
    ...{ device, model: loaded.model, random: new Random(0), temperature: 0 },
    prompt: tokenizer.encode(text, { allowedSpecial: "all" }),
    ...{ maxNewTokens, stopTokens: stops, drawnBelow: tokenizer.vocabSize },
  }));
  return tokenizer.decode(ids.filter((id) => id < 57));
}

function turn(role: string, content: string): string {
  return `${START}${role}\n${content}${END}\n`;
}

const GREEDY = "--temperature 0 --max-new-tokens 12".split(" ");

async function talk(lines: readonly string[], ...args: string[]) {
  await using program = start(["chat", "--model", model, ...GREEDY, ...args], {
    read: [place.path(".")],
    write: [place.path(".")],
    stdin: lines.join("\n"),
  });
  return await program.outcome();
}

Deno.test("a conversation goes on from all that was said, until it is reset", async () => {
  const saved = place.path("talk.json");
  const lines = [
    ...["Hello!", "", "Who are you?", `/save ${saved}`],
    ...["/reset", "Hello!", "/exit", "never read"],
  ];
  const { code, out, err } = await talk(lines, "--system", "Be kind.");
  assertEquals(code, 0, err);
  const system = turn("system", "Be kind.");
  const first = system + turn("user", "Hello!");
  const one = await likeliest(`${first}${START}assistant\n`, 12);
  const second = first + turn("assistant", one) + turn("user", "Who are you?");
  const two = await likeliest(`${second}${START}assistant\n`, 12);
  assert(one !== two);
  assertStringIncludes(err, `note: 5 messages are in ${saved}`);
  assertEquals(JSON.parse(Deno.readTextFileSync(saved)), {
    messages: [
      { role: "system", content: "Be kind." },
      { role: "user", content: "Hello!" },
      { role: "assistant", content: one },
      { role: "user", content: "Who are you?" },
      { role: "assistant", content: two },
    ],
  });
  assertEquals(out, `${one}\n${two}\n${one}\n`);
});

Deno.test("what can not be done is said, and the conversation goes on", async () => {
  const lines = ["/sav", "/save", "/help", "A".repeat(300), "Hello!"];
  const { code, out, err } = await talk(lines);
  assertEquals(code, 0, err);
  assertStringIncludes(err, "error: There is no command /sav; /help lists");
  assertStringIncludes(err, "error: Cannot save without a name: /save FILE");
  assertStringIncludes(err, "/reset         forget what was said");
  assertMatch(
    err,
    /error: Cannot answer: this alone has 3\d\d tokens, the model has room for 244/,
  );
  const expected = await likeliest(
    `${turn("user", "Hello!")}${START}assistant\n`,
    12,
  );
  assertEquals(out, `${expected}\n`);
});

Deno.test("the oldest turns are forgotten where the block is full, and it is said", async () => {
  const saved = place.path("long.json");
  const lines = [
    "A".repeat(80),
    "B".repeat(80),
    "C".repeat(80),
    `/save ${saved}`,
  ];
  const { code, out, err } = await talk(lines, "--system", "Be kind.");
  assertEquals(code, 0, err);
  const notes = err.match(/the oldest question and the answers/g) ?? [];
  assert(notes.length >= 1, err);
  assertStringIncludes(err, `messages are in ${saved}`);
  const { messages } = JSON.parse(Deno.readTextFileSync(saved));
  assertEquals(messages[0], { role: "system", content: "Be kind." });
  assertEquals(messages.at(-2).content, "C".repeat(80));
  assert(messages.length < 7);
  const said = messages.slice(0, -1)
    .map(({ role, content }: Record<string, string>) => turn(role, content));
  const last = await likeliest(`${said.join("")}${START}assistant\n`, 12);
  assert(out.endsWith(`${last}\n`));
});

Deno.test("a signal ends the answer, and at the prompt the program", async () => {
  // One without control tokens, whose answers have no end.
  const endless = place.path("endless");
  Deno.mkdirSync(endless);
  const config = Deno.readTextFileSync(join(model, "config.json"));
  const files = {
    "config.json": JSON.stringify({
      ...JSON.parse(config),
      max_position_embeddings: 20_000,
    }),
    "tokenizer.json": JSON.stringify(new CharTokenizer("\n!Helo")),
    "chat_template.jinja": "{{ messages[-1].content + '\\n' }}",
  };
  for (const [name, content] of Object.entries(files)) {
    Deno.writeTextFileSync(join(endless, name), content);
  }
  const weights = "model.safetensors";
  Deno.copyFileSync(join(model, weights), join(endless, weights));
  const args = ["chat", "--model", endless, "--max-new-tokens", "100000"];
  const child = new Deno.Command("deno", {
    args: [
      ...["run", "--no-prompt", "--no-check", `--allow-read=${endless}`],
      new URL("../../cli/main.ts", import.meta.url).pathname,
      ...args,
    ],
    env: { XDG_RUNTIME_DIR: "/tmp" },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const patience = setTimeout(() => child.kill("SIGKILL"), 50_000);
  const input = child.stdin.getWriter();
  const out = child.stdout.getReader();
  const said = child.stderr.pipeThrough(new TextDecoderStream()).getReader();
  await input.write(new TextEncoder().encode("Hello!\n"));
  await out.read(); // it has begun to answer
  child.kill("SIGINT");
  const drained = (async () => {
    while (!(await out.read()).done);
  })();
  let err = "";
  while (!err.includes("note: ")) {
    const { value, done } = await said.read();
    if (done) break;
    err += value;
  }
  assertMatch(err, /note: the answer was interrupted\n/);
  child.kill("SIGINT");
  const { code } = await child.status;
  clearTimeout(patience);
  await input.close().catch(() => {});
  await drained;
  await said.cancel();
  assertEquals(code, 130);
});

Deno.test("a template that has no system prompt refuses one at once", async () => {
  const strict = place.path("strict");
  Deno.mkdirSync(strict);
  for (const { name } of Deno.readDirSync(model)) {
    Deno.copyFileSync(join(model, name), join(strict, name));
  }
  const source =
    `{% if messages[0].role == 'system' %}{{ raise_exception('no system here') }}{% endif %}`;
  Deno.writeTextFileSync(join(strict, "chat_template.jinja"), source + CHATML);
  const { code, out, err } = await run(
    ...["chat", "--model", strict, "--system", "Be kind."],
  );
  assertEquals({ code, out }, { code: 1, out: "" });
  assertStringIncludes(
    err,
    "error: Cannot write the conversation by its template: no system here",
  );
});

Deno.test("a model without a template is refused, and what it lacks named", async () => {
  const bare = place.path("bare");
  Deno.mkdirSync(bare);
  const { code, err } = await run("chat", "--model", bare);
  assertEquals(code, 1);
  assertStringIncludes(
    err,
    "it has no chat template, neither chat_template.jinja",
  );
});

Deno.test("a prompt begins with the tokens that the tokenizer puts there", async () => {
  const { code, out, err } = await run(
    ...["generate", "--model", model, "--prompt", "Once upon", ...GREEDY],
  );
  assertEquals(code, 0, err);
  assertEquals(out, `Once upon${await likeliest(`${START}Once upon`, 12)}\n`);
});
