import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { findModel, isSmall } from "../../cli/find_model.ts";
import { FakeHub } from "../io/fake_hub.ts";
import { inFolder } from "../io/tensors.ts";

Deno.test("a folder needs no variable, and shows nothing", () =>
  inFolder(async (folder) => {
    const never = () => {
      throw new Error("not to be called");
    };
    const options = { variable: never, write: never, live: true };
    assertEquals(await findModel(folder, options), folder);
  }));

Deno.test("a model of the hub comes with a bar, by the environment's settings", () =>
  inFolder(async (folder) => {
    await using server = new FakeHub();
    const environment: Record<string, string> = {
      HF_HOME: folder,
      HF_ENDPOINT: server.hub.url,
      HF_TOKEN: "hf_token",
    };
    for (const columns of [80, 40, 12]) {
      environment.HF_HOME = join(folder, `${columns}`);
      let shown = "";
      let time = 0;
      const found = await findModel("org/tiny", {
        variable: (name) => environment[name],
        live: true,
        color: false,
        columns: () => columns,
        now: () => time += 200,
        write: (text) => shown += text,
      });
      const cache = join(environment.HF_HOME, "hub");
      assert(found.startsWith(join(cache, "models--org--tiny", "snapshots")));
      assertEquals(
        server.hub.asked[0].headers.get("authorization"),
        "Bearer hf_token",
      );
      // deno-lint-ignore no-control-regex
      const lines = shown.split(/\r|\x1b\[K/).filter((line) => line !== "");
      assert(lines.every((line) => line.length < columns), lines.join("\n"));
      const last = {
        80: /^0\.2 of 0\.2 MB {2}━{21,} {2}model\.safetensors {2}ETA 0:00$/,
        40: /^0\.2 of 0\.2 MB {2}model\.safetensors$/,
        12: /^0\.2 of 0\.2 $/,
      }[columns]!;
      assertMatch(lines.at(-1)!, last);
      assert(shown.endsWith("\r\x1b[K"), "the line is left behind");
    }
  }));

Deno.test("what is no terminal sees words for it, and no bar", () =>
  inFolder(async (folder) => {
    const server = new FakeHub();
    const environment: Record<string, string> = {
      HF_HOME: folder,
      HF_ENDPOINT: server.hub.url,
    };
    let shown = "";
    const options = {
      variable: (name: string) => environment[name],
      live: false,
      write: (text: string) => shown += text,
    };
    const found = await findModel("org/tiny", options);
    assertEquals(shown, "");
    await server[Symbol.asyncDispose]();
    assertEquals(await findModel("org/tiny", options), found);
    assertMatch(shown, /^Using org\/tiny as it is in the cache: .*\n$/);
    environment.HF_HUB_OFFLINE = "1";
    assertEquals(await findModel("org/tiny", options), found);
    await assertRejects(
      () => findModel("org/other", options),
      Error,
      "it is not in the cache",
    );
  }));

Deno.test("a model is small by its weights, in one file or several", () =>
  inFolder(async (folder) => {
    const has = async (files: Record<string, number>) => {
      const model = await Deno.makeTempDir({ dir: folder });
      for (const [name, size] of Object.entries(files)) {
        await Deno.writeFile(join(model, name), new Uint8Array());
        await Deno.truncate(join(model, name), size);
      }
      return await isSmall(model);
    };
    const MiB = 2 ** 20;
    assert(await has({ "model.safetensors": 5 * MiB, "config.json": 500 }));
    assert(
      await has({
        "model.safetensors": 9 * MiB,
        "optimizer.safetensors": 18 * MiB,
      }),
    );
    assert(!await has({ "model.safetensors": 17 * MiB }));
    assert(
      !await has({
        "model-00001-of-00002.safetensors": 9 * MiB,
        "model-00002-of-00002.safetensors": 9 * MiB,
      }),
    );
    assert(!await isSmall(join(folder, "none")));
  }));
