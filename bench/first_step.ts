/**
 * Takes one step of training and prints the seconds from opening the GPU to its
 * loss: the other half of {@link "./start.ts"}.
 *
 * @module
 */

import { MODELS, TINY } from "./models.ts";
import { firstStep } from "./train.ts";

const SETTLING = 2000; // milliseconds

const [name] = Deno.args;
const model = [...MODELS, TINY].find((model) => model.name === name);
if (model === undefined) throw new Error(`There is no model "${name}"`);
console.log(await firstStep(model));
// Mesa writes to its cache in the background, and not once the process has gone.
await new Promise((done) => setTimeout(done, SETTLING));
