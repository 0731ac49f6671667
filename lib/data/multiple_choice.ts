/**
 * Questions with a choice of endings, as HellaSwag's.
 *
 * @module
 */

/** A beginning, and endings of which one is right. */
export interface MultipleChoice {
  /** What comes before each ending, and the space that parts them. */
  readonly context: string;
  /** What may follow; at least two. */
  readonly endings: readonly string[];
  /** Which of them is right, from 0. */
  readonly label: number;
}

/**
 * Reads questions in HellaSwag's shape, a JSON object per line with `ctx`,
 * `endings` and `label`; other fields are not looked at. Rows that have
 * HellaSwag's `activity_label`, `ctx_a` and `ctx_b` too are put together from
 * these, and cleaned, as lm-evaluation-harness does.
 *
 * ```ts
 * import { parseMultipleChoice } from "@shaderloom/shaderloom";
 * import { assertEquals } from "@std/assert";
 *
 * const line = '{"ctx":"One and one is","endings":["two.","ten."],"label":0}';
 * const [question] = parseMultipleChoice(line, "sums.jsonl");
 * assertEquals(question.endings[question.label], "two.");
 * ```
 *
 * @throws {SyntaxError} With `source`, the line and what is wrong there.
 */
export function parseMultipleChoice(
  text: string,
  source: string,
): readonly MultipleChoice[] {
  const questions: MultipleChoice[] = [];
  for (const [at, line] of text.split("\n").entries()) {
    if (line.trim() === "") continue;
    try {
      questions.push(questionOf(JSON.parse(line)));
    } catch (error) {
      const reason = (error as Error).message.replace(/\s*\n\s*/g, " ");
      throw new SyntaxError(
        `Cannot read ${source}: line ${at + 1}: ${reason}`,
        { cause: error },
      );
    }
  }
  if (questions.length === 0) {
    throw new SyntaxError(
      `Cannot read ${source}: there are no questions in it`,
    );
  }
  return questions;
}

function questionOf(row: unknown): MultipleChoice {
  if (typeof row !== "object" || row === null || Array.isArray(row)) {
    throw new SyntaxError("expected an object");
  }
  const { endings, ...fields } = row as Record<string, unknown>;
  const isText = (value: unknown) => typeof value === "string" && value !== "";
  if (!Array.isArray(endings) || endings.length < 2 || !endings.every(isText)) {
    throw new SyntaxError("endings must be two texts or more, none empty");
  }
  const { label: written, activity_label, ctx, ctx_a, ctx_b } = fields;
  const label = typeof written === "string" && /^\d+$/.test(written)
    ? Number(written)
    : written;
  if (!Number.isInteger(label) || !((label as number) in endings)) {
    throw new SyntaxError(
      `label is ${JSON.stringify(written)}, expected a whole number from 0 to ${
        endings.length - 1
      }`,
    );
  }
  const isWhole = [activity_label, ctx_a, ctx_b]
    .every((part) => typeof part === "string");
  if (!isWhole && typeof ctx !== "string") {
    throw new SyntaxError("ctx must be a text");
  }
  const cleaned = isWhole ? endings.map(clean) : endings;
  if (!cleaned.every(isText)) {
    throw new SyntaxError("an ending has nothing but what is left out");
  }
  return {
    context: isWhole
      ? clean(`${activity_label}: ${ctx_a} ${capitalize(ctx_b as string)}`)
      : ctx as string,
    endings: cleaned,
    label: label as number,
  };
}

/** Less the marks that the pages HellaSwag came from have left in it. */
function clean(text: string): string {
  return text.trim()
    .replaceAll(" [title]", ". ")
    .replace(/\[.*?\]/g, "")
    .replaceAll("  ", " ");
}

/** As Python does it: the first character large, all others small. */
function capitalize(text: string): string {
  const [first = "", ...rest] = text;
  return first.toUpperCase() + rest.join("").toLowerCase();
}
