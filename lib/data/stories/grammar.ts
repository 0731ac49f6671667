/**
 * The little language that stories are written in.
 *
 * `[a|b|]` is one of its parts, each as likely as the others; `{name}` is what
 * the story calls `name`, `{Name}` the same with a capital, `{a name}` the
 * same after "a" or "an". Parts and names may hold further ones.
 *
 * @module
 */

import type { Random } from "../../random.ts";

/** What a story's names stand for: templates themselves. */
export type Slots = Readonly<Record<string, string>>;

/** Writes a template out; runs of white space become one space. */
export function expand(template: string, slots: Slots, random: Random): string {
  return write(template, slots, random)
    .replace(/\s+/g, " ").replace(/ (?=[.,!?])/g, "").trim();
}

/** One of `items`, each as likely as the others. */
export function choose<T>(items: readonly T[], random: Random): T {
  return items[random.integer(items.length)];
}

function write(template: string, slots: Slots, random: Random): string {
  let text = "";
  for (let at = 0; at < template.length; at++) {
    if (template[at] === "[") {
      const { options, end } = choiceAt(template, at);
      text += write(choose(options, random), slots, random);
      at = end;
    } else if (template[at] === "{") {
      const end = template.indexOf("}", at);
      text += slot(template.slice(at + 1, end), slots, random);
      at = end;
    } else {
      text += template[at];
    }
  }
  return text;
}

function slot(name: string, slots: Slots, random: Random): string {
  if (name.startsWith("a ")) {
    const noun = slot(name.slice(2), slots, random);
    return `${/^[aeiou]/i.test(noun) ? "an" : "a"} ${noun}`;
  }
  const key = name[0].toLowerCase() + name.slice(1);
  if (!Object.hasOwn(slots, key)) {
    throw new RangeError(`Cannot tell a story: nothing is called {${name}}`);
  }
  const text = write(slots[key], slots, random);
  return key === name ? text : text[0].toUpperCase() + text.slice(1);
}

function choiceAt(
  template: string,
  start: number,
): { options: string[]; end: number } {
  const options: string[] = [];
  let depth = 0;
  let from = start + 1;
  for (let at = start; at < template.length; at++) {
    const char = template[at];
    if (char === "[") depth++;
    const closes = char === "]" && --depth === 0;
    if (closes || (char === "|" && depth === 1)) {
      options.push(template.slice(from, at));
      from = at + 1;
    }
    if (closes) return { options, end: at };
  }
  throw new RangeError(
    `Cannot tell a story: no "]" ends "${template.slice(start, start + 40)}"`,
  );
}
