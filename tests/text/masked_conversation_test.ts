import { assert, assertEquals, assertThrows } from "@std/assert";
import { ByteTokenizer } from "../../lib/text/byte.ts";
import { CharTokenizer } from "../../lib/text/char.ts";
import {
  type ChatMessage,
  ChatTemplate,
} from "../../lib/text/chat_template.ts";
import { loadTokenizer } from "../../lib/text/load.ts";
import {
  maskConversation,
  type MaskedConversation,
} from "../../lib/text/masked_conversation.ts";
import { PROMPT_STYLES, promptStyle } from "../../lib/text/prompt_style.ts";
import { maskedPieces, showMask } from "../../lib/text/shown_mask.ts";

// What transformers makes of it; see tests/fixtures/instructions/make_fixtures.py.
const fixtures = new URL("../fixtures/instructions/", import.meta.url);

interface Plain {
  readonly ids: number[];
  readonly learned: number[];
}

interface Expected {
  readonly cases: Readonly<Record<string, ChatMessage[]>>;
  readonly results: readonly {
    readonly template: string;
    readonly tokenizer: string;
    readonly case: string;
    readonly tokens: Readonly<Record<string, string>>;
    readonly sequences?: readonly Plain[];
    readonly joint?: Plain;
    readonly error?: string;
  }[];
}

const { cases, results }: Expected = JSON.parse(
  await Deno.readTextFile(new URL("masks.json", fixtures)),
);
const tokenizers = new Map(
  await Promise.all(
    ["gpt2", "llama2", "qwen2"].map(async (name) => {
      const folder = new URL(`../text/published/${name}`, fixtures).pathname;
      return [name, await loadTokenizer(folder)] as const;
    }),
  ),
);

function plain({ ids, learned }: MaskedConversation): Plain {
  return { ids: [...ids], learned: [...learned] };
}

Deno.test("the prompt styles are those that the fixtures were made with", async () => {
  const tokenizer = new ByteTokenizer(["<|endoftext|>"]);
  for (const name of PROMPT_STYLES) {
    const file = new URL(`styles/${name}.jinja`, fixtures);
    const { sources } = promptStyle(name, { tokenizer });
    assertEquals(sources, { default: await Deno.readTextFile(file) });
  }
});

for (const template of new Set(results.map(({ template }) => template))) {
  Deno.test(`${template}: ids and masks are those of transformers`, async () => {
    const source = await Deno.readTextFile(
      new URL(`${template}.jinja`, fixtures),
    );
    let compared = 0;
    for (const result of results) {
      if (result.template !== template) continue;
      const about = `${result.tokenizer}, ${result.case}`;
      const messages = cases[result.case];
      const tokenizer = tokenizers.get(result.tokenizer)!;
      const written = new ChatTemplate(source, result.tokens);
      const mask = () =>
        maskConversation(messages, { template: written, tokenizer });
      if (result.sequences === undefined) {
        assertThrows(mask, Error, result.error);
        continue;
      }
      const sequences = mask().map(plain);
      assertEquals(sequences, [...result.sequences], about);

      // The whole text at once has the same ids, if no token spans a border.
      const [{ ids, learned }] = sequences;
      const { joint } = result;
      if (joint && String(joint.ids.slice(0, ids.length)) === String(ids)) {
        assertEquals(learned, joint.learned.slice(0, ids.length), about);
        assert(!joint.learned.slice(ids.length).includes(1), about);
        compared++;
      }
    }
    if (template.startsWith("styles/")) assertEquals(compared, 12);
  });
}

const tokenizer = new ByteTokenizer(["<|endoftext|>", "<|im_end|>"]);
const chatml = promptStyle("chatml", { tokenizer });
const talk = [
  { role: "user", content: "a" },
  { role: "assistant", content: "b" },
  { role: "user", content: "c" },
  { role: "assistant", content: "d" },
];

/** What is learned, in brackets. */
function shown(sequence: MaskedConversation): string {
  return showMask(maskedPieces(tokenizer, sequence), { color: false });
}

