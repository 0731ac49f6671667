/**
 * Questions to a server that may be slow, far, lying or not there.
 *
 * @module
 */

import { PassingError, type Patience, Stall, Watch } from "./patience.ts";

/** Whom to ask, and how patiently. */
export interface Access extends Patience {
  /** The server's address, without a slash at the end. */
  readonly endpoint: string;
  /** Sent to the endpoint, and to no other host. */
  readonly token?: string;
}

/** What may be asked for. */
export interface Question {
  readonly url: string;
  readonly method?: "GET" | "HEAD";
  readonly headers?: Readonly<Record<string, string>>;
}

/** What a server answered: the last response and the headers on the way. */
export interface Answer extends AsyncDisposable {
  readonly status: number;
  /** Of the last response. */
  readonly headers: Headers;
  /** Of all responses, redirects included, the first that has a header. */
  header(name: string): string | null;
  /** The content, in chunks. */
  body(): AsyncGenerator<Uint8Array<ArrayBuffer>>;
}

/** The process may not use the network; the message names the flag. */
export class NotPermittedError extends Error {}

const maxRedirects = 8;

/**
 * Asks once. Redirects are followed by {@linkcode redirected}'s rules; those of
 * a HEAD only within the host, since what the hub knows of a file is said there.
 *
 * Throws a `PassingError` if there is no answer, or one that asks for patience.
 */
export async function ask(
  access: Access,
  { url, method = "GET", headers = {} }: Question,
): Promise<Answer> {
  const seen: Headers[] = [];
  const home = new URL(access.endpoint);
  let address = new URL(url);
  for (let hop = 0; hop <= maxRedirects; hop++) {
    const own = address.origin === home.origin;
    const sent = new Headers(headers);
    // Anything else would make the lengths of compressed and plain disagree.
    sent.set("accept-encoding", "identity");
    if (own && access.token) {
      sent.set("authorization", `Bearer ${access.token}`);
    }
    const watch = new Watch(access);
    let response: Response;
    try {
      response = await fetch(address, {
        method,
        headers: sent,
        redirect: "manual",
        signal: watch.signal,
      });
    } catch (error) {
      watch.stop();
      throw failure(access, error, address);
    }
    seen.push(response.headers);
    const location = response.headers.get("location");
    const target = response.status >= 300 && response.status < 400 && location
      ? redirected(address, location)
      : undefined;
    if (target && (method === "GET" || target.origin === home.origin)) {
      watch.stop();
      await response.body?.cancel();
      address = target;
      continue;
    }
    if (isPassing(response.status)) {
      watch.stop();
      await response.body?.cancel();
      throw new PassingError(
        `${address.host} answered ${response.status}`,
        delayIn(response.headers),
      );
    }
    return answer(access, { response, seen, watch, address });
  }
  throw new Error(`${home.host} redirects without end`);
}

/**
 * Where a redirect leads. Throws unless it is a web address that is no less
 * protected than the one it came from.
 */
export function redirected(address: URL, location: string): URL {
  const target = URL.parse(location, address);
  const safe = target?.protocol === "https:" ||
    (target?.protocol === "http:" && address.protocol === "http:");
  if (target && safe && !target.username && !target.password) return target;
  const where = target ? `${target.protocol}//${target.host}` : "nowhere";
  throw new Error(`${address.host} redirects to ${where}, which is refused`);
}

function answer(
  access: Access,
  { response, seen, watch, address }: {
    response: Response;
    seen: Headers[];
    watch: Watch;
    address: URL;
  },
): Answer {
  return {
    status: response.status,
    headers: response.headers,
    header: (name) =>
      seen.map((headers) => headers.get(name)).find((value) =>
        value !== null
      ) ?? null,
    async *body() {
      watch.renew();
      try {
        for await (const chunk of response.body ?? []) {
          watch.stop();
          yield chunk;
          watch.renew();
        }
      } catch (error) {
        throw failure(access, error, address);
      } finally {
        watch.stop();
      }
    },
    async [Symbol.asyncDispose]() {
      watch.stop();
      // A body that was read, in whole or in part, is past cancelling.
      await response.body?.cancel().catch(() => {});
    },
  };
}

/** Throws what a status means that says there is no content. */
export function requireFound({ status, headers }: Answer, what: string): void {
  if (status === 401 || status === 403) {
    throw new Error(
      headers.get("x-error-code") === "GatedRepo"
        ? "it is open to those who accepted its terms on the hub, with their token in HF_TOKEN"
        : "there is no such model, or it is private and asks for a token in HF_TOKEN",
    );
  }
  if (status === 404) throw new Error(`there is no ${what}`);
  // A range that cannot be is for the caller to judge.
  if (status >= 400 && status !== 416) {
    throw new Error(`the server answered ${status} for ${what}`);
  }
}

/** Whether a status may be another one at the next try. */
function isPassing(status: number): boolean {
  return [408, 425, 429, 500, 502, 503, 504].includes(status);
}

function delayIn(headers: Headers): number | undefined {
  const seconds = Number(headers.get("retry-after") ?? NaN);
  return seconds >= 0 ? 1000 * seconds : undefined;
}

function failure(access: Access, error: unknown, { host }: URL): unknown {
  if (access.signal?.aborted) return access.signal.reason;
  if (error instanceof Deno.errors.NotCapable) {
    return new NotPermittedError(
      `asking ${host} ${error.message.replace(/^R/, "r")}`,
    );
  }
  if (error instanceof Stall) {
    return new PassingError(`${host}: ${error.message}`);
  }
  // What the runtime says may hold an address, and addresses may hold secrets.
  const message = error instanceof Error ? error.message : String(error);
  const said = message.replace(/https?:\/\/[^\s)]+/g, "…").replace(/\s+/g, " ");
  return new PassingError(`the connection to ${host} failed (${said})`);
}
