/**
 * One file of the Hugging Face hub, fetched in as many pieces as it takes and
 * checked against its hash.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { moveFile } from "./atomic.ts";
import { fileError, isMissing } from "./file_error.ts";
import { type Access, type Answer, ask, requireFound } from "./hub_request.ts";
import { PassingError, patiently } from "./patience.ts";

/** A file on the hub, by its content. */
export interface HubFile {
  /** Its name in the model's folder. */
  readonly name: string;
  /** Where it can be had. */
  readonly url: string;
  /** SHA-256 of its content, or for small files the hash git has for it. */
  readonly hash: string;
  /** Length in bytes. */
  readonly size: number;
}

/** Bytes hashed at a time. */
const blockBytes = 1 << 22;

/** Asks the hub for the hash and size of a file, of `commit` and no other. */
export function describeFile(
  access: Access,
  { name, url, commit }: { name: string; url: string; commit: string },
): Promise<HubFile> {
  return patiently(access, async () => {
    await using answer = await ask(access, { url, method: "HEAD" });
    requireFound(answer, name);
    const at = answer.header("x-repo-commit") ?? commit;
    if (at !== commit) {
      throw new Error(`the server has ${name} of another commit`);
    }
    const tag = answer.header("x-linked-etag") ?? answer.headers.get("etag");
    const hash = /^(?:W\/)?"?([0-9a-f]{64}|[0-9a-f]{40})"?$/.exec(tag ?? "")
      ?.[1];
    if (hash === undefined) {
      throw new Error(`the server tells no hash of ${name} to check it by`);
    }
    const length = answer.header("x-linked-size") ??
      answer.headers.get("content-length");
    const size = /^\d+$/.test(length ?? "") ? Number(length) : NaN;
    if (!Number.isSafeInteger(size)) {
      throw new Error(`the server does not tell the size of ${name}`);
    }
    return { name, url, hash, size };
  });
}

/** How {@linkcode fetchFile} tells how far it is. */
export type OnReceived = (bytes: number) => void;

/**
 * Brings the file to `path`, which it gets only when all of it is there and has
 * the right hash. Until then it grows as `PATH.incomplete`, and what is there
 * of it is not asked for again.
 */
export async function fetchFile(
  access: Access,
  file: HubFile,
  path: string,
  onReceived: OnReceived = () => {},
): Promise<void> {
  const part = `${path}.incomplete`;
  for (;;) {
    const resumed = sizeOf(part) > 0;
    await new Transfer(access, file, part, onReceived).run();
    const found = await hashOf(part, file);
    if (found === file.hash) break;
    Deno.removeSync(part);
    // What was resumed may have begun as something else.
    if (resumed) continue;
    throw new Error(
      `${file.name} is not what the hub says: its hash is ${found} instead of ${file.hash}, so it was deleted`,
    );
  }
  moveFile(part, path);
}

/** The growth of a file from one connection to the next. */
class Transfer {
  readonly #access: Access;
  readonly #file: HubFile;
  readonly #part: string;
  readonly #onReceived: OnReceived;
  /** What the server that sends the content calls this version of it. */
  #version: string | null = null;
  /** Whether the server said something about a range that cannot be. */
  #askWhole = false;
  #farthest: number;

  constructor(
    access: Access,
    file: HubFile,
    part: string,
    onReceived: OnReceived,
  ) {
    this.#access = access;
    this.#file = file;
    this.#part = part;
    this.#onReceived = onReceived;
    this.#farthest = sizeOf(part);
  }

