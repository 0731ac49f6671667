/**
 * Kills a process that saves checkpoints, again and again, at random moments.
 *
 *     deno run -A tests/io/kill_loop.ts 1000
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { Random } from "../../lib/random.ts";
import { startChild } from "./child.ts";
import { wholeStep } from "./run_content.ts";

/** What a loop of kills came to. */
export interface KillReport {
  /** The last step that was saved. */
  readonly step: number;
  /** Kills after which a save was found begun but not counted. */
  readonly abandoned: number;
  /** Kills after which a save was found counted but not finished. */
  readonly unfinished: number;
}

/**
 * Kills a saving process `kills` times. After each, the folder must hold a whole
 * step, no earlier than the last one announced and at most one later.
 */
export async function killLoop(
  kills: number,
  seed: number,
): Promise<KillReport> {
  const width = 2048; // 64 KiB of weights, 128 KiB of moments.
  const random = new Random(seed);
  const folder = Deno.makeTempDirSync();
  const args = [folder, String(width)];
  const permissions = [`--allow-read=${folder}`, `--allow-write=${folder}`];
  let step = 0, abandoned = 0, unfinished = 0;
  try {
    for (let i = 0; i < kills; i++) {
      await using child = startChild("save_child.ts", args, permissions);
      assertEquals(Number(await child.line()), step, `start ${i}`);
      let announced = Number(await child.line());
      const wait = 40 * random.uniform();
      await new Promise((resolve) => setTimeout(resolve, wait));
      await child.kill();
      for (let line = await child.line(); line; line = await child.line()) {
        announced = Number(line);
      }

      const left = [...Deno.readDirSync(folder)].map(({ name }) => name);
      const unsettled = left.some((name) => /\.(next|tmp)$/.test(name));
      step = await wholeStep(folder, width);
      assert(
        step === announced || step === announced + 1,
        `kill ${i}: step ${announced} was announced, ${step} was found`,
      );
      if (unsettled && step > announced) unfinished++;
      if (unsettled && step === announced) abandoned++;
      assertEquals(
        [...Deno.readDirSync(folder)].map(({ name }) => name).sort(),
        [
          ".lock",
          "model.safetensors",
          "optimizer.safetensors",
          "training_state.json",
        ],
      );
    }
    return { step, abandoned, unfinished };
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

if (import.meta.main) {
  console.log(await killLoop(Number(Deno.args[0] ?? 100), Date.now()));
}
