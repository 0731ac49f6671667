/**
 * A table of what RADV's compiler says of each kernel; see runs/compiler.sh.
 *
 * @module
 */

import { reporter, wanted } from "../report.ts";

/** What begins the lines that say whose pipeline is made next. */
export const COMPILING = "compiling ";

/** The driver's name of each figure, and ours. */
const FIGURES = {
  VGPRs: "registers",
  "Spilled VGPRs": "spilled",
  "LDS size": "shared bytes",
  Instructions: "instructions",
  "Inverse Throughput": "busy cycles",
  Latency: "with waits",
};

if (import.meta.main) {
  const [path, ...filters] = Deno.args;
  const report = reporter("compiler", false);
  const [, device, ...compiled] = (await Deno.readTextFile(path))
    .split(COMPILING);
  report({ adapter: device.trim().split("\n")[0] });
  for (const text of compiled) {
    const kernel = text.slice(0, text.indexOf("\n"));
    if (!wanted(kernel, filters)) continue;
    const figures = Object.entries(FIGURES).map(([theirs, ours]) => {
      const figure = text.match(new RegExp(`^${theirs}: (\\d+)$`, "m"))?.[1];
      if (figure === undefined) throw new Error(`${path}: no "${theirs}"`);
      return [ours, Number(figure)];
    });
    report({ kernel, ...Object.fromEntries(figures) });
  }
}
