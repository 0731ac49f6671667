/**
 * Flags: what a command takes, its help, and everything wrong with what it got.
 *
 * @module
 */

// @ts-types="./parse_args.d.ts"
import { parseArgs } from "npm:deno-std@1.4.0/cli/parse_args.js";
import { nearest } from "./nearest.ts";
import { UsageError } from "./usage_error.ts";

/** A flag that takes a text. */
export interface TextFlag {
  readonly kind: "text";
  readonly help: string;
  readonly value: string;
  readonly default?: string;
  readonly choices?: readonly string[];
}

/** A flag that takes a number. */
export interface NumberFlag {
  readonly kind: "number";
  readonly help: string;
  readonly default?: number;
  readonly integer?: boolean;
  readonly least?: number;
  readonly most?: number;
  /** What the flag means without a number after it, if it may stand alone. */
  readonly alone?: number;
}

/** A flag that takes nothing; `--no-NAME` turns it off if it is on by default. */
export interface SwitchFlag {
  readonly kind: "switch";
  readonly help: string;
  readonly default?: boolean;
  readonly negatable?: boolean;
}

/** A flag that takes texts, and may come again. */
export interface TextsFlag {
  readonly kind: "texts";
  readonly help: string;
  readonly value: string;
}

/** Any flag. */
export type Flag = TextFlag | NumberFlag | SwitchFlag | TextsFlag;

/** The flags of a command, by name without the dashes. */
export type Flags = Readonly<Record<string, Flag>>;

type Value<F extends Flag> = F extends TextsFlag ? readonly string[]
  : F extends SwitchFlag ? boolean
  : F extends TextFlag
    ? F extends { readonly default: string } ? string : string | undefined
  : F extends { readonly default: number } ? number
  : number | undefined;

/** What the flags of a command turned out to be. */
export type Values<F extends Flags> = {
  readonly [Name in keyof F]: Value<F[Name]>;
};

/** A command line, read. */
export interface Parsed<F extends Flags> {
  /** The flags, with defaults filled in. */
  readonly values: Values<F>;
  /** The names of the flags that were given. */
  readonly given: ReadonlySet<keyof F & string>;
  /** What is not a flag. */
  readonly rest: readonly string[];
}

/** What a command is called, takes and says. */
export interface Command<F extends Flags> {
  /** As in `deno task NAME`. */
  readonly name: string;
  /** What it does, a sentence or a few lines. */
  readonly about: string;
  /** What follows the name, besides flags. */
  readonly usage?: string;
  /** Its flags; `--help` is understood by all commands. */
  readonly flags: F;
  /**
   * What is wrong with the flags together. Numbers that make no sense by
   * themselves are NaN here, and have been noted.
   */
  readonly check?: (parsed: Parsed<F>) => readonly string[];
}

/**
 * Reads a command line, or prints its help and gives `null`. Throws a
 * {@linkcode UsageError} that lists everything that is wrong with it.
 */
export function readArgs<const F extends Flags>(
  command: Command<F>,
  args: readonly string[],
): Parsed<F> | null {
  const { flags } = command;
  const words = joined(args, flags);
  const names = Object.keys(flags);
  const ofKind = (...kinds: Flag["kind"][]) =>
    names.filter((name) => kinds.includes(flags[name].kind));
  const problems: string[] = [];
  const parsed = parseArgs(words, {
    string: [...ofKind("text", "texts", "number"), "_"],
    boolean: [...ofKind("switch"), "help"],
    collect: ofKind("texts"),
    negatable: ofKind("switch").filter((name) =>
      (flags[name] as SwitchFlag).negatable
    ),
    unknown: (arg, key) => {
      if (key === undefined) return true;
      const guess = nearest(key, [...names, "help"]);
      problems.push(
        `unknown flag ${arg.split("=")[0]}${
          guess === undefined ? "" : `, did you mean --${guess}?`
        }`,
      );
      return false;
    },
  });
  if (parsed.help) {
    console.log(helpOf(command));
    return null;
  }
  const given = new Set<keyof F & string>();
  const values: Record<string, unknown> = {};
  for (const [name, flag] of Object.entries(flags)) {
    const raw = parsed[name];
    const present = isGiven(words, name);
    if (present) given.add(name);
    values[name] = present ? read(name, flag, raw, problems) : missing(flag);
  }
  const rest = parsed._.map(String);
  const found: Parsed<F> = { values: values as Values<F>, given, rest };
  problems.push(...command.check?.(found) ?? []);
  if (problems.length > 0) throw usageError(command.name, problems);
  return found;
}

