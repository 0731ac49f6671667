import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { join } from "@std/path";
import { downloadModel, resolveModel } from "../../lib/io/hub.ts";
import type {
  DownloadProgress,
  HubOptions,
} from "../../lib/io/hub_settings.ts";
import { openWeights } from "../../lib/io/weights.ts";
import { FakeHub, gitHash, isLarge, sha256, weights } from "./fake_hub.ts";
import { inFolder } from "./tensors.ts";

/** What comes of the fake hub's model: no pickle, no second copy. */
const wanted = [
  "chat_template.jinja",
  "config.json",
  "generation_config.json",
  "model.safetensors",
  "tokenizer.json",
  "tokenizer_config.json",
];

function options(hub: FakeHub, cache: string): HubOptions {
  return { cache, endpoint: hub.hub.url, backoff: 1, timeout: 5000 };
}

/** Paths in a folder and below, with where links lead. */
function* listing(folder: string, under = ""): Generator<string> {
  const entries = [...Deno.readDirSync(join(folder, under))]
    .sort((a, b) => a.name < b.name ? -1 : 1);
  for (const { name, isDirectory, isSymlink } of entries) {
    const path = under ? `${under}/${name}` : name;
    if (isDirectory) yield* listing(folder, path);
    else if (isSymlink) {
      yield `${path} -> ${Deno.readLinkSync(join(folder, path))}`;
    } else yield path;
  }
}

Deno.test("a model comes into the cache, laid out as Hugging Face has it", () =>
  inFolder(async (cache) => {
    await using server = new FakeHub();
    const seen: DownloadProgress[] = [];
    const folder = await downloadModel("org/tiny", {
      ...options(server, cache),
      onProgress: (progress) => seen.push(progress),
    });
    const { commit, files } = server;
    const model = join(cache, "models--org--tiny");
    assertEquals(folder, join(model, "snapshots", commit));

    const hashOf = (name: string) => {
      const bytes = files.get(name)!;
      return isLarge(name) ? sha256(bytes) : gitHash(bytes);
    };
    assertEquals([...listing(model)], [
      ...wanted.map((name) => `blobs/${hashOf(name)}`).sort(),
      "refs/main",
      ...wanted.map((name) =>
        `snapshots/${commit}/${name} -> ../../blobs/${hashOf(name)}`
      ),
    ]);
    assertEquals(Deno.readTextFileSync(join(model, "refs/main")), commit);
    for (const name of wanted) {
      assertEquals(Deno.readFileSync(join(folder, name)), files.get(name));
    }
    using weights = openWeights(folder);
    assertEquals(weights.read("w").data.length, 50_000);

    const total = wanted.reduce(
      (sum, name) => sum + files.get(name)!.length,
      0,
    );
    assertEquals(seen.at(-1), {
      file: "model.safetensors",
      received: total,
      total,
    });
    assert(
      seen.every((now, i) => now.received >= (seen[i - 1]?.received ?? 0)),
    );
  }));

Deno.test("what is in the cache is not asked for again, and serves offline", () =>
  inFolder(async (cache) => {
    await using server = new FakeHub();
    const opened = options(server, cache);
    const folder = await downloadModel("org/tiny@main", opened);
    const { asked } = server.hub;

    asked.length = 0;
    assertEquals(await downloadModel("org/tiny", opened), folder);
    assertEquals(asked.map(({ path }) => path), [
      "/api/models/org/tiny/revision/main",
    ]);
    asked.length = 0;
    const offline = { ...opened, offline: true };
    assertEquals(await downloadModel("org/tiny", offline), folder);
    const byCommit = `org/tiny@${server.commit}`;
    assertEquals(await downloadModel(byCommit, opened), folder);
    assertEquals(asked.length, 0);

    await assertRejects(
      () => downloadModel("org/tiny@refs/pr/1", offline),
      Error,
      "it is not in the cache, and the network is not to be used",
    );
    assertEquals(await downloadModel("org/tiny@refs/pr/1", opened), folder);
    assertEquals(await downloadModel("org/tiny@refs/pr/1", offline), folder);

    // What was lost comes back, and what stands complete stays.
    Deno.removeSync(join(folder, "tokenizer.json"));
    Deno.removeSync(
      join(
        folder,
        "..",
        "..",
        "blobs",
        sha256(server.files.get("model.safetensors")!),
      ),
    );
    await assertRejects(() => downloadModel("org/tiny", offline), Error);
    server.store.asked.length = 0;
    assertEquals(await downloadModel("org/tiny", opened), folder);
    assertEquals(server.store.asked.length, 1);
    assert(Deno.statSync(join(folder, "tokenizer.json")).isFile);
  }));

