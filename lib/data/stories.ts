/**
 * The built-in corpus: simple little stories, told from templates.
 *
 * @module
 */

import { Random } from "../random.ts";
import { meet } from "./stories/cast.ts";
import { choose, expand } from "./stories/grammar.ts";
import { FEAR, LEARNING, SMALL_HERO } from "./stories/plots/courage.ts";
import {
  BEDTIME,
  MYSTERY,
  RACE,
  RAINY_DAY,
  SURPRISE,
  TRIP,
} from "./stories/plots/days.ts";
import { HELPING, NEW_FRIEND, SHARING } from "./stories/plots/kindness.ts";
import {
  LOST_ANIMAL,
  LOST_TOY,
  TREASURE,
} from "./stories/plots/lost_and_found.ts";
import { BAKING, BUILDING, GIFT, SEED } from "./stories/plots/making.ts";
import { BROKEN, COOKIE, NOT_LISTENING } from "./stories/plots/mistakes.ts";
import type { Plot } from "./stories/plots/plot.ts";

/**
 * What stands between two stories, and never inside one: a blank line.
 * Paragraphs of a story are separated by a single line break.
 */
export const STORY_SEPARATOR = "\n\n";

/** Which stories to tell, and how much of them. */
export interface StoriesOptions {
  /** The same seed tells the same stories. (Default 1337.) */
  readonly seed?: number;
  /** Stop before the text gets longer than this. (Default 1,000,000.) */
  readonly bytes?: number;
}

/**
 * Tells little stories for training a small model on: ASCII only, each of 60
 * to 200 words and different from all others, {@linkcode STORY_SEPARATOR}
 * after each. More `bytes` with the same `seed` continue the same text.
 *
 * ```ts
 * import { stories } from "@shaderloom/shaderloom";
 *
 * const text = stories({ bytes: 10_000 });
 * console.log(text.slice(0, 200));
 * ```
 *
 * @throws {RangeError} When not even one story fits.
 */
export function stories(
  { seed = 1337, bytes = 1_000_000 }: StoriesOptions = {},
): string {
  const random = new Random(seed);
  const told = new Set<string>();
  let room = bytes;
  while (true) {
    const story = tell(choose(PLOTS, random), random) + STORY_SEPARATOR;
    const words = story.split(/\s+/).length - 1;
    if (words < 60 || words > 200 || told.has(story)) continue;
    room -= story.length;
    if (!(room >= 0)) break;
    told.add(story);
  }
  if (told.size === 0) {
    throw new RangeError(
      `Cannot tell stories in ${bytes} bytes: the first takes ${bytes - room}`,
    );
  }
  return [...told].join("");
}

function tell({ cast, scenes, paragraphs }: Plot, random: Random): string {
  const slots = { ...meet(cast, random), ...choose(scenes, random) };
  return paragraphs.map((template) => expand(template, slots, random))
    .join("\n");
}

const PLOTS: readonly Plot[] = [
  LOST_TOY,
  LOST_ANIMAL,
  TREASURE,
  HELPING,
  SHARING,
  NEW_FRIEND,
  BROKEN,
  NOT_LISTENING,
  COOKIE,
  FEAR,
  LEARNING,
  SMALL_HERO,
  BUILDING,
  BAKING,
  SEED,
  GIFT,
  SURPRISE,
  TRIP,
  RAINY_DAY,
  BEDTIME,
  RACE,
  MYSTERY,
];
