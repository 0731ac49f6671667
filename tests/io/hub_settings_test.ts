import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { join } from "@std/path";
import { downloadModel } from "../../lib/io/hub.ts";
import { parseReference } from "../../lib/io/hub_reference.ts";
import { hubSettings } from "../../lib/io/hub_settings.ts";

Deno.test("the environment says where the cache is as in Hugging Face's libraries", () => {
  const cases: [environment: Record<string, string>, cache: string][] = [
    [{ HOME: "/h" }, "/h/.cache/huggingface/hub"],
    [{ USERPROFILE: "/u" }, "/u/.cache/huggingface/hub"],
    [{ HOME: "/h", XDG_CACHE_HOME: "/x" }, "/x/huggingface/hub"],
    [{ HOME: "/h", XDG_CACHE_HOME: "/x", HF_HOME: "/f" }, "/f/hub"],
    [{ HOME: "/h", HF_HOME: "~/f" }, "/h/f/hub"],
    [{ HOME: "/h", HF_HOME: "/f", HF_HUB_CACHE: "/c" }, "/c"],
    [
      { HOME: "/h", HF_HOME: "", HF_HUB_CACHE: " " },
      "/h/.cache/huggingface/hub",
    ],
    [{ HF_HUB_CACHE: "/c" }, "/c"],
  ];
  for (const [environment, cache] of cases) {
    assertEquals(
      hubSettings((name) => environment[name]).cache,
      join(cache),
      JSON.stringify(environment),
    );
  }
  assertThrows(() => hubSettings(() => undefined), Error, "set HF_HOME");
});

Deno.test("the environment says which server, which token, and whether to ask", () => {
  const settings = (environment: Record<string, string>) =>
    hubSettings((name) => ({ HF_HOME: "/f", ...environment })[name]);
  assertEquals(settings({}), {
    cache: join("/f/hub"),
    endpoint: undefined,
    token: undefined,
    offline: false,
  });
  const given = { HF_ENDPOINT: "https://m.org/", HF_TOKEN: " t\n" };
  assertEquals(settings({ ...given, HF_HUB_OFFLINE: "1" }), {
    cache: join("/f/hub"),
    endpoint: "https://m.org/",
    token: "t",
    offline: true,
  });
  for (const no of ["0", "", "no", "false"]) {
    assertEquals(settings({ HF_HUB_OFFLINE: no }).offline, false);
  }
});

Deno.test("a server that has no web address is refused", async () => {
  for (
    const endpoint of [
      "",
      "huggingface.co",
      "file:///etc",
      "ftp://a.b",
      "https://user:secret@a.b",
      "https://a.b/?q",
    ]
  ) {
    const { message } = await assertRejects(
      () => downloadModel("a/b", { cache: "/nowhere", endpoint }),
      Error,
      "the address of the hub (HF_ENDPOINT) is no web address",
    );
    assertEquals(message.includes("secret"), false);
  }
});

Deno.test("models of the hub are called by owner, name and revision", () => {
  const good: Record<string, [id: string, revision: string]> = {
    "openai-community/gpt2": ["openai-community/gpt2", "main"],
    "TinyLlama/TinyLlama-1.1B-Chat-v1.0": [
      "TinyLlama/TinyLlama-1.1B-Chat-v1.0",
      "main",
    ],
    "a/b@v1.0": ["a/b", "v1.0"],
    "a/b@refs/pr/1": ["a/b", "refs/pr/1"],
    "_a/b_": ["_a/b_", "main"],
  };
  for (const [text, [id, revision]] of Object.entries(good)) {
    assertEquals(parseReference(text), { id, revision }, text);
  }
  const bad = [
    "",
    "gpt2",
    "a/b/c",
    "/a/b",
    "a/",
    "./b",
    "../b",
    "a/..",
    "a/b..c",
    "a/b--c",
    "a/-b",
    "a/b.",
    "a/b.git",
    "a\\b",
    "a/b\0",
    "a/b c",
    "a/b?x",
    "a/b#x",
    "a/b%2f",
    "https://a/b",
    "a/b@",
    "a/b@@c",
    "a/b@../c",
    "a/b@c/../../d",
    "a/b@/c",
    "a/b@c/",
    "a/b@c//d",
    "a/b@.c",
    "a/b@c.lock",
    "a/b@c\\d",
    `a/${"b".repeat(97)}`,
    `a/b@${"c".repeat(201)}`,
    "ä/b",
  ];
  for (const text of bad) assertEquals(parseReference(text), undefined, text);
});
