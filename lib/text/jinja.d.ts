/** What is used of npm:@huggingface/jinja, whose own types Deno cannot resolve. */

/** A value while a template is rendered. */
export interface RuntimeValue {
  readonly type: string;
  readonly value: unknown;
}

/** A part of a parsed template. */
export interface Statement {
  readonly type: string;
  readonly computed?: boolean;
  readonly object?: Statement;
  readonly property?: Statement;
  readonly operand?: Statement;
  readonly filter?: Statement;
  readonly value?: unknown;
}

/** Variables. */
export class Environment {
  set(name: string, value: unknown): RuntimeValue;
}

/** Renders parsed templates. */
export class Interpreter {
  constructor(environment?: Environment);
  run(program: Statement): RuntimeValue;
  evaluate(
    statement: Statement | undefined,
    environment: Environment,
  ): RuntimeValue;
}

/** The words of a template. */
export function tokenize(
  source: string,
  options?: {
    readonly lstrip_blocks?: boolean;
    readonly trim_blocks?: boolean;
  },
): unknown[];

/** A template from its words. */
export function parse(tokens: unknown[]): Statement;
