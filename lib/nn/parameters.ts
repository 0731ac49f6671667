/**
 * Finding the parameters in a model.
 *
 * @module
 */

import { Parameter } from "../tensor/parameter.ts";

/**
 * The parameters of a model by path, such as `h.0.attn.c_attn.weight`, in the
 * order of its fields. A parameter that two fields share is found once.
 */
export function parameters(model: object): Map<string, Parameter> {
  const found = new Map<string, Parameter>();
  const seen = new Set<unknown>();
  const visit = (value: unknown, path: string) => {
    if (value === null || typeof value !== "object" || seen.has(value)) return;
    seen.add(value);
    if (value instanceof Parameter) {
      found.set(path, value);
      return;
    }
    for (const [key, child] of Object.entries(value)) {
      visit(child, path ? `${path}.${key}` : key);
    }
  };
  visit(model, "");
  return found;
}
