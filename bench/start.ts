/**
 * How soon training begins, in a new process: from its start to the loss of the
 * first step, once with an empty shader cache and once with what that left.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { wantedModels } from "./models.ts";
import type { BenchOptions } from "./report.ts";

/** Measures a cold and a warm start of each model. */
export async function start(options: BenchOptions): Promise<void> {
  const path = fileURLToPath(new URL("./first_step.ts", import.meta.url));
  for (const { name } of wantedModels(options)) {
    // Mesa and NVIDIA keep compiled shaders in a folder; this one is new.
    const cache = await Deno.makeTempDir({ prefix: "bench-shaders-" });
    try {
      for (const start of ["cold", "warm"]) {
        const began = performance.now();
        const { code, stdout } = await new Deno.Command("deno", {
          args: [
            ...["run", "--no-prompt", "--allow-read", "--allow-env"],
            ...[path, name],
          ],
          env: {
            MESA_SHADER_CACHE_DIR: cache,
            __GL_SHADER_DISK_CACHE_PATH: cache,
          },
          stderr: "inherit",
        }).output();
        const whole = (performance.now() - began) / 1000;
        if (code !== 0) throw new Error(`Cannot start: status ${code}`);
        options.report({
          starting: name,
          start,
          "first step s": Number(new TextDecoder().decode(stdout)),
          "process s": whole,
        });
      }
    } finally {
      await Deno.remove(cache, { recursive: true });
    }
  }
}
