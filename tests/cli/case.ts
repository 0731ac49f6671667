/**
 * What a command line that cannot work is told.
 *
 * @module
 */

import { TINY } from "./program.ts";

/** A command line, where a word that begins with @ is a path in the folder. */
export interface Case {
  readonly args: string;
  /** What the one line has to say. */
  readonly says: readonly string[];
}

/** Training that would work, but for what is added to it. */
export const TRAIN = `train --out @new ${TINY.join(" ")}`;
