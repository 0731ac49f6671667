/**
 * What the tests of downloads have in common.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { join } from "@std/path";
import type { HubOptions } from "../../lib/io/hub_settings.ts";
import { FakeHub } from "./fake_hub.ts";
import { inFolder } from "./tensors.ts";

/** The file that the fake hub keeps in its large store. */
export const large = "model.safetensors";

/** Runs with a hub and a cache, and checks that nothing came beside it. */
export async function withHub(
  run: (server: FakeHub, options: HubOptions) => Promise<void>,
) {
  await inFolder(async (folder) => {
    await using server = new FakeHub();
    const cache = join(folder, "in", "cache");
    Deno.mkdirSync(cache, { recursive: true });
    const endpoint = server.hub.url;
    await run(server, { cache, endpoint, backoff: 1, timeout: 300 });
    assertEquals([...Deno.readDirSync(folder)].map((e) => e.name), ["in"]);
    assertEquals(
      [...Deno.readDirSync(join(folder, "in"))].map((e) => e.name),
      ["cache"],
    );
  });
}

/** What is in the cache of the large file: its blob, or a part of it. */
export function largeFiles({ cache }: HubOptions): string[] {
  const blobs = join(cache, "models--org--tiny", "blobs");
  return [...Deno.readDirSync(blobs)].map(({ name }) => name)
    .filter((name) => name.length >= 64);
}

/** Checks that the large file is in a folder as the server has it. */
export async function assertWhole(server: FakeHub, folder: string) {
  const bytes = await Deno.readFile(join(folder, large));
  assertEquals(bytes.length, server.files.get(large)!.length);
  assert(bytes.every((byte, i) => byte === server.files.get(large)![i]));
}
