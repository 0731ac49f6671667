/**
 * The steps of a tokenizer.json, which go by their types.
 *
 * @module
 */

import type { JsonCursor } from "./json_cursor.ts";

/** The type of a step, which must be one of those given. */
export function stepType<const T extends string>(
  step: JsonCursor,
  ...types: T[]
): T {
  const type = step.absent ? step : step.at("type");
  if (types.includes(type.value as T)) return type.value as T;
  throw typeof type.value === "string"
    ? step.refused(
      `is ${type.value}, which is not supported: expected ${
        types.join(" or ")
      }`,
    )
    : step.expected(types.join(" or "));
}
