import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertThrows,
} from "@std/assert";
import {
  type InstructionData,
  parseInstructions,
} from "../../lib/data/instructions.ts";
import { SequenceBatches } from "../../lib/data/sequence_batches.ts";
import { parameters } from "../../lib/nn/parameters.ts";
import { AdamW } from "../../lib/optim/adamw.ts";
import { Random } from "../../lib/random.ts";
import { ByteTokenizer } from "../../lib/text/byte.ts";
import { ChatTemplate } from "../../lib/text/chat_template.ts";
import { promptStyle } from "../../lib/text/prompt_style.ts";
import {
  answerInstructions,
  meanScores,
} from "../../lib/train/instruction_answers.ts";
import { encodeInstructions } from "../../lib/train/instructions.ts";
import {
  evaluateTokens,
  type TokenMeasures,
  TokenStatistics,
} from "../../lib/train/token_statistics.ts";
import { train } from "../../lib/train/train.ts";
import { bothDevices } from "../both_devices.ts";
import { GPT2 } from "../../models/gpt2.ts";

const devices = bothDevices();

const tokenizer = new ByteTokenizer(["<|endoftext|>"]);
const template = promptStyle("plain", { tokenizer });

/** Rows of a prompt and an answer, which the style writes one after the other. */
function data(...pairs: [prompt: string, answer: string][]): InstructionData {
  const rows = pairs.map(([prompt, completion]) => ({ prompt, completion }));
  return parseInstructions(JSON.stringify(rows), "x");
}

Deno.test("what is cut off is counted, and what leaves nothing is left out", () => {
  const options = { template, tokenizer, blockSize: 6 };
  const rows = data(
    ["ab", "cd"],
    ["ab", "cdef"], // 7 tokens with its end: as many as fit
    ["ab", "cdefg"],
    ["abcdef", "g"],
    ["abcdefg", "h"],
  );
  const encoded = encodeInstructions(rows, options);
  const texts = encoded.sequences.map(({ ids }) => tokenizer.decode(ids));
  assertEquals(texts, [
    "abcd<|endoftext|>",
    "abcdef<|endoftext|>",
    "abcdefg",
    "abcdefg",
  ]);
  assertEquals(encoded.sequences.map(({ at }) => at), [1, 2, 3, 4]);
  assertEquals(encoded.truncated, [3, 4]);
  assertEquals(encoded.dropped, [5]);
  assertEquals(encoded.divided, []);
  assertEquals(encoded.longest, 9);
  assertEquals(encoded.tokens, 4 + 6 + 6 + 6);
  assertEquals(encoded.targets, 3 + 5 + 5 + 1);

  const all = encodeInstructions(rows, { ...options, learn: "all" });
  assertEquals(all.targets, all.tokens);
  assertEquals(all.dropped, []);
});

Deno.test("data with nothing to learn, or that cannot be written, are refused", () => {
  const options = { template, tokenizer, blockSize: 6 };
  assertThrows(
    () =>
      encodeInstructions(data(["abcdefg", "h"], ["abcdefgh", "i"]), options),
    RangeError,
    "in all 2, the answers begin after the first 6 tokens; allow more, the longest has 10",
  );
  const picky = new ChatTemplate(
    "{{ raise_exception('no ' + messages[0].content) }}",
  );
  assertThrows(
    () =>
      encodeInstructions(data(["a", "b"], ["c", "d"]), {
        ...options,
        template: picky,
      }),
    Error,
    "Cannot write the instructions: row 1: Cannot write the conversation by its template: no a; row 2: ",
  );
});

Deno.test("an input is joined as the style wants it", () => {
  const row = { instruction: "Add.", input: "1, 1", output: "2" };
  const rows = parseInstructions(JSON.stringify([row]), "x");
  const text = (style: "alpaca" | "chatml") => {
    const template = promptStyle(style, { tokenizer });
    const options = { template, tokenizer, blockSize: 500 };
    const [{ ids }] = encodeInstructions(rows, options).sequences;
    return tokenizer.decode(ids);
  };
  assertEquals(
    text("alpaca"),
    "Below is an instruction that describes a task. Write a response that " +
      "appropriately completes the request.\n\n### Instruction:\nAdd.\n\n" +
      "### Input:\n1, 1\n\n### Response:\n2<|endoftext|>",
  );
  assertEquals(
    text("chatml"),
    "<|im_start|>user\nAdd.\n1, 1<|im_end|>\n<|im_start|>assistant\n2<|endoftext|>",
  );
});

