/**
 * `--tune`: which way of computing is fastest here, kept in the user's cache.
 *
 * @module
 */

import { dirname, join } from "node:path";
import type { Device } from "../lib/gpu/device.ts";
import { tune, type TuningStore } from "../lib/gpu/tuner.ts";
import { originName } from "../lib/gpu/tuning_file.ts";
import type { Tunable } from "../lib/gpu/tuning.ts";
import { makeFolder, replaceFile } from "../lib/io/atomic.ts";
import { isDebugging, variable } from "./environment.ts";

/** The flag, for every command that computes. */
export const TUNE_FLAG = {
  kind: "text",
  value: "off|auto|force",
  choices: ["off", "auto", "force"],
  default: "auto",
  help:
    "Try what is fastest here and keep it: auto on GPUs, force on software adapters too",
} as const;

const RUNTIME = `Deno ${Deno.version.deno}`;

/** Has a device note the shapes it meets, if they are to be tuned. */
export function prepareTuning(device: Device, mode: string): void {
  device.tuning.active = mode === "force" ||
    mode === "auto" && !device.adapter.software;
}

/** Settles the classes of shapes that were met, on `device` or in planning for it. */
export async function settleTuning(
  device: Device,
  open: ReadonlyMap<string, Tunable>,
  print: (line: string) => void,
): Promise<void> {
  if (!device.tuning.active) return;
  if (open.size === 0) {
    if (device.adapter.software) {
      print("nothing to tune: a software adapter has one way for these shapes");
    }
    return;
  }
  const store = storeFor(device, print);
  const { tried } = await tune(device, {
    open,
    store,
    runtime: RUNTIME,
    log: isDebugging() ? print : undefined,
  });
  if (tried === 0) return;
  print(`tuned ${tried} ${tried === 1 ? "class" : "classes"} of shapes`);
}

/** The file for a device, or nothing where there is no folder or no permission. */
function storeFor(
  device: Device,
  print: (line: string) => void,
): TuningStore | undefined {
  const folder = cacheFolder();
  if (folder === null) return undefined;
  const name = originName({ runtime: RUNTIME, adapter: device.info });
  const path = join(folder, "shaderloom", `tuning-${name}.json`);
  const may = (access: "read" | "write") =>
    Deno.permissions.querySync({ name: access, path }).state === "granted";
  return {
    read() {
      try {
        return may("read") ? Deno.readTextFileSync(path) : null;
      } catch (error) {
        const missing = error instanceof Deno.errors.NotFound;
        if (!missing && isDebugging()) print(`${(error as Error).message}`);
        return null;
      }
    },
    write(text) {
      if (!may("write") || !may("read")) {
        print(`note: what was tuned is not kept: ${path} may not be written`);
        return;
      }
      try {
        makeFolder(dirname(path));
        replaceFile(path, text);
      } catch (error) {
        // A cache that cannot be written is no reason to stop.
        if (isDebugging()) print((error as Error).message);
      }
    },
  };
}

/** Where programs keep what they can make again, and the tasks may write. */
function cacheFolder(): string | null {
  if (Deno.build.os === "windows") return variable("LOCALAPPDATA");
  const given = variable("XDG_CACHE_HOME");
  if (given) return given;
  const home = variable("HOME");
  return home ? join(home, ".cache") : null;
}
