import { assert, assertEquals, assertRejects } from "@std/assert";
import { readCorpus } from "../../lib/data/corpus.ts";

const here = import.meta.dirname!;

async function inFolder(
  files: Record<string, string | Uint8Array>,
  body: (folder: string) => Promise<void>,
) {
  const folder = await Deno.makeTempDir({ prefix: "corpus [1] " });
  try {
    for (const [name, content] of Object.entries(files)) {
      const path = `${folder}/${name}`;
      await Deno.mkdir(path.slice(0, path.lastIndexOf("/")), {
        recursive: true,
      });
      if (typeof content === "string") await Deno.writeTextFile(path, content);
      else await Deno.writeFile(path, content);
    }
    await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const tree = {
  "b.txt": "b",
  "a.md": "a",
  "c.json": "{}",
  ".hidden.txt": "no",
  ".git/x.txt": "no",
  "sub/d.TXT": "d",
  "sub/deep/e.txt": "e\r\n",
};

async function texts(...sources: string[]): Promise<string[]> {
  return (await readCorpus(sources)).map(({ text }) => text);
}

Deno.test("a file, a folder and several sources are read in order", async () => {
  await inFolder(tree, async (folder) => {
    assertEquals(await texts(folder), ["a", "b", "d", "e\r\n"]);
    assertEquals(await texts(`${folder}/`), ["a", "b", "d", "e\r\n"]);
    assertEquals(await texts(`${folder}/c.json`), ["{}"]);
    assertEquals(await texts(`${folder}/.hidden.txt`), ["no"]);
    assertEquals(await texts(`${folder}/sub`, `${folder}/b.txt`), [
      "d",
      "e\r\n",
      "b",
    ]);
    assertEquals(await texts(`${folder}/b.txt`, folder), [
      "b",
      "a",
      "d",
      "e\r\n",
    ]);
    const [{ name }] = await readCorpus([`${folder}/b.txt`]);
    assertEquals(name, `${folder}/b.txt`);
    assertEquals(await texts(`file://${encodeURI(folder)}/b.txt`), ["b"]);
  });
});

Deno.test("globs match by name, alternatives and depth", async () => {
  const named = { ...tree, "sub/[x].txt": "x" };
  // The folder's own brackets are no pattern.
  await inFolder(named, async (folder) => {
    const cases: [string, string[]][] = [
      ["*.txt", ["b"]],
      ["*.{md,json}", ["a", "{}"]],
      ["?.txt", ["b"]],
      ["[ab].*", ["a", "b"]],
      ["*/*.TXT", ["d"]],
      ["**/*.txt", ["b", "x", "e\r\n"]],
      ["s*/**/e.txt", ["e\r\n"]],
      ["sub/[x].txt", ["x"]],
    ];
    for (const [glob, expected] of cases) {
      assertEquals(await texts(`${folder}/${glob}`), expected, glob);
    }
  });
});

Deno.test({
  name: "reading needs permission for the folder alone",
  permissions: { read: [here] },
  fn: async () => {
    const [first] = await readCorpus([`${here}/corpus_t*.ts`]);
    assertEquals(first.name, `${here}/corpus_test.ts`);
    await assertRejects(
      () => readCorpus([`${here}/../*.ts`]),
      Error,
      "/../*.ts: Requires read access",
    );
  },
});

Deno.test("links to files are read, circles and dead links skipped", async () => {
  await inFolder({ "a.txt": "a", "sub/b.txt": "b" }, async (folder) => {
    await Deno.symlink(`${folder}/sub/b.txt`, `${folder}/link.txt`);
    await Deno.symlink(folder, `${folder}/sub/circle`);
    await Deno.symlink(`${folder}/nowhere`, `${folder}/dead.txt`);
    assertEquals(await texts(folder), ["a", "b", "b"]);
  });
});

Deno.test("all problems of all sources are reported together", async () => {
  const files = {
    "empty.txt": "",
    "latin1.txt": Uint8Array.of(0x63, 0x61, 0x66, 0xe9),
    "good.txt": "good",
    "images/a.png": "png",
  };
  await inFolder(files, async (folder) => {
    const at = (name: string) => `${folder}/${name}`;
    const error = await assertRejects(
      () =>
        readCorpus([
          at("missing.txt"),
          at("good.txt"),
          at("empty.txt"),
          at("latin1.txt"),
          at("images"),
          at("*.nothing"),
          at("nowhere/*.txt"),
        ]),
      Error,
    );
    assertEquals(error.message.split("\n"), [
      `Cannot read ${at("missing.txt")}: there is no such file or folder`,
      `Cannot read ${at("images")}: none of the 1 files in the folder is a ` +
      ".txt or .md file",
      `Cannot read ${at("*.nothing")}: no file matches`,
      `Cannot read ${at("nowhere/*.txt")}: no file matches`,
      `Cannot read ${at("empty.txt")}: it is empty`,
      `Cannot read ${at("latin1.txt")}: byte 3 (0xe9) is not valid UTF-8; ` +
      "convert it to UTF-8 first",
    ]);
  });
  await assertRejects(() => readCorpus([]), Error, "no file, folder or URL");
});

async function serving(
  handler: (request: Request) => Response | Promise<Response>,
  body: (address: string) => Promise<void>,
) {
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    handler,
  );
  try {
    await body(`http://127.0.0.1:${server.addr.port}`);
  } finally {
    await server.shutdown();
  }
}

Deno.test("web addresses are read, redirects followed", async () => {
  await serving((request) => {
    const { pathname } = new URL(request.url);
    if (pathname === "/old") return Response.redirect(`${request.url}er`);
    if (pathname === "/older") {
      return new Response(null, {
        status: 302,
        headers: { location: "/new.txt" },
      });
    }
    if (pathname === "/new.txt") return new Response("\ufeffnew \u00e9");
    if (pathname === "/page") {
      const headers = { "content-type": "text/html" };
      return new Response("<p>Hi</p>", { headers });
    }
    if (pathname === "/latin1") return new Response(Uint8Array.of(65, 0xe9));
    if (pathname === "/empty") return new Response("");
    if (pathname === "/file") {
      const headers = { location: "file:///etc/hostname" };
      return new Response(null, { status: 302, headers });
    }
    return new Response("lost", { status: 404 });
  }, async (address) => {
    assertEquals(await texts(`${address}/old`), ["new \u00e9"]);
    assertEquals(await texts(`${address}/page`), ["<p>Hi</p>"]);
    const error = await assertRejects(
      () =>
        readCorpus([
          `${address}/gone`,
          `${address}/latin1`,
          `${address}/empty`,
          `${address}/file`,
        ]),
      Error,
    );
    const [gone, latin1, empty, file, ...more] = error.message.split("\n");
    assertEquals(
      gone,
      `Cannot read ${address}/gone: the server answered 404 Not Found`,
    );
    assert(latin1.includes(`${address}/latin1: byte 1 (0xe9) is not valid`));
    assertEquals(empty, `Cannot read ${address}/empty: it is empty`);
    assert(file.startsWith(`Cannot read ${address}/file: `));
    assertEquals(more, []);
  });
});

Deno.test("downloads have a limit, announced or not, and a patience", async () => {
  await serving((request) => {
    const { pathname } = new URL(request.url);
    if (pathname === "/announced") return new Response("x".repeat(1001));
    let left = 100;
    return new Response(
      new ReadableStream({
        pull(controller) {
          if (pathname === "/stalls" && left < 100) return;
          if (left-- > 0) controller.enqueue(new Uint8Array(100).fill(120));
          else controller.close();
        },
      }),
    );
  }, async (address) => {
    const read = (path: string, options: { maxBytes?: number }) =>
      readCorpus([address + path], { timeout: 200, ...options });
    for (const path of ["/announced", "/streamed"]) {
      await assertRejects(
        () => read(path, { maxBytes: 1000 }),
        Error,
        "the limit is 1000",
      );
    }
    const [{ text }] = await read("/streamed", { maxBytes: 10_000 });
    assertEquals(text.length, 10_000);
    await assertRejects(
      () => read("/stalls", {}),
      Error,
      "nothing came for 0.2 s (100 bytes so far)",
    );
  });
});

Deno.test("a cut connection and a dead server are one line each", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const address = `http://127.0.0.1:${listener.addr.port}`;
  const served = (async () => {
    const connection = await listener.accept();
    await connection.read(new Uint8Array(4096));
    const answer = "HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\nshort";
    await connection.write(new TextEncoder().encode(answer));
    connection.close();
  })();
  const cut = await assertRejects(() => readCorpus([`${address}/x`]), Error);
  await served;
  listener.close();
  assert(
    cut.message.startsWith(
      `Cannot read ${address}/x: the connection broke after 5 bytes (`,
    ),
    cut.message,
  );
  assert(!cut.message.includes("\n"));

  const dead = await assertRejects(() => readCorpus([`${address}/x`]), Error);
  assert(dead.message.startsWith(`Cannot read ${address}/x: `));
  assert(!dead.message.includes("\n"));
});
