import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  type ChatMessage,
  ChatTemplate,
  loadChatTemplate,
} from "../../lib/text/chat_template.ts";
import { loadTokenizer } from "../../lib/text/load.ts";

// What transformers writes; see tests/fixtures/text/make_chat.py.
const fixtures = new URL("../fixtures/text/chat/", import.meta.url);

interface Expected {
  readonly cases: readonly {
    readonly messages: ChatMessage[];
    readonly tools?: unknown[];
    readonly add_generation_prompt?: boolean;
  }[];
  readonly expected: Readonly<
    Record<
      string,
      readonly { readonly text?: string; readonly error?: string }[]
    >
  >;
}

const { cases, expected }: Expected = JSON.parse(
  await Deno.readTextFile(new URL("expected.json", fixtures)),
);
const tokens = { bos_token: "<s>", eos_token: "</s>", unk_token: "<unk>" };

for (const [name, results] of Object.entries(expected)) {
  Deno.test(`${name}: conversations are written as transformers writes them`, async () => {
    const source = await Deno.readTextFile(new URL(`${name}.jinja`, fixtures));
    const template = new ChatTemplate(source, tokens);
    assertEquals(results.length, cases.length);
    results.forEach(({ text, error }, i) => {
      const { messages, tools, add_generation_prompt } = cases[i];
      const render = () =>
        template.render(messages, {
          tools,
          addGenerationPrompt: add_generation_prompt,
          variables: { date_string: "21 Nov 2026" },
        });
      if (error === undefined) assertEquals(render(), text, `case ${i}`);
      else {assertThrows(
          render,
          Error,
          messages.length > 0 ? error : "no messages",
        );}
    });
  });
}

const talk = [{ role: "user", content: "Hello" }];

Deno.test("of several templates one is chosen, by tools or by name", () => {
  const template = new ChatTemplate({ default: "D", tool_use: "T", rag: "R" });
  assertEquals(template.render(talk), "D");
  assertEquals(template.render(talk, { tools: [{}] }), "T");
  assertEquals(template.render(talk, { name: "rag", tools: [{}] }), "R");
  assertThrows(
    () => template.render(talk, { name: "other" }),
    RangeError,
    "by the template other: there are default, tool_use, rag",
  );
  assertEquals(new ChatTemplate("D").render(talk, { tools: [] }), "D");
});

Deno.test("control tokens come from the template, never from a message", async () => {
  const source = await Deno.readTextFile(new URL("llama2.jinja", fixtures));
  const template = new ChatTemplate(source, tokens);
  for (const name of ["llama2", "mistral", "gpt2"]) {
    const folder = new URL(`../published/${name}`, fixtures).pathname;
    const tokenizer = await loadTokenizer(folder);
    const harmless = [
      { role: "user", content: "Hello" },
      { role: "assistant", content: "Yes?\n" },
    ];
    // As transformers encodes it, where no message holds a token's text.
    assertEquals(
      template.encode(tokenizer, harmless),
      tokenizer.encode(template.render(harmless), { allowedSpecial: "all" }),
    );

    const special = [...tokenizer.specialTokens.values()];
    const isControl = (id: number) => special.includes(id);
    const count = template.encode(tokenizer, harmless).filter(isControl);
    const text = `x${[...tokenizer.specialTokens.keys()].join("")}y`;
    const hostile = harmless.map(({ role }) => ({ role, content: text }));
    const ids = template.encode(tokenizer, hostile);
    assertEquals(ids.filter(isControl), count);
    // SentencePiece begins the text after a token with a space.
    const spaceless = (text: string) => text.replaceAll(" ", "");
    assertEquals(
      spaceless(tokenizer.decode(ids)),
      spaceless(template.render(hostile)),
      name,
    );
  }
});

Deno.test("time is written as Python writes it, in English", () => {
  const template = new ChatTemplate(
    "{{ strftime_now('%d %b %Y|%B|%A|%H:%M%%') }}",
  );
  const text = template.render(talk);
  assert(
    /^\d\d [A-Z][a-z]{2} \d{4}\|[A-Z][a-z]+\|[A-Z][a-z]+day\|\d\d:\d\d%$/.test(
      text,
    ),
    text,
  );
  assertThrows(
    () => new ChatTemplate("{{ strftime_now('%Q') }}").render(talk),
    Error,
    "it asks for the time as %Q, which is not known here",
  );
});

Deno.test("a folder's template is loaded, with its tokens", async () => {
  const folder = await Deno.makeTempDir();
  const write = (name: string, content: unknown) =>
    Deno.writeTextFile(
      `${folder}/${name}`,
      typeof content === "string" ? content : JSON.stringify(content),
    );
  try {
    assertEquals(await loadChatTemplate(folder), undefined);
    await write("tokenizer_config.json", { bos_token: "<s>" });
    assertEquals(await loadChatTemplate(folder), undefined);

    const chat_template =
      "{{ bos_token }}{{ eos_token }}{{ pad_token is defined }}";
    const tokens = {
      bos_token: "<s>",
      eos_token: { content: "</s>" },
      pad_token: null,
    };
    await write("tokenizer_config.json", { ...tokens, chat_template });
    const text = async () =>
      (await loadChatTemplate(`${folder}/`))!.render(talk);
    assertEquals(await text(), "<s></s>false");

    const named = [{ name: "default", template: "{{ bos_token }}!" }];
    await write("tokenizer_config.json", { ...tokens, chat_template: named });
    assertEquals(await text(), "<s>!");

    await write(
      "chat_template.jinja",
      "{{ messages[0].content }}{{ eos_token }}\n",
    );
    assertEquals(await text(), "Hello</s>");

    const broken: [content: unknown, why: string][] = [
      ["{", "tokenizer_config.json: not JSON"],
      [{ chat_template: 5 }, "chat_template is 5, expected a string"],
      [
        { chat_template: [{ name: "default" }] },
        "chat_template[0].template is missing",
      ],
      [
        { chat_template: "{% if %}" },
        "Cannot read the chat template default: ",
      ],
      [
        { bos_token: 1, chat_template: "" },
        "bos_token is 1, expected an object",
      ],
    ];
    await Deno.remove(`${folder}/chat_template.jinja`);
    for (const [content, why] of broken) {
      await write("tokenizer_config.json", content);
      await assertRejects(() => loadChatTemplate(folder), SyntaxError, why);
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