Deno.test("answers are learned with their ends, others only read", () => {
  const [sequence, ...others] = maskConversation(talk, {
    template: chatml,
    tokenizer,
  });
  assertEquals(others, []);
  assertEquals(
    shown(sequence).replaceAll("⏎\n", "⏎"),
    "<|im_start|>user⏎a<|im_end|>⏎<|im_start|>assistant⏎⟦b<|im_end|>⟧⏎" +
      "<|im_start|>user⏎c<|im_end|>⏎<|im_start|>assistant⏎⟦d<|im_end|>⟧",
  );
  const [late] = maskConversation(talk, {
    template: chatml,
    tokenizer,
    learnFrom: 2,
  });
  assertEquals(late.ids, sequence.ids);
  assert(shown(late).endsWith("assistant⏎\n⟦d<|im_end|>⟧"));
  assertEquals(shown(late).split("⟦").length, 2);
});

Deno.test("everything is learned where that is asked for", () => {
  const options = { tokenizer, learn: "all" } as const;
  const [sequence] = maskConversation(talk, { ...options, template: chatml });
  assertEquals(new Set(sequence.learned), new Set([1]));
  assertEquals(
    tokenizer.decode(sequence.ids),
    chatml.render(talk),
  );
  // A template that writes the beginning otherwise once more follows.
  const forgetful = new ChatTemplate(
    "{% for m in messages %}{{ m.role }}:{{ m.content if loop.last or m.role == 'user' else '…' }};{% endfor %}" +
      "{% if add_generation_prompt %}assistant:{% endif %}",
    { eos_token: "<|endoftext|>" },
  );
  const whole = maskConversation(talk, { ...options, template: forgetful });
  assertEquals(
    whole.map(({ ids }) => tokenizer.decode(ids)),
    ["user:a;assistant:…;user:c;assistant:d;<|endoftext|>"],
  );
  const apart = maskConversation(talk, { tokenizer, template: forgetful });
  assertEquals(apart.map(shown), [
    "user:a;assistant:⟦b;<|endoftext|>⟧",
    "user:a;assistant:…;user:c;assistant:⟦d;<|endoftext|>⟧",
  ]);
});

Deno.test("the text of a control token in a message is no control token", () => {
  const messages = [
    { role: "user", content: "<|im_end|>" },
    { role: "assistant", content: "x<|im_end|>y" },
  ];
  const options = { template: chatml, tokenizer };
  const [{ ids, learned }] = maskConversation(messages, options);
  const ends = [...ids.keys()].filter((i) => ids[i] === 257);
  assertEquals(ends.length, 2);
  assertEquals(ends.map((i) => learned[i]), [0, 1]);
  assertEquals(ends[1], ids.length - 1);
});

Deno.test("ids before an answer are those from which it is generated", () => {
  const bpe = tokenizers.get("gpt2")!;
  const template = promptStyle("alpaca", { tokenizer: bpe });
  const messages = [
    { role: "user", content: "A list" },
    { role: "assistant", content: "\n\n- one" },
  ];
  const [{ ids, learned }] = maskConversation(messages, {
    template,
    tokenizer: bpe,
  });
  const prompt = template.encode(bpe, messages.slice(0, 1), {
    addGenerationPrompt: true,
  });
  assertEquals([...ids.subarray(0, prompt.length)], [...prompt]);
  assertEquals(learned.indexOf(1), prompt.length);
  assertEquals(bpe.decode(ids), template.render(messages));
});

Deno.test("what cannot be masked is refused, with the reason", () => {
  assertThrows(
    () => maskConversation(talk.slice(0, 1), { template: chatml, tokenizer }),
    RangeError,
    "the assistant answers nothing",
  );
  const thoughtful = new ChatTemplate(
    "{% for m in messages %}{{ m.role }}:{{ m.content }};{% endfor %}" +
      "{% if add_generation_prompt %}assistant:<think>{% endif %}",
  );
  assertThrows(
    () => maskConversation(talk, { template: thoughtful, tokenizer }),
    Error,
    'writes what leads to message 2 otherwise once the answer follows: "<think>" becomes "b;"; use another prompt style',
  );
  const endless = new CharTokenizer("abc");
  assertThrows(
    () => promptStyle("alpaca", { tokenizer: endless }),
    RangeError,
    "its tokenizer has no special token, such as <|endoftext|>",
  );
});
