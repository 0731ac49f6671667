import {
  assert,
  assertEquals,
  assertLess,
  assertRejects,
  assertThrows,
} from "@std/assert";
import { join } from "@std/path";
import { downloadModel } from "../../lib/io/hub.ts";
import { redirected } from "../../lib/io/hub_request.ts";
import { type Behaviour, type FakeHub, weights } from "./fake_hub.ts";
import { assertWhole, large, largeFiles, withHub } from "./hub_cases.ts";

Deno.test("the token goes to the hub and to no other host", () =>
  withHub(async (server, options) => {
    await downloadModel("org/tiny", { ...options, token: "hf_secret" });
    const sent = (asked: FakeHub["hub"]["asked"]) =>
      new Set(asked.map(({ headers }) => headers.get("authorization")));
    assertEquals(sent(server.hub.asked), new Set(["Bearer hf_secret"]));
    assertEquals(sent(server.store.asked), new Set([null]));

    // Nor over a connection that anyone can read, nor into a message.
    for (const endpoint of ["http://example.org", "http://10.0.0.1:80/hub"]) {
      const { message } = await assertRejects(
        () =>
          downloadModel("org/tiny", {
            ...options,
            endpoint,
            token: "hf_secret",
          }),
        Error,
        "is not sent unprotected",
      );
      assert(!message.includes("hf_secret"));
    }
    server.store.behave = () => new Response("", { status: 500 });
    const again = { ...options, cache: join(options.cache, "again") };
    const { message } = await assertRejects(
      () => downloadModel("org/tiny", { ...again, token: "hf_secret" }),
      Error,
      "answered 500",
    );
    assert(!/secret/.test(message), message);
  }));

Deno.test("redirects lead to web addresses no less protected, or nowhere", () => {
  const from = (address: string, location: string) =>
    redirected(new URL(address), location).href;
  assertEquals(from("https://a.b/c/d", "/e"), "https://a.b/e");
  assertEquals(from("https://a.b/c", "https://x.y/z?q"), "https://x.y/z?q");
  assertEquals(
    from("http://127.0.0.1:1/", "http://127.0.0.1:2/"),
    "http://127.0.0.1:2/",
  );
  assertEquals(from("http://127.0.0.1/", "https://x.y/"), "https://x.y/");
  for (
    const location of [
      "file:///etc/passwd",
      "ftp://x.y/z",
      "data:text/plain,x",
      "javascript:1",
      "blob:https://a.b/1",
      "http://a.b/downgraded",
      "//user:password@x.y/",
      "https://user@x.y/",
      "https://",
      "http://[",
    ]
  ) {
    assertThrows(
      () => from("https://a.b/c", location),
      Error,
      "a.b redirects to",
      location,
    );
  }
});

Deno.test("a server that redirects to files, or in circles, is refused", () =>
  withHub(async (server, options) => {
    const leads = (location: string): Behaviour => () =>
      new Response(null, { status: 302, headers: { location } });
    server.store.behave = leads("file:///etc/passwd");
    await assertRejects(
      () => downloadModel("org/tiny", options),
      Error,
      "redirects to file://",
    );
    server.store.behave = leads("/model.safetensors");
    await assertRejects(
      () => downloadModel("org/tiny", options),
      Error,
      "redirects without end",
    );
    server.hub.behave = leads("file:///etc/passwd");
    await assertRejects(
      () => downloadModel("org/tiny", options),
      Error,
      "file:",
    );
  }));

Deno.test("answers that are no model are refused by what they are", () =>
  withHub(async (server, options) => {
    const json = (value: unknown) => () => Response.json(value);
    const html = () =>
      new Response("<html>Sign in</html>", {
        headers: { "content-type": "text/html; charset=utf-8" },
      });
    const status = (status: number, headers = {}) => () =>
      new Response("no", { status, headers });
    const siblings = [...server.files.keys()].map((rfilename) => ({
      rfilename,
    }));
    const sha = server.commit;
    const described: [behave: Behaviour, message: string][] = [
      [html, "the server sent text/html; charset=utf-8 instead of a desc"],
      [() => new Response("{}"), "sent text/plain"],
      [json(null), "no commit"],
      [json([]), "no commit"],
      [json({ sha: "main", siblings }), "no commit"],
      [json({ sha: "../".padEnd(40, "a"), siblings }), "no commit"],
      [json({ sha }), "no list of files"],
      [json({ sha, siblings: [null, 1, {}] }), "it has no config.json"],
      [
        json({ sha, siblings: [{ rfilename: "config.json" }] }),
        "it has no model.safetensors",
      ],
      [
        json({
          sha,
          siblings: ["config.json", "pytorch_model.bin"].map((rfilename) => ({
            rfilename,
          })),
        }),
        "it has no model.safetensors, and pytorch_model.bin cannot be used",
      ],
      [
        () =>
          new Response("{", {
            headers: { "content-type": "application/json" },
          }),
        "description of the model is broken",
      ],
      [status(401), "there is no such model, or it is private"],
      [status(403, { "x-error-code": "GatedRepo" }), "accepted its terms"],
      [status(404), "there is no model org/tiny with the revision main"],
      [status(410), "the server answered 410"],
      [status(500), "answered 500"],
      [status(429, { "retry-after": "0" }), "answered 429"],
    ];
    for (const [behave, message] of described) {
      server.hub.behave = behave;
      server.hub.asked.length = 0;
      const error = await assertRejects(
        () => downloadModel("org/tiny", options),
        Error,
        message,
      );
      assert(!error.message.includes("\n"));
      assertLess(server.hub.asked.length, 6);
    }
  }));

