/**
 * The shapes in which rows of instructions come, each read as a conversation.
 *
 * @module
 */

/** A turn of a conversation, as chat templates know it. */
export interface InstructionMessage {
  /** Whose turn it is: "system", "user", "assistant", or another. */
  readonly role: string;
  /** What is said. */
  readonly content: string;
  /** What an instruction is about, where a column of its own says it. */
  readonly input?: string;
  /** What else there is: calls of tools, say. */
  readonly [key: string]: unknown;
}

/** A conversation to learn from. */
export interface InstructionExample {
  /** The number of its row in the file, from 1. */
  readonly at: number;
  /** Its turns. */
  readonly messages: readonly InstructionMessage[];
  /** The first message whose answer is learned; those before only lead to it. */
  readonly learnFrom: number;
  /** Functions that the model may call, as JSON schemas. */
  readonly tools?: readonly unknown[];
}

/** The columns that rows are recognised by. */
export type InstructionShape =
  | "messages"
  | "conversations"
  | "prompt/completion"
  | "instruction/output";

/** All shapes; of several in one row the first counts. */
export const SHAPES: readonly InstructionShape[] = [
  "messages",
  "conversations",
  "prompt/completion",
  "instruction/output",
];

/** The columns that a shape has beside its own. */
const ALSO: Readonly<Record<InstructionShape, readonly string[]>> = {
  "messages": ["system", "tools"],
  "conversations": ["system", "tools"],
  "prompt/completion": ["system", "tools"],
  "instruction/output": ["input", "system"],
};

/** What people call the roles in `conversations`. */
const ROLES: Readonly<Record<string, string>> = {
  human: "user",
  gpt: "assistant",
  bot: "assistant",
  model: "assistant",
  function_call: "assistant",
  observation: "tool",
};

type Fields = Readonly<Record<string, unknown>>;

/** The shape of a row, if it has one. */
export function shapeOf(row: unknown): InstructionShape | undefined {
  if (!isObject(row)) return undefined;
  return SHAPES.find((shape) =>
    shape.split("/").every((column) => Object.hasOwn(row, column))
  );
}

/** What became of a row: no example, where its answers are empty. */
export interface ReadRow {
  readonly example: InstructionExample | undefined;
  readonly unread: readonly string[];
}

/** Reads a row of a shape. Throws a SyntaxError that says what is wrong with it. */
export function readRow(
  row: unknown,
  { at, shape }: { readonly at: number; readonly shape: InstructionShape },
): ReadRow {
  if (!isObject(row)) throw new SyntaxError("expected an object");
  const own = shapeOf(row);
  if (own !== shape) {
    const missing = shape.split("/").filter((name) => !Object.hasOwn(row, name))
      .map((name) => `"${name}"`);
    throw new SyntaxError(
      own === undefined
        ? `${missing.join(" and ")} ${
          missing.length === 1 ? "is" : "are"
        } missing`
        : `it has the shape ${own}, rows before it ${shape}`,
    );
  }
  const { messages, learnFrom = 0 } = READERS[shape](row);
  const system = textOr(row.system, "", "system");
  const lead = system === "" ? [] : [{ role: "system", content: system }];
  if (lead.length > 0 && messages[0]?.role === "system") {
    throw new SyntaxError(`it has "system" and a message of the role system`);
  }
  const all: readonly InstructionMessage[] = [...lead, ...messages];
  const from = learnFrom + lead.length;
  const answers = all.filter(({ role }, i) =>
    i >= Math.max(1, from) && role === "assistant"
  );
  if (answers.length === 0) {
    throw new SyntaxError("no message of the assistant answers another");
  }
  const columns = [...shape.split("/"), ...ALSO[shape]];
  const unread = Object.keys(row).filter((name) => !columns.includes(name));
  const isEmpty = answers.every(({ content, tool_calls: calls }) =>
    content.trim() === "" && calls === undefined
  );
  const tools = readTools(row.tools);
  return {
    example: isEmpty
      ? undefined
      : { at, messages: all, learnFrom: from, ...tools && { tools } },
    unread,
  };
}

interface Read {
  readonly messages: readonly InstructionMessage[];
  readonly learnFrom?: number;
}

const READERS: Readonly<Record<InstructionShape, (row: Fields) => Read>> = {
  "messages": (row) => ({ messages: readMessages(row.messages, "messages") }),
  "conversations": (row) => ({
    messages: readMessages(row.conversations, "conversations"),
  }),
  "prompt/completion": ({ prompt, completion }) => {
    const before = asMessages(prompt, { role: "user", name: "prompt" });
    const after = asMessages(completion, {
      role: "assistant",
      name: "completion",
    });
    return { messages: [...before, ...after], learnFrom: before.length };
  },
  "instruction/output": (row) => {
    const instruction = textOf(row.instruction, "instruction");
    const input = textOr(row.input, "", "input");
    const user = { role: "user", content: instruction };
    const output = textOf(row.output, "output");
    return {
      messages: [
        input === "" ? user : { ...user, input },
        { role: "assistant", content: output },
      ],
    };
  },
};

function asMessages(
  value: unknown,
  { role, name }: { readonly role: string; readonly name: string },
): readonly InstructionMessage[] {
  if (typeof value === "string") return [{ role, content: value }];
  if (Array.isArray(value)) return readMessages(value, name);
  throw new SyntaxError(`${name} must be a text or a list of messages`);
}

function readMessages(
  value: unknown,
  name: string,
): readonly InstructionMessage[] {
  if (!Array.isArray(value) || value.length === 0) {
    throw new SyntaxError(`${name} must be a list of messages, not empty`);
  }
  return value.map((message, i) => readMessage(message, `${name}[${i}]`));
}

function readMessage(message: unknown, name: string): InstructionMessage {
  if (!isObject(message)) {
    throw new SyntaxError(`${name} must be an object`);
  }
  const { from, value, role = from, content = value, ...rest } = message;
  if (typeof role !== "string" || role === "") {
    throw new SyntaxError(`${name} has no role`);
  }
  const known = Object.hasOwn(ROLES, role) ? ROLES[role] : role;
  const said = content === null && rest.tool_calls !== undefined ? "" : content;
  return { ...rest, role: known, content: textOf(said, `${name}.content`) };
}

/** Some data sets keep schemas as a text of JSON. */
function readTools(value: unknown): readonly unknown[] | undefined {
  if (value === undefined || value === null || value === "") return undefined;
  let tools = value;
  if (typeof value === "string") {
    try {
      tools = JSON.parse(value);
    } catch {
      throw new SyntaxError("tools is a text that is not JSON");
    }
  }
  if (!Array.isArray(tools)) throw new SyntaxError("tools must be a list");
  return tools.length > 0 ? tools : undefined;
}

function textOf(value: unknown, name: string): string {
  if (typeof value === "string") return value;
  const got = value === undefined
    ? "missing"
    : JSON.stringify(value).slice(0, 40);
  throw new SyntaxError(`${name} must be a text, it is ${got}`);
}

function textOr(value: unknown, otherwise: string, name: string): string {
  return value === undefined || value === null
    ? otherwise
    : textOf(value, name);
}

function isObject(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