  /** Returns when all bytes are there, right or wrong, and on the disk. */
  async run(): Promise<void> {
    let before = this.#farthest;
    await patiently(this.#access, () => this.#attempt(), () => {
      const further = this.#farthest > before;
      before = this.#farthest;
      return further;
    });
  }

  async #attempt() {
    const { size, url } = this.#file;
    let have = sizeOf(this.#part);
    if (have > size || (this.#askWhole && have < size)) have = 0;
    using file = openPart(this.#part, have);
    this.#onReceived(have);
    if (have < size) {
      const headers: Record<string, string> = {};
      if (have > 0) headers.range = `bytes=${have}-`;
      if (have > 0 && this.#version) headers["if-range"] = this.#version;
      await using answer = await ask(this.#access, { url, headers });
      requireFound(answer, this.#file.name);
      if (this.#beginning(answer, have) === 0 && have > 0) {
        file.truncateSync(0);
        file.seekSync(0, Deno.SeekMode.Start);
        have = 0;
      }
      await this.#append(file, answer, have);
    }
    file.syncSync();
  }

  /** The byte at which the content of an answer begins. */
  #beginning({ status, headers }: Answer, asked: number): number {
    const { name, size } = this.#file;
    const type = headers.get("content-type") ?? "";
    if (type.startsWith("text/html")) {
      throw new PassingError(`the server sent a web page instead of ${name}`);
    }
    const tag = headers.get("etag");
    this.#version = tag?.startsWith('"') ? tag : null;
    const announced = headers.get("content-length");
    let start = 0;
    if (status === 206) {
      const range = /^bytes (\d+)-(\d+)\/(\d+|\*)$/
        .exec(headers.get("content-range") ?? "");
      const [first, last, total] = (range ?? []).slice(1).map(Number);
      const fits = range && first === asked && last === size - 1 &&
        (range[3] === "*" || total === size);
      if (!fits) {
        this.#askWhole = true;
        throw new PassingError(`the server sent another part of ${name}`);
      }
      start = asked;
    } else if (status !== 200) {
      this.#askWhole = true;
      throw new PassingError(`the server answered ${status} for ${name}`);
    }
    if (announced !== null && Number(announced) !== size - start) {
      this.#askWhole = true;
      throw new PassingError(
        `the server announced ${announced} bytes of ${name} instead of ${
          size - start
        }`,
      );
    }
    return start;
  }

  async #append(file: Deno.FsFile, answer: Answer, have: number) {
    const { name, size } = this.#file;
    for await (const chunk of answer.body()) {
      if (have + chunk.length > size) {
        this.#askWhole = true;
        throw new PassingError(
          `the server sent more than the ${size} bytes of ${name}`,
        );
      }
      writeAll(file, chunk, this.#part, size);
      have += chunk.length;
      this.#farthest = Math.max(this.#farthest, have);
      this.#onReceived(have);
    }
    if (have === size) return;
    throw new PassingError(
      `the connection broke after ${have} of the ${size} bytes of ${name}`,
    );
  }
}

async function hashOf(path: string, { hash, size }: HubFile): Promise<string> {
  const git = hash.length === 40;
  const sum = createHash(git ? "sha1" : "sha256");
  if (git) sum.update(`blob ${size}\0`);
  using file = Deno.openSync(path);
  const block = new Uint8Array(Math.min(blockBytes, size));
  for (let left = size; left > 0;) {
    const count = await file.read(block);
    if (count === null) break;
    sum.update(block.subarray(0, count));
    left -= count;
  }
  return sum.digest("hex");
}

function sizeOf(path: string): number {
  try {
    return Deno.statSync(path).size;
  } catch (error) {
    if (isMissing(error)) return 0;
    throw fileError(`read "${path}"`, error);
  }
}

/** Opens a file to go on writing after its first `keep` bytes. */
function openPart(path: string, keep: number): Deno.FsFile {
  try {
    const file = Deno.openSync(path, { write: true, create: true });
    file.truncateSync(keep);
    file.seekSync(keep, Deno.SeekMode.Start);
    return file;
  } catch (error) {
    throw fileError(`write "${path}"`, error);
  }
}

function writeAll(
  file: Deno.FsFile,
  chunk: Uint8Array,
  path: string,
  size: number,
) {
  try {
    for (let at = 0; at < chunk.length;) {
      at += file.writeSync(chunk.subarray(at));
    }
  } catch (error) {
    throw fileError(`write "${path}" of ${size} bytes`, error);
  }
}
