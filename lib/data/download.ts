/**
 * A file from the web.
 *
 * @module
 */

/** How much to wait for, and how long. */
export interface DownloadOptions {
  /** Refuse more bytes than this. (Default 1 GiB.) */
  readonly maxBytes?: number;
  /** Give up when nothing came for so many milliseconds. (Default 30,000.) */
  readonly timeout?: number;
}

/**
 * The bytes at an http(s) address; redirects are followed.
 *
 * @throws {Error} When the server refuses, stalls, breaks off or sends more
 * than `maxBytes`.
 */
export async function download(
  url: string,
  { maxBytes = 2 ** 30, timeout = 30_000 }: DownloadOptions = {},
): Promise<Uint8Array<ArrayBuffer>> {
  const tooLong = (bytes: number) =>
    new Refusal(`it has ${bytes} bytes or more, the limit is ${maxBytes}`);

  const stall = new AbortController();
  let timer = setTimeout(() => stall.abort(), timeout);
  const chunks: Uint8Array[] = [];
  let length = 0;
  try {
    const response = await fetch(url, { signal: stall.signal });
    if (!response.ok) {
      await response.body?.cancel();
      const status = `${response.status} ${response.statusText}`.trim();
      throw new Refusal(`the server answered ${status}`);
    }
    const announced = Number(response.headers.get("content-length") ?? 0);
    if (announced > maxBytes) {
      await response.body?.cancel();
      throw tooLong(announced);
    }
    for await (const chunk of response.body ?? []) {
      clearTimeout(timer);
      timer = setTimeout(() => stall.abort(), timeout);
      length += chunk.length;
      if (length > maxBytes) throw tooLong(length);
      chunks.push(chunk);
    }
  } catch (error) {
    if (error instanceof Refusal) throw error;
    if (stall.signal.aborted) {
      throw new Error(
        `nothing came for ${timeout / 1000} s (${length} bytes so far)`,
      );
    }
    const message = error instanceof Error ? error.message : String(error);
    const said = message.replace(/\s+/g, " ");
    throw new Error(
      length > 0
        ? `the connection broke after ${length} bytes (${said})`
        : said,
    );
  } finally {
    clearTimeout(timer);
  }

  const bytes = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}

/** An error that already says what is wrong. */
class Refusal extends Error {}