const rows = data(["1+1=", "two"], ["1+2=", "three"], ["2+2=", "four"], [
  "x?",
  "Not known.",
]);

for (const kind of ["best", "plain"] as const) {
  Deno.test(`packed texts have the loss of padded ones (${kind} device)`, async () => {
    const device = devices[kind]!;
    const random = new Random(1);
    const model = new GPT2({ device, random }, {
      ...{ vocabSize: 257, blockSize: 40, nLayer: 2, nHead: 2, nEmbd: 16 },
    });
    const options = { template, tokenizer, blockSize: 40 };
    const { sequences, targets } = encodeInstructions(rows, options);
    const measure = async (packing: boolean, isSeparate = true) => {
      const sizes = { batchSize: 2, blockSize: 40, packing };
      const batches = new SequenceBatches(sequences, sizes).all()
        .map((batch) => isSeparate ? batch : { ...batch, starts: undefined });
      const { tokens, ...found } = await evaluateTokens({
        ...{ device, model, batches },
      });
      assertEquals(tokens, targets);
      return found;
    };
    const [packed, padded] = [await measure(true), await measure(false)];
    assertAlmostEquals(packed.loss, padded.loss, 1e-6);
    assertAlmostEquals(packed.entropy, padded.entropy, 1e-6);
    assertEquals(packed.meanTokenAccuracy, padded.meanTokenAccuracy);
    const mixed = await measure(true, false);
    assert(Math.abs(mixed.loss - padded.loss) > 1e-4);
    for (const parameter of parameters(model).values()) {
      parameter[Symbol.dispose]();
    }
  });

  Deno.test(`a model learns to answer, and to end its answers (${kind} device)`, async () => {
    const device = devices[kind]!;
    const random = new Random(1);
    const model = new GPT2({ device, random }, {
      ...{ vocabSize: 257, blockSize: 32, nLayer: 1, nHead: 2, nEmbd: 32 },
    });
    const options = { template, tokenizer, blockSize: 32 };
    const { sequences } = encodeInstructions(rows, options);
    const answers = () =>
      Array.fromAsync(answerInstructions({
        ...{ device, model, tokenizer, template, maxNewTokens: 12 },
        examples: rows.examples,
      }));
    assert(meanScores(await answers()).exactMatch < 1);

    using statistics = new TokenStatistics(device, model);
    const run = train({
      ...{ device, steps: 120, schedule: () => 0.01 },
      objective: statistics.objective,
      optimizer: new AdamW(parameters(model)),
      batches: new SequenceBatches(sequences, {
        ...{ batchSize: 1, blockSize: 32, packing: true, random },
      }),
    });
    const found: TokenMeasures[] = [];
    for await (const { step } of run) {
      if (step % 30 === 0) found.push(await statistics.read());
    }
    assertEquals(found.length, 4);
    assert(found[0].meanTokenAccuracy < 0.9);
    assertEquals(found[3].meanTokenAccuracy, 1);
    assert(found[3].entropy < 0.1 * found[0].entropy);
    const learned = await answers();
    assertEquals(
      learned.map(({ at, prompt, answer, ended }) => ({
        at,
        prompt,
        answer,
        ended,
      })),
      [
        { at: 1, prompt: "1+1=", answer: "two", ended: true },
        { at: 2, prompt: "1+2=", answer: "three", ended: true },
        { at: 3, prompt: "2+2=", answer: "four", ended: true },
        { at: 4, prompt: "x?", answer: "Not known.", ended: true },
      ],
    );
    assertEquals(meanScores(learned), { exactMatch: 1, f1: 1 });
    for (const parameter of parameters(model).values()) {
      parameter[Symbol.dispose]();
    }
  });
}
