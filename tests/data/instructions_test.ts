import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  parseInstructions,
  repeatedPrompts,
} from "../../lib/data/instructions.ts";

const json = (rows: unknown) => JSON.stringify(rows);
const lines = (...rows: unknown[]) => rows.map(json).join("\n");

const user = { role: "user", content: "q" };
const assistant = { role: "assistant", content: "a" };

Deno.test("each shape is recognised and read as messages", () => {
  const read = (row: unknown) => {
    const { shape, examples } = parseInstructions(json([row]), "x");
    const [{ messages, learnFrom }] = examples;
    return { shape, messages, learnFrom };
  };
  assertEquals(read({ instruction: "q", input: "", output: "a" }), {
    shape: "instruction/output",
    messages: [user, assistant],
    learnFrom: 0,
  });
  assertEquals(
    read({ instruction: "q", input: "i", output: "a", system: "s" }).messages,
    [{ role: "system", content: "s" }, { ...user, input: "i" }, assistant],
  );
  assertEquals(read({ prompt: "q", completion: "a" }), {
    shape: "prompt/completion",
    messages: [user, assistant],
    learnFrom: 1,
  });
  const system = { role: "system", content: "s" };
  assertEquals(
    read({
      prompt: [system, user, assistant, user],
      completion: [assistant],
    }),
    {
      shape: "prompt/completion",
      messages: [system, user, assistant, user, assistant],
      learnFrom: 4,
    },
  );
  assertEquals(read({ messages: [user, { ...assistant, name: "n" }] }), {
    shape: "messages",
    messages: [user, { ...assistant, name: "n" }],
    learnFrom: 0,
  });
  assertEquals(
    read({
      system: "s",
      conversations: [
        { from: "human", value: "q" },
        { from: "gpt", value: "a" },
      ],
    }),
    {
      shape: "conversations",
      messages: [system, user, assistant],
      learnFrom: 1,
    },
  );
});

Deno.test("calls of tools are kept, and schemas as a text are read", () => {
  const call = { role: "assistant", content: null, tool_calls: [{ id: "1" }] };
  const tools = [{ type: "function" }];
  for (const written of [tools, json(tools)]) {
    const row = { messages: [user, call], tools: written };
    const [example] = parseInstructions(json([row]), "x").examples;
    assertEquals(example.tools, tools);
    assertEquals(example.messages[1], { ...call, content: "" });
  }
});

Deno.test("JSONL is read by lines, JSON by rows; what is not read is named", () => {
  const row = { instruction: "q", output: "a" };
  const text = `\ufeff${lines({ ...row, id: 1 })}\r\n\n${
    lines({ ...row, score: 2, id: 2 }, { ...row, output: " \n" })
  }\n`;
  const data = parseInstructions(text, "x");
  assertEquals(data.unit, "line");
  assertEquals(data.examples.map(({ at }) => at), [1, 3]);
  assertEquals(data.empty, [4]);
  assertEquals(data.ignored, ["id", "score"]);
  const whole = parseInstructions(` [\n${json(row)}]`, "x");
  assertEquals([whole.unit, whole.examples[0].at], ["row", 1]);
});

Deno.test("what is wrong is said with the rows it is in", () => {
  const good = { instruction: "q", output: "a" };
  const refuse = (text: string, problem: string) => {
    const error = assertThrows(
      () => parseInstructions(text, "f.json"),
      SyntaxError,
      problem,
    );
    assert(error.message.startsWith("Cannot read f.json: "));
    assert(!error.message.includes("\n"), error.message);
  };
  refuse("", "there are no instructions in it");
  refuse("[]", "there are no instructions in it");
  refuse("[{", "Cannot read f.json: ");
  refuse(json([{ text: "t", id: 1 }]), "row 1 has the columns text, id, exp");
  refuse('{\n"a": 1}', "(expected a JSON array, or JSONL); line 2: ");
  refuse("3", "line 1 has 3, expected messages, or conversations, or");
  refuse("{}", "line 1 has no columns, expected");
  refuse(`${json(good)}\n{"`, "line 2: ");
  refuse(json([good, { ...good, output: 3 }]), "row 2: output must be a text");
  refuse(json([good, { instruction: "q" }]), 'row 2: "output" is missing');
  refuse(json([good, []]), "row 2: expected an object");
  refuse(
    json([good, { prompt: "q", completion: "a" }, { messages: [] }]),
    "row 2: it has the shape prompt/completion, rows before it " +
      "instruction/output; row 3: it has the shape messages",
  );
  refuse(json(Array(9).fill({ messages: [user] })), "and 4 more rows");
  refuse(json([{ messages: [assistant] }]), "no message of the assistant ans");
  refuse(json([{ messages: [user, { role: "assistant" }] }]), "messages[1].co");
  refuse(json([{ messages: [user, { content: "" }] }]), "messages[1] has no r");
  refuse(json([{ messages: "q" }]), "messages must be a list of messages");
  refuse(json([{ prompt: 1, completion: "" }]), "prompt must be a text or a l");
  refuse(
    json([{
      system: "s",
      messages: [{ role: "system", content: "t" }, user, assistant],
    }]),
    'it has "system" and a message of the role system',
  );
  refuse(json([{ messages: [user, assistant], tools: "[" }]), "is not JSON");
  refuse(json([{ ...good, output: "" }]), "every answer in it is empty");
});

Deno.test("names that objects inherit are no columns and no roles", () => {
  const error = assertThrows(
    () => parseInstructions('{"toString": 1}', "x"),
    SyntaxError,
  );
  assert(error.message.includes("line 1 has the column toString"));
  const messages = [{ role: "constructor", content: "q" }, assistant];
  const [example] = parseInstructions(json([{ messages }]), "x").examples;
  assertEquals(example.messages[0].role, "constructor");
});

Deno.test("held-out prompts that are learned from too are counted", () => {
  const row = (instruction: string, input: string, output: string) => ({
    ...{ instruction, input, output },
  });
  const rows = [row("q", "i", "a"), row("q", "", "a"), row("q", "i", "b")];
  const { examples: [first, second, third] } = parseInstructions(
    json(rows),
    "x",
  );
  assertEquals(repeatedPrompts([first], [second, third]), 1);
  assertEquals(repeatedPrompts([second], [first, third]), 0);
});
