/**
 * Rendering Jinja templates that nobody has vouched for: with limits on time
 * and size, and with Python's idea of strings where JavaScript's differs.
 *
 * @module
 */

// @ts-types="./jinja.d.ts"
import {
  Environment,
  Interpreter,
  parse,
  type RuntimeValue,
  type Statement,
  tokenize,
} from "npm:@huggingface/jinja@0.5.11";

import { globalsFor } from "./jinja_globals.ts";

/** How far a rendering may go. */
export interface RenderLimits {
  /** How long it may take; 2 by default. */
  readonly seconds?: number;
  /** How many characters and list elements any of its values may hold, the text among them; a million by default. */
  readonly size?: number;
}

/** A parsed Jinja template. */
export class JinjaTemplate {
  readonly #program: Statement;

  /** Throws a SyntaxError on a malformed template. */
  constructor(source: string) {
    if (source.length > LONGEST_TEMPLATE) {
      throw new SyntaxError(
        `it has ${source.length} characters, at most ${LONGEST_TEMPLATE} are read`,
      );
    }
    if (LONG_GAP.test(source)) {
      throw new SyntaxError("it has a gap of over a thousand blank characters");
    }
    try {
      const words = tokenize(source, {
        lstrip_blocks: true,
        trim_blocks: true,
      });
      this.#program = parse(words);
    } catch (error) {
      throw new SyntaxError(reasonOf(error));
    }
  }

  /** The text for some variables. Throws an Error where the template fails or exceeds a limit. */
  render(
    variables: ReadonlyMap<string, unknown>,
    { seconds = 2, size = 1_000_000 }: RenderLimits = {},
  ): string {
    const environment = new Environment();
    const all = new Map<string, unknown>([...globalsFor(size), ...variables]);
    try {
      for (const [name, value] of all) {
        environment.set(name, value);
      }
      const interpreter = new LimitedInterpreter(environment, {
        seconds,
        size,
      });
      return interpreter.run(this.#program).value as string;
    } catch (error) {
      throw new Error(reasonOf(error));
    }
  }
}

// The library looks through gaps in time that grows with their square.
const LONGEST_TEMPLATE = 200_000;
const LONG_GAP = /\s{1001}/;

/** The error's message; where a stack or string outgrew JavaScript, in words of one's own. */
function reasonOf(error: unknown): string {
  if (error instanceof RangeError) return "it nests or grows without end";
  const { message } = error as Error;
  return message.replaceAll(/\s+/g, " ");
}

/** Renders step by step, looking after each how late it is and what has grown. */
class LimitedInterpreter extends Interpreter {
  readonly #deadline: number;
  readonly #limits: Required<RenderLimits>;
  readonly #sizes = new WeakMap<object, number>();

  constructor(environment: Environment, limits: Required<RenderLimits>) {
    super(environment);
    this.#limits = limits;
    this.#deadline = performance.now() + 1000 * limits.seconds;
  }

  override evaluate(
    node: Statement | undefined,
    environment: Environment,
  ): RuntimeValue {
    if (performance.now() > this.#deadline) {
      throw new Error(`it takes over ${this.#limits.seconds} seconds`);
    }
    const value = this.#stripping(node, environment) ??
      super.evaluate(node, environment);
    if (this.#sizeOf(value) > this.#limits.size) {
      throw new Error(
        `it makes more than ${this.#limits.size} characters and elements`,
      );
    }
    return value;
  }

  /** `trim` and the strip methods as Python has them, if the node is one of them. */
  #stripping(
    node: Statement | undefined,
    environment: Environment,
  ): RuntimeValue | undefined {
    const isTrim = node?.type === "FilterExpression" &&
      node.filter!.type === "Identifier" && node.filter!.value === "trim";
    const name = node?.type === "MemberExpression" && !node.computed &&
      node.property!.value;
    const isMethod = typeof name === "string" && /^[lr]?strip$/.test(name);
    if (!isTrim && !isMethod) return undefined;

    const operand = this.evaluate(
      isTrim ? node.operand : node!.object,
      environment,
    );
    if (operand.type !== "StringValue") {
      if (isTrim) throw new Error(`it trims something of ${operand.type}`);
      throw new Error(`${name} is not a method of ${operand.type}`);
    }
    const text = operand.value as string;
    const method = (chars?: unknown) =>
      strip(text, typeof chars === "string" ? chars : undefined, {
        left: name !== "rstrip",
        right: name !== "lstrip",
      });
    return runtimeValue(isTrim ? method() : method);
  }

  /**
   * Characters and elements of a value when written out, so that what a value
   * holds many times counts as often; stops counting at the limit.
   */
  #sizeOf(value: RuntimeValue): number {
    const content = value?.value;
    if (typeof content === "string") return content.length;
    if (typeof content !== "object" || content === null) return 1;
    const known = this.#sizes.get(value);
    if (known !== undefined) return known;

    let size = 1;
    let changes = value.type === "NamespaceValue";
    const pending: RuntimeValue[] = [value];
    while (pending.length > 0 && size <= this.#limits.size) {
      const next = pending.pop()!;
      const inside = next?.value;
      if (typeof inside === "string") size += inside.length;
      if (next?.type === "NamespaceValue") changes = true;
      const known = next === value ? undefined : this.#sizes.get(next);
      if (known !== undefined) size += known;
      else if (Array.isArray(inside)) {
        size += inside.length;
        if (size <= this.#limits.size) {
          for (const item of inside) pending.push(item);
        }
      } else if (inside instanceof Map) {
        size += inside.size;
        for (const [key, item] of inside) {
          size += key.length;
          pending.push(item);
        }
      }
    }
    if (!changes) this.#sizes.set(value, size);
    return size;
  }
}

function runtimeValue(value: unknown): RuntimeValue {
  return new Environment().set("value", value);
}

/** Python's strip: of white space as Python has it, or of given characters. */
function strip(
  text: string,
  chars: string | undefined,
  { left, right }: { readonly left: boolean; readonly right: boolean },
): string {
  const strips = (char: string) =>
    chars === undefined ? PYTHON_SPACE.test(char) : chars.includes(char);
  const characters = [...text];
  let start = 0;
  let end = characters.length;
  while (left && start < end && strips(characters[start])) start++;
  while (right && end > start && strips(characters[end - 1])) end--;
  return characters.slice(start, end).join("");
}

// deno-lint-ignore no-control-regex -- four separators are white space there
const PYTHON_SPACE = /^[\p{White_Space}\x1c-\x1f]$/u;
