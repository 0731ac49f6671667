import { assertEquals, assertThrows } from "@std/assert";
import { ByteTokenizer } from "../../lib/text/byte.ts";
import {
  type ChatMessage,
  loadChatTemplate,
  loadTemplateTokens,
} from "../../lib/text/chat_template.ts";
import {
  answerEnd,
  joinInput,
  PROMPT_STYLES,
  type PromptStyle,
  promptStyle,
} from "../../lib/text/prompt_style.ts";
import { withChatTemplate } from "../../lib/text/template_files.ts";

const fixtures = new URL("../fixtures/instructions/", import.meta.url);

const asked = { addGenerationPrompt: true };
const talk = [
  { role: "user", content: "Add 1 and 1." },
  { role: "assistant", content: "2" },
  { role: "user", content: "Sure?" },
];

/** A tokenizer with these special tokens, from 256 on. */
function withTokens(...texts: string[]): ByteTokenizer {
  return new ByteTokenizer(texts);
}

Deno.test("alpaca is written as the book writes it, and ends answers", () => {
  const tokenizer = withTokens("<|endoftext|>");
  const template = promptStyle("alpaca", { tokenizer });
  const begin =
    "Below is an instruction that describes a task. Write a response that appropriately completes the request.";
  assertEquals(
    template.render(talk, asked),
    `${begin}\n\n### Instruction:\nAdd 1 and 1.\n\n### Response:\n2<|endoftext|>` +
      "\n\n### Instruction:\nSure?\n\n### Response:\n",
  );
  const system = { role: "system", content: "Be brief." };
  assertEquals(
    template.render([system, ...talk.slice(0, 1)]),
    "Be brief.\n\n### Instruction:\nAdd 1 and 1.",
  );
  assertThrows(
    () => template.render([...talk, { role: "tool", content: "x" }]),
    Error,
    "the alpaca style has no tool here",
  );
});

Deno.test("phi-3 is written as it was published", async () => {
  const [{ cases }, expected] = await Promise.all(
    ["masks.json", "phi-3.json"].map(async (name) =>
      JSON.parse(await Deno.readTextFile(new URL(name, fixtures)))
    ),
  );
  const tokenizer = withTokens("<|endoftext|>", "<|end|>");
  const template = promptStyle("phi-3", { tokenizer });
  for (const [name, text] of Object.entries(expected)) {
    const messages: ChatMessage[] = cases[name];
    assertEquals(template.render(messages, asked), text);
  }
});

Deno.test("an answer ends as the style wants it, if the tokenizer has that token", () => {
  const ends = (style: PromptStyle, ...texts: string[]) => {
    const tokenizer = withTokens(...texts);
    const template = promptStyle(style, { tokenizer });
    const id = answerEnd(template, tokenizer);
    assertEquals(tokenizer.decode([id]), template.endToken);
    return template.endToken;
  };
  assertEquals(ends("chatml", "<|endoftext|>", "<|im_end|>"), "<|im_end|>");
  assertEquals(ends("chatml", "<|endoftext|>", "<|end|>"), "<|endoftext|>");
  assertEquals(ends("phi-3", "<|endoftext|>", "<|end|>"), "<|end|>");
  assertEquals(ends("plain", "<s>", "</s>"), "<s>");

  const tokenizer = withTokens("<s>", "</s>");
  const tokens = { bos_token: "<s>", eos_token: "</s>" };
  for (const style of PROMPT_STYLES) {
    const template = promptStyle(style, { tokenizer, tokens });
    const text = template.render(talk);
    assertEquals(text.match(/<\/?s>/g), ["<s>", "</s>"], style);
    assertEquals(text.indexOf("<s>"), 0);
  }
});

Deno.test("an input follows the instruction, under alpaca's heading", () => {
  const tokenizer = withTokens("<|endoftext|>");
  const joined = (style: PromptStyle, input?: string) =>
    joinInput(promptStyle(style, { tokenizer }), { content: "Add.", input });
  assertEquals(joined("alpaca"), "Add.");
  assertEquals(joined("alpaca", "1, 1"), "Add.\n\n### Input:\n1, 1");
  assertEquals(joined("phi-3", "1, 1"), "Add.\n1, 1");
});

Deno.test("a folder with the style's files has its template and its end", async () => {
  const tokenizer = withTokens("<|endoftext|>", "<|im_end|>");
  const template = promptStyle("chatml", { tokenizer });
  const files = new Map([
    [
      "tokenizer_config.json",
      '{"model_max_length":8,"chat_template":"old","eos_token":"<|endoftext|>"}',
    ],
    ["generation_config.json", '{"eos_token_id":256,"do_sample":true}'],
    ["chat_template.json", "{}"],
    ["config.json", "{}"],
  ]);
  const all = withChatTemplate(files, { template, tokenizer });
  assertEquals([...all.keys()].sort(), [
    "chat_template.jinja",
    "config.json",
    "generation_config.json",
    "tokenizer_config.json",
  ]);
  assertEquals(JSON.parse(all.get("generation_config.json")!), {
    eos_token_id: [256, 257],
    do_sample: true,
  });
  assertEquals(JSON.parse(all.get("tokenizer_config.json")!), {
    tokenizer_class: "PreTrainedTokenizerFast",
    clean_up_tokenization_spaces: false,
    model_max_length: 8,
    eos_token: "<|im_end|>",
  });
  assertEquals(withChatTemplate(all, { template, tokenizer }), all);

  const folder = await Deno.makeTempDir();
  try {
    for (const [name, text] of all) {
      await Deno.writeTextFile(`${folder}/${name}`, text);
    }
    const loaded = await loadChatTemplate(folder);
    assertEquals(loaded!.render(talk, asked), template.render(talk, asked));
    assertEquals(loaded!.endToken, "<|im_end|>");
    assertEquals(await loadTemplateTokens(folder), { eos_token: "<|im_end|>" });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
  assertEquals(await loadTemplateTokens(folder), {});
  assertThrows(
    () =>
      withChatTemplate(new Map([["tokenizer_config.json", "{"]]), {
        template,
        tokenizer,
      }),
    SyntaxError,
    "Cannot read tokenizer_config.json: ",
  );
});