Deno.test("a new commit brings only what has changed", () =>
  inFolder(async (cache) => {
    await using server = new FakeHub();
    const opened = options(server, cache);
    const old = await downloadModel("org/tiny", opened);
    server.commit = "decade".padEnd(40, "0");
    server.files.set("config.json", new TextEncoder().encode("{}"));
    server.store.asked.length = 0;
    const folder = await downloadModel("org/tiny", opened);
    assert(folder !== old);
    assertEquals(server.store.asked.length, 0);
    assertEquals(Deno.readTextFileSync(join(folder, "config.json")), "{}");
    assert(Deno.statSync(join(folder, "model.safetensors")).size > 200_000);
    assertStringIncludes(
      Deno.readTextFileSync(join(old, "config.json")),
      "tiny",
    );
  }));

Deno.test("a server out of reach leaves what is in the cache, with a word", () =>
  inFolder(async (cache) => {
    const server = new FakeHub();
    const notices: string[] = [];
    const opened = {
      ...options(server, cache),
      onNotice: (text: string) => notices.push(text),
    };
    const folder = await downloadModel("org/tiny", opened);
    await server[Symbol.asyncDispose]();
    assertEquals(await downloadModel("org/tiny", opened), folder);
    assertEquals(notices.length, 1);
    assertMatch(notices[0], /^Using org\/tiny as it is in the cache: the conn/);
    await assertRejects(
      () => downloadModel("org/other", { ...opened, attempts: 2 }),
      Error,
      'Cannot download the model "org/other": the connection to 127.0.0.1',
    );
  }));

Deno.test("shards come by their index", () =>
  inFolder(async (cache) => {
    await using server = new FakeHub();
    const shards = ["model-00001-of-00002", "model-00002-of-00002"]
      .map((name) => `${name}.safetensors`);
    const index = { weight_map: { a: shards[0], b: shards[1] } };
    server.files.delete("model.safetensors");
    server.files.set(shards[0], weights(500, 1, "a"));
    server.files.set(shards[1], weights(700, 2, "b"));
    server.files.set(
      "model.safetensors.index.json",
      new TextEncoder().encode(JSON.stringify(index)),
    );
    const folder = await downloadModel("org/tiny", options(server, cache));
    using stored = openWeights(folder);
    assertEquals(stored.read("b").data.length, 700);
    const offline = { ...options(server, cache), offline: true };
    assertEquals(await downloadModel("org/tiny", offline), folder);
    Deno.removeSync(join(folder, shards[1]));
    await assertRejects(() => downloadModel("org/tiny", offline), Error);
  }));

Deno.test("two who want the same model at once download it once", () =>
  inFolder(async (cache) => {
    await using server = new FakeHub();
    server.store.behave = async (_, usual) => {
      await new Promise((resolve) => setTimeout(resolve, 150));
      return usual();
    };
    const notices: string[] = [];
    const opened = {
      ...options(server, cache),
      onNotice: (text: string) => notices.push(text),
    };
    const [a, b, c] = await Promise.all(
      [1, 2, 3].map(() => downloadModel("org/tiny", opened)),
    );
    assertEquals([a, a], [b, c]);
    assertEquals(server.store.asked.length, 1);
    assert(notices.some((text) => text.startsWith("Waiting for another")));
    assertEquals(
      [...listing(cache)].filter((path) => /incomplete|tmp/.test(path)),
      [],
    );
  }));

Deno.test("a folder is itself, without a look at the network or the options", () =>
  inFolder(async (folder) => {
    const never = () => {
      throw new Error("asked for options");
    };
    assertEquals(await resolveModel(folder, never), folder);
    const before = Deno.cwd();
    Deno.mkdirSync(join(folder, "org", "tiny"), { recursive: true });
    Deno.chdir(folder);
    try {
      assertEquals(await resolveModel("org/tiny", never), "org/tiny");
    } finally {
      Deno.chdir(before);
    }
    for (const absent of ["absent", "./org/absent", "a/b/c", "/absent/x"]) {
      await assertRejects(
        () => resolveModel(absent, never),
        RangeError,
        `Cannot find the model "${absent}": there is no such folder here, and models of the hub are called ORG/NAME`,
      );
    }
    await using server = new FakeHub();
    const cache = join(folder, "cache");
    const found = await resolveModel(
      "org/tiny",
      () => options(server, cache),
    );
    assertEquals(found.startsWith(cache), true);
    await assertRejects(
      () => resolveModel("org/absent", options(server, cache)),
      Error,
      'Cannot find the model "org/absent": there is no such folder here, and there is no model org/absent with the revision main',
    );
  }));
