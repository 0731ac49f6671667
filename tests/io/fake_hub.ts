/**
 * A hub of models on this machine, as well-behaved or as bad as a test wants.
 *
 *     deno run -A tests/io/fake_hub.ts
 *
 * serves a small model until it is stopped.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { formatHeader } from "../../lib/io/safetensors_header.ts";
import { Random } from "../../lib/random.ts";

/** What a server was asked. */
export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly headers: Headers;
}

/** Answers in place of the usual answer, or asks for that one. */
export type Behaviour = (
  request: Request,
  usual: () => Response,
) => Response | Promise<Response>;

/** A server that remembers what it was asked. */
class Server implements AsyncDisposable {
  readonly asked: Asked[] = [];
  behave: Behaviour = (_, usual) => usual();
  readonly #server: Deno.HttpServer<Deno.NetAddr>;

  constructor(usual: (request: Request) => Response, port = 0) {
    this.#server = Deno.serve({
      port,
      hostname: "127.0.0.1",
      onListen: () => {},
      onError: () => new Response("broken", { status: 500 }),
    }, (request) => {
      const { method, url, headers } = request;
      const { pathname, search } = new URL(url);
      this.asked.push({ method, path: pathname + search, headers });
      return this.behave(request, () => usual(request));
    });
  }

  /** Its address. */
  get url(): string {
    return `http://127.0.0.1:${this.#server.addr.port}`;
  }

  async [Symbol.asyncDispose]() {
    await this.#server.shutdown();
  }
}

/**
 * A hub with the model `org/tiny`. Large files lie on another host, small ones
 * behind a redirect within it, as on the true one.
 */
export class FakeHub implements AsyncDisposable {
  /** The commit that `main` is. */
  commit = "c0ffee".padEnd(40, "0");
  /** The files, by name. */
  readonly files: Map<string, Uint8Array<ArrayBuffer>>;
  /** The host of descriptions and small files. */
  readonly hub: Server;
  /** The host of large files. */
  readonly store: Server;

  constructor(files = tinyModel(), port = 0) {
    this.files = files;
    this.hub = new Server((request) => this.#hub(request), port);
    this.store = new Server((request) => this.#store(request));
  }

  async [Symbol.asyncDispose]() {
    await this.hub[Symbol.asyncDispose]();
    await this.store[Symbol.asyncDispose]();
  }

  #hub(request: Request): Response {
    const path = decodeURIComponent(new URL(request.url).pathname);
    const described = /^\/api\/models\/org\/tiny\/revision\/(.+)$/.exec(path);
    if (
      described && ["main", "refs/pr/1", this.commit].includes(described[1])
    ) {
      const siblings = [...this.files.keys()].map((rfilename) => ({
        rfilename,
      }));
      return Response.json({ id: "org/tiny", sha: this.commit, siblings });
    }
    const file = /^\/org\/tiny\/resolve\/([0-9a-f]{40}|main)\/(.+)$/.exec(path);
    const name = file?.[2] ?? path.replace(/^\/small\//, "");
    const bytes = this.files.get(name);
    if (!bytes) return new Response("no", { status: 404 });
    const common = { "x-repo-commit": this.commit };
    if (path.startsWith("/small/")) {
      return partOf(bytes, request, { ...common, etag: `"${gitHash(bytes)}"` });
    }
    if (!isLarge(name)) {
      const headers = { ...common, location: `/small/${name}` };
      return new Response(null, { status: 307, headers });
    }
    return new Response(null, {
      status: 302,
      headers: {
        ...common,
        location: `${this.store.url}/${name}?signature=secret`,
        "x-linked-etag": `"${sha256(bytes)}"`,
        "x-linked-size": String(bytes.length),
      },
    });
  }

  #store(request: Request): Response {
    const name = new URL(request.url).pathname.slice(1);
    const bytes = this.files.get(name);
    if (!bytes) return new Response("no", { status: 404 });
    return partOf(bytes, request, { etag: `"${sha256(bytes).slice(0, 16)}"` });
  }
}

/** The whole of a content, or the part that was asked for. */
export function partOf(
  bytes: Uint8Array<ArrayBuffer>,
  { headers }: Request,
  more: Readonly<Record<string, string>> = {},
): Response {
  const [, first] = /^bytes=(\d+)-$/.exec(headers.get("range") ?? "") ?? [];
  const condition = headers.get("if-range");
  if (first === undefined || (condition && condition !== more.etag)) {
    return new Response(bytes, {
      headers: { "content-length": String(bytes.length), ...more },
    });
  }
  const start = Number(first);
  const range = `bytes ${start}-${bytes.length - 1}/${bytes.length}`;
  return new Response(bytes.slice(start), {
    status: 206,
    headers: {
      "content-range": range,
      "content-length": String(bytes.length - start),
      ...more,
    },
  });
}

/** The same answer, but the connection breaks after so many bytes of it. */
export async function cut(
  response: Response,
  after: number,
): Promise<Response> {
  const { status, headers } = response;
  const bytes = new Uint8Array(await response.arrayBuffer());
  if (after >= bytes.length) return new Response(bytes, { status, headers });
  let sent = 0;
  const body = new ReadableStream({
    async pull(controller) {
      if (sent > 0 || after === 0) {
        // What was sent has to be on its way before the end comes.
        await new Promise((resolve) => setTimeout(resolve, 2));
        return controller.error(new Error("cut"));
      }
      controller.enqueue(bytes.slice(0, after));
      sent = after;
    },
  });
  return new Response(body, { status, headers });
}

/** A folder of a model, with 200 KB of weights. */
export function tinyModel(): Map<string, Uint8Array<ArrayBuffer>> {
  const text = (value: unknown) =>
    new TextEncoder().encode(JSON.stringify(value));
  return new Map([
    ["README.md", text("# Tiny")],
    ["config.json", text({ model_type: "tiny" })],
    ["generation_config.json", text({ eos_token_id: 0 })],
    ["tokenizer.json", text({ version: "1.0" })],
    ["tokenizer_config.json", text({ model_max_length: 8 })],
    ["chat_template.jinja", text("{{ messages }}")],
    ["vocab.json", text({ a: 0 })],
    ["pytorch_model.bin", text("pickle")],
    ["consolidated.safetensors", text("twice the same")],
    ["model.safetensors", weights(50_000, 1)],
  ]);
}

/** A sound file of one tensor of random numbers. */
export function weights(
  size: number,
  seed: number,
  name = "w",
): Uint8Array<ArrayBuffer> {
  const header = formatHeader(new Map([[name, [size]]]), "F32", {});
  const bytes = new Uint8Array(header.length + 4 * size);
  bytes.set(header);
  const numbers = new Random(seed).normal(size);
  bytes.set(new Uint8Array(numbers.buffer), header.length);
  return bytes;
}

export function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

export function gitHash(bytes: Uint8Array): string {
  return createHash("sha1").update(`blob ${bytes.length}\0`).update(bytes)
    .digest("hex");
}

/** Whether the hub keeps a file in its large store. */
export function isLarge(name: string): boolean {
  return name.endsWith(".safetensors") || name.endsWith(".bin");
}

if (import.meta.main) {
  const { hub } = new FakeHub(tinyModel(), Number(Deno.args[0] ?? 8000));
  console.log(hub.url);
}
