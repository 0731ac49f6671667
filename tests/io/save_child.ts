/** Saves one checkpoint after another until it is killed; says each step. */

import { hasCheckpoint, saveCheckpoint } from "../../lib/io/checkpoint.ts";
import { lockFolder } from "../../lib/io/lock.ts";
import { contentAt, wholeStep } from "./run_content.ts";

const [folder, width] = Deno.args;
using _lock = lockFolder(folder);
let step = hasCheckpoint(folder) ? await wholeStep(folder, Number(width)) : 0;
console.log(step);
for (;;) {
  step++;
  await saveCheckpoint(folder, contentAt(step, Number(width)));
  console.log(step);
}