Deno.test("files that the server describes or sends strangely are refused", () =>
  withHub(async (server, options) => {
    const bytes = server.files.get(large)!;
    const length = String(bytes.length);
    const hash = "a".repeat(64);
    const head =
      (headers: Record<string, string>): Behaviour => (request, usual) =>
        request.method === "HEAD" && request.url.endsWith(large)
          ? new Response(null, { headers })
          : usual();
    const described: [headers: Record<string, string>, message: string][] = [
      [{ "x-linked-size": length }, "tells no hash of model.safetensors"],
      [{ etag: '"../../../x"', "x-linked-size": length }, "tells no hash"],
      [{ etag: `"../${hash}"`, "x-linked-size": length }, "tells no hash"],
      [{ etag: '"abc"', "x-linked-size": length }, "tells no hash"],
      [
        { etag: `"${hash}"`, "x-linked-size": "many" },
        "does not tell the size of",
      ],
      [{ etag: `"${hash}"`, "x-linked-size": "-5" }, "does not tell the size"],
      [
        { etag: `"${hash}"`, "x-linked-size": length, "x-repo-commit": "b" },
        "the server has model.safetensors of another commit",
      ],
    ];
    for (const [headers, message] of described) {
      server.hub.behave = head(headers);
      await assertRejects(
        () => downloadModel("org/tiny", options),
        Error,
        message,
      );
    }
    server.hub.behave = (request, usual) =>
      request.method === "HEAD" && request.url.endsWith("small/config.json")
        ? new Response(null, {
          headers: { etag: `"${hash}"`, "x-linked-size": "300000000" },
        })
        : usual();
    await assertRejects(
      () => downloadModel("org/tiny", options),
      Error,
      "its config.json has 300000000 bytes, more than any should",
    );

    server.hub.behave = (_, usual) => usual();
    const sent: [behave: Behaviour, message: string][] = [
      [
        () =>
          new Response("<html>", { headers: { "content-type": "text/html" } }),
        "the server sent a web page instead of model.safetensors",
      ],
      [
        () => new Response(new Blob(["short"]).stream()),
        "the connection broke after 5 of the",
      ],
      [
        () => new Response("x", { headers: { "content-length": "1" } }),
        "announced 1 bytes of model.safetensors instead of 2",
      ],
      [
        () => {
          const endless = new ReadableStream({
            pull: (controller) => controller.enqueue(new Uint8Array(65_536)),
          });
          return new Response(endless);
        },
        "sent more than the",
      ],
      [() => new Response("x", { status: 404 }), "there is no model.safetens"],
      [() => new Response("x", { status: 503 }), "answered 503"],
      [() => new Response(null, { status: 204 }), "answered 204 for model"],
      [
        () =>
          new Promise<Response>((resolve) =>
            setTimeout(() => resolve(new Response("late")), 450)
          ),
        "nothing came for 0.3 s",
      ],
    ];
    for (const [behave, message] of sent) {
      server.store.behave = behave;
      server.store.asked.length = 0;
      await assertRejects(
        () => downloadModel("org/tiny", { ...options, attempts: 2 }),
        Error,
        message,
      );
      assertLess(server.store.asked.length, 5);
      const blobs = largeFiles(options);
      assert(blobs.every((name) => name.endsWith(".incomplete")), `${blobs}`);
    }
    server.store.behave = (_, usual) => usual();
    await assertWhole(server, await downloadModel("org/tiny", options));
  }));

Deno.test("names that lead out of the folder are never written", () =>
  withHub(async (server, options) => {
    const text = (value: unknown) =>
      new TextEncoder().encode(JSON.stringify(value));
    for (
      const name of ["../../evil.safetensors", "/tmp/evil.safetensors", "..\\e"]
    ) {
      server.files.clear();
      server.files.set("config.json", text({}));
      server.files.set("../config.json", text({}));
      server.files.set("tokenizer.json/../../x", text({}));
      server.files.set(name, weights(5, 1));
      server.files.set(
        "model.safetensors.index.json",
        text({ weight_map: { a: name } }),
      );
      const cache = join(options.cache, `${name.length}`);
      await assertRejects(
        () => downloadModel("org/tiny", { ...options, cache }),
        Error,
        "which is no name of a safetensors file in this folder",
      );
      assertEquals(server.store.asked, []);
    }
  }));

Deno.test("a server that falls over now and then is asked again", () =>
  withHub(async (server, options) => {
    const known = new Set<string>();
    server.hub.behave = ({ method, url }, usual) => {
      const question = `${method} ${url}`;
      const again = known.has(question);
      known.add(question);
      return again ? usual() : new Response("", { status: 503 });
    };
    server.store.behave = () => {
      server.store.behave = (_, usual) => usual();
      return new Response("", { status: 429, headers: { "retry-after": "0" } });
    };
    await assertWhole(server, await downloadModel("org/tiny", options));
  }));
