/** Takes the lock of the folder it is given, says so, and keeps it. */

import { lockFolder } from "../../lib/io/lock.ts";

try {
  using _lock = lockFolder(Deno.args[0]);
  console.log("locked");
  await Deno.stdin.readable.pipeTo(new WritableStream());
} catch (error) {
  console.log((error as Error).message);
}