/** The error for a command line with these problems. */
export function usageError(
  name: string,
  problems: readonly string[],
): UsageError {
  return new UsageError(
    `Cannot ${name}: ${problems.join("; ")} (see --help)`,
  );
}

/**
 * `--flag value` as `--flag=value`, so that a value may be empty, a dash or a
 * negative number. Only what begins with two dashes is never a value.
 */
function joined(args: readonly string[], flags: Flags): string[] {
  const words: string[] = [];
  for (let at = args[0] === "--" ? 1 : 0; at < args.length; at++) {
    const word = args[at] === "-h" ? "--help" : args[at];
    if (word === "--") return [...words, ...args.slice(at)];
    const name = word.startsWith("--") ? word.slice(2) : "";
    const flag = Object.hasOwn(flags, name) ? flags[name] : undefined;
    const value = args[at + 1];
    if (flag && value !== undefined && takes(flag, value)) {
      words.push(`${word}=${value}`);
      at++;
    } else words.push(flag && mayStandAlone(flag) ? `${word}=` : word);
  }
  return words;
}

/** Whether what follows a flag is its value. */
function takes(flag: Flag, next: string): boolean {
  if (flag.kind === "switch" || next.startsWith("--")) return false;
  return !mayStandAlone(flag) || Number.isFinite(Number(next));
}

function mayStandAlone(flag: Flag): boolean {
  return flag.kind === "number" && flag.alone !== undefined;
}

function isGiven(args: readonly string[], name: string): boolean {
  return args.some((arg) =>
    arg === `--${name}` || arg === `--no-${name}` ||
    arg.startsWith(`--${name}=`)
  );
}

function missing(flag: Flag): unknown {
  if (flag.kind === "texts") return [];
  return flag.kind === "switch" ? flag.default ?? false : flag.default;
}

function read(
  name: string,
  flag: Flag,
  raw: unknown,
  problems: string[],
): unknown {
  if (flag.kind === "switch") return raw;
  const texts = (Array.isArray(raw) ? raw : [raw]).map(String);
  if (flag.kind === "texts") {
    if (texts.includes("")) problems.push(`--${name} needs a ${flag.value}`);
    return texts;
  }
  const text = texts[0];
  if (flag.kind === "text") {
    if (text === "") problems.push(`--${name} needs a ${flag.value}`);
    else if (flag.choices && !flag.choices.includes(text)) {
      const guess = nearest(text, flag.choices);
      problems.push(
        `--${name} is "${text}", expected ${flag.choices.join(", ")}${
          guess ? `; did you mean ${guess}?` : ""
        }`,
      );
    }
    return text;
  }
  if (text === "" && flag.alone !== undefined) return flag.alone;
  const number = text.trim() === "" ? NaN : Number(text);
  const { integer, least = -Infinity, most = Infinity } = flag;
  const valid = Number.isFinite(number) && number >= least && number <= most &&
    (!integer || Number.isSafeInteger(number));
  if (valid) return number;
  problems.push(`--${name} is "${text}", expected ${range(flag)}`);
  return NaN;
}

function range({ integer, least, most }: NumberFlag): string {
  const kind = integer ? "a whole number" : "a number";
  if (least !== undefined && most !== undefined) {
    return `${kind} from ${least} to ${most}`;
  }
  if (least !== undefined) return `${kind} from ${least}`;
  return kind;
}

function helpOf<F extends Flags>(
  { name, about, usage = "", flags }: Command<F>,
): string {
  const rows = Object.entries(flags).map(([flag, spec]) => {
    const value = spec.kind === "number"
      ? spec.alone === undefined ? " N" : " [N]"
      : spec.kind === "switch"
      ? ""
      : ` ${spec.value}`;
    const dashes = spec.kind === "switch" && spec.negatable
      ? `--${flag}, --no-${flag}`
      : `--${flag}${value}`;
    const preset = spec.kind === "texts" ? undefined : spec.default;
    const shown = preset === undefined || preset === false
      ? ""
      : ` (default: ${preset === true ? "on" : preset})`;
    return [dashes, `${spec.help}${shown}`];
  });
  rows.push(["--help", "Show this"]);
  const width = Math.max(...rows.map(([dashes]) => dashes.length)) + 2;
  return [
    about,
    "",
    `Usage: deno task ${name}${usage ? ` ${usage}` : ""} [--flags]`,
    "",
    ...rows.map(([dashes, help]) => `  ${dashes.padEnd(width)}${help}`),
  ].join("\n");
}
