/**
 * How soon training begins, in a new process: from its start to the loss of the
 * first step, with an empty shader cache and then with what is in it. Mesa keeps
 * a few shaders only when they are met a second time, so there are three starts.
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
      for (const start of ["cold", "second", "third"]) {
        const began = performance.now();
        const child = new Deno.Command("deno", {
          args: [
            ...["run", "--no-prompt", "--allow-read", "--allow-env"],
            ...[path, name],
          ],
          env: {
            MESA_SHADER_CACHE_DIR: cache,
            __GL_SHADER_DISK_CACHE_PATH: cache,
          },
          stdout: "piped",
          stderr: "inherit",
        }).spawn();
        let printed = "";
        let whole = 0;
        for await (const chunk of child.stdout) {
          whole ||= (performance.now() - began) / 1000;
          printed += new TextDecoder().decode(chunk);
        }
        const { code } = await child.status;
        if (code !== 0) throw new Error(`Cannot start: status ${code}`);
        options.report({
          starting: name,
          start,
          "first step s": Number(printed),
          "process s": whole,
        });
      }
    } finally {
      await Deno.remove(cache, { recursive: true });
    }
  }
}
