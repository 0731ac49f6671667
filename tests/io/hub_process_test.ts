import { assert, assertEquals, assertMatch } from "@std/assert";
import { join } from "@std/path";
import { type Child, startChild } from "./child.ts";
import { assertWhole, large, withHub } from "./hub_cases.ts";

/** The last line that a process says. */
async function lastLine(child: Child): Promise<string> {
  let last = "";
  for (;;) {
    const line = await child.line();
    if (line === "") return last;
    last = line;
  }
}

Deno.test("leave to use the cache and the hosts is all that a download needs", () =>
  withHub(async (server, { cache, endpoint }) => {
    const hosts = [server.hub.url, server.store.url].map((url) =>
      new URL(url).host
    );
    await using child = startChild(
      "hub_child.ts",
      ["org/tiny", endpoint!, cache],
      [
        `--allow-net=${hosts}`,
        `--allow-read=${cache},org/tiny`,
        `--allow-write=${cache}`,
      ],
    );
    const folder = await lastLine(child);
    await assertWhole(server, folder);
    // Links need leave to write anywhere; second names of the files do not.
    assertEquals(Deno.lstatSync(join(folder, large)).isSymlink, false);
    assertEquals(Deno.statSync(join(folder, large)).nlink, 2);
  }));

Deno.test("a host that one may not reach is named, and a folder needs none", () =>
  withHub(async (server, { cache, endpoint }) => {
    const files = [`--allow-read`, `--allow-write=${cache}`];
    await using none = startChild(
      "hub_child.ts",
      ["org/tiny", endpoint!, cache],
      files,
    );
    const { host } = new URL(endpoint!);
    assertEquals(
      await none.line(),
      `Cannot find the model "org/tiny": there is no such folder here, and asking ${host} requires net access to "${host}", run again with the --allow-net flag`,
    );
    await using half = startChild(
      "hub_child.ts",
      ["org/tiny", endpoint!, cache],
      [...files, `--allow-net=${host}`],
    );
    assertMatch(
      await lastLine(half),
      new RegExp(`requires net access to "${new URL(server.store.url).host}"`),
    );
    await using local = startChild(
      "hub_child.ts",
      [cache, endpoint!, cache],
      [`--allow-read=${cache}`],
    );
    assertEquals(await local.line(), cache);
  }));

Deno.test("a download that is killed goes on in another process", () =>
  withHub(async (server, { cache, endpoint }) => {
    const bytes = server.files.get(large)!;
    const stuck = Promise.withResolvers<void>();
    server.store.behave = () => {
      const body = new ReadableStream({
        async start(controller) {
          controller.enqueue(bytes.slice(0, 150_000));
          await stuck.promise;
          controller.close();
        },
      });
      return new Response(body);
    };
    const start = () =>
      startChild("hub_child.ts", ["org/tiny", endpoint!, cache], [
        "--allow-net",
        "--allow-read",
        "--allow-write",
      ]);
    {
      await using first = start();
      let line: string;
      do line = await first.line(); while (!/^model.*[1-9]\d{5}$/.test(line));
      await first.kill();
    }
    stuck.resolve();
    server.store.behave = (_, usual) => usual();
    server.store.asked.length = 0;
    await using second = start();
    await assertWhole(server, await lastLine(second));
    const [{ headers }] = server.store.asked;
    const range = /bytes=(\d+)-/.exec(headers.get("range") ?? "");
    assert(Number(range?.[1]) > 50_000, `${range}`);
  }));
