/**
 * What a plot is.
 *
 * @module
 */

import type { Cast } from "../cast.ts";
import type { Slots } from "../grammar.ts";

/** How one kind of story goes. */
export interface Plot {
  /** Whom it can happen to. */
  readonly cast: Cast;
  /** Names that belong together; each story takes one of these. */
  readonly scenes: readonly Slots[];
  /** A template each. */
  readonly paragraphs: readonly string[];
}
