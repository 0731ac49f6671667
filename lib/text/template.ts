/**
 * The special tokens that a tokenizer puts around a text, such as the one that
 * begins it.
 *
 * @module
 */

import type { JsonCursor } from "./json_cursor.ts";
import { stepType } from "./step.ts";
import type { StepJson } from "./tokenizer_form.ts";

/** What stands around the ids of a text where special tokens are to be added. */
export interface Template {
  /** The ids before those of the text. */
  readonly before: readonly number[];
  /** The ids after those of the text. */
  readonly after: readonly number[];
  /** The post-processor of a Hugging Face tokenizer.json. */
  toJSON(): StepJson;
}

/**
 * Reads the post-processor of a tokenizer.json; undefined where it adds
 * nothing. ByteLevel concerns offsets, which are not computed here.
 */
export function readTemplate(step: JsonCursor): Template | undefined {
  if (step.absent) return undefined;
  const type = stepType(step, "ByteLevel", "TemplateProcessing", "Sequence");
  const steps = type === "Sequence" ? step.at("processors").elements() : [step];
  const templates = steps.filter((step) =>
    stepType(step, "ByteLevel", "TemplateProcessing") === "TemplateProcessing"
  );
  if (templates.length === 0) return undefined;
  if (templates.length > 1) {
    throw templates[1].refused("is a second TemplateProcessing");
  }
  return {
    ...readSingle(templates[0]),
    toJSON: () => step.value as StepJson,
  };
}

function readSingle(step: JsonCursor): Pick<Template, "before" | "after"> {
  step.only("type", "single", "pair", "special_tokens");
  const special = step.at("special_tokens");
  const pieces = step.at("single").elements();
  const text = pieces.findIndex((piece) => !piece.at("Sequence").absent);
  if (text < 0) throw step.at("single").refused("has no place for the text");

  const idsOf = (piece: JsonCursor): number[] => {
    piece.only("SpecialToken");
    const name = piece.at("SpecialToken").at("id");
    const token = special.at(name.string());
    if (token.absent) {
      throw name.refused(
        `is ${JSON.stringify(name.value)}, which is not in special_tokens`,
      );
    }
    return token.at("ids").elements().map((id) => id.count());
  };
  pieces[text].only("Sequence");
  pieces[text].at("Sequence").at("id").oneOf("A");
  return {
    before: pieces.slice(0, text).flatMap(idsOf),
    after: pieces.slice(text + 1).flatMap(idsOf),
  };
}
