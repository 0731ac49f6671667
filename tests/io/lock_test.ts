import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import { join } from "@std/path";
import { lockFolder } from "../../lib/io/lock.ts";
import { startChild } from "./child.ts";

Deno.test("a folder has one owner at a time, and is free after kill -9", async () => {
  const folder = Deno.makeTempDirSync();
  try {
    const permissions = [`--allow-read=${folder}`, `--allow-write=${folder}`];
    await using owner = startChild("lock_child.ts", [folder], permissions);
    assertEquals(await owner.line(), "locked");
    const refusal =
      `Cannot use the folder "${folder}": another run (process ${owner.pid}) is writing to it`;

    assertThrows(() => lockFolder(folder), Error, refusal);
    await using second = startChild("lock_child.ts", [folder], permissions);
    assertEquals((await second.line()).startsWith(refusal), true);

    await owner.kill();
    const mine = lockFolder(folder);
    assertThrows(() => lockFolder(folder), Error, `(process ${Deno.pid})`);
    mine[Symbol.dispose]();
    mine[Symbol.dispose]();
    using _again = lockFolder(folder);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});

Deno.test("a folder that is missing, or is a file, is named in one line", () => {
  const folder = Deno.makeTempDirSync();
  try {
    const absent = join(folder, "absent");
    Deno.writeTextFileSync(join(folder, "file"), "");
    for (const path of [absent, join(folder, "file")]) {
      const { message } = assertThrows(() => lockFolder(path), Error);
      assertMatch(message, /^Cannot use the folder ".*": (no such|part of).*$/);
    }
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});
