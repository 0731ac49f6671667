/**
 * A second process that runs a program of this folder.
 *
 * @module
 */

import { fromFileUrl } from "@std/path";

/** A running program, which is killed at the end of its scope. */
export interface Child extends AsyncDisposable {
  /** Its process number. */
  readonly pid: number;
  /** Its next line, or "" when it has ended. */
  line(): Promise<string>;
  /** Ends it with `kill -9`, and waits until it is gone. */
  kill(): Promise<void>;
}

/** Starts `program`, a file of this folder, without any prompt. */
export function startChild(
  program: string,
  args: readonly string[],
  permissions: readonly string[],
): Child {
  const path = fromFileUrl(new URL(program, import.meta.url));
  const flags = ["run", "--no-prompt", "--no-check", ...permissions, path];
  // Not "deno": npm installs a script of that name, which a kill would hit in
  // place of the program. The shell gives its process to the real one.
  const process = new Deno.Command("sh", {
    args: ["-c", 'exec "$0" "$@"', Deno.execPath(), ...flags, ...args],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const reader = process.stdout.pipeThrough(new TextDecoderStream())
    .getReader();
  let text = "";

  async function line(): Promise<string> {
    while (!text.includes("\n")) {
      const { value, done } = await reader.read();
      if (done) break;
      text += value;
    }
    const end = text.indexOf("\n") < 0 ? text.length : text.indexOf("\n");
    const found = text.slice(0, end);
    text = text.slice(end + 1);
    return found;
  }

  let ended = false;
  process.status.then(() => ended = true);
  async function kill() {
    if (!ended) process.kill("SIGKILL");
    await process.status;
  }

  return {
    pid: process.pid,
    line,
    kill,
    async [Symbol.asyncDispose]() {
      await kill();
      await reader.cancel();
      await process.stdin.close().catch(() => {});
    },
  };
}
