/**
 * Where models come from and where they are kept: as options, and as the
 * environment variables of Hugging Face's libraries have it.
 *
 * The library itself reads no variable: a program that may passes them in.
 *
 * @module
 */

import { join } from "node:path";
import type { Access } from "./hub_request.ts";

/** Where models come from, and where they are kept. */
export interface HubOptions {
  /** The folder of the cache. */
  readonly cache: string;
  /** The server's address; that of the Hugging Face hub unless told. */
  readonly endpoint?: string;
  /** For models that are not open to all. It is sent to the endpoint only. */
  readonly token?: string;
  /** Use only what is in the cache. */
  readonly offline?: boolean;
  /** Called as bytes come. */
  readonly onProgress?: (progress: DownloadProgress) => void;
  /** Called with a sentence that a user may want to read. */
  readonly onNotice?: (text: string) => void;
  /** Ends the download; what has come is kept for the next time. */
  readonly signal?: AbortSignal;
  /** Milliseconds without a byte until a connection counts as broken. (30,000.) */
  readonly timeout?: number;
  /** Tries in a row that bring nothing, until it gives up. (5.) */
  readonly attempts?: number;
  /** Milliseconds before the second try; later waits are longer. (1,000.) */
  readonly backoff?: number;
}

/** How far a download is. */
export interface DownloadProgress {
  /** The file that is coming. */
  readonly file: string;
  /** Bytes that are there, of all files that were missing. */
  readonly received: number;
  /** Bytes of all files that were missing. */
  readonly total: number;
}

const defaultEndpoint = "https://huggingface.co";

/** The variables that {@linkcode hubSettings} asks for. */
export const hubVariables: readonly string[] = [
  "HF_ENDPOINT",
  "HF_HOME",
  "HF_HUB_CACHE",
  "HF_HUB_OFFLINE",
  "HF_TOKEN",
  "HOME",
  "USERPROFILE",
  "XDG_CACHE_HOME",
];

/**
 * What the environment says of the hub and its cache, by the rules of Hugging
 * Face's own libraries.
 *
 * ```ts
 * import { hubSettings } from "@shaderloom/shaderloom";
 *
 * const { cache } = hubSettings((name) => ({ HF_HOME: "/big/hf" })[name]);
 * console.log(cache); // "/big/hf/hub"
 * ```
 *
 * Throws one line if it says nowhere where the cache is.
 */
export function hubSettings(
  variable: (name: string) => string | undefined,
): HubOptions {
  const value = (name: string) => variable(name)?.trim() || undefined;
  const home = value("HOME") ?? value("USERPROFILE");
  const under = (folder: string | undefined, ...names: string[]) =>
    folder && join(folder.replace(/^~(?=$|[\\/])/, home ?? "~"), ...names);

  const cache = under(value("HF_HUB_CACHE")) ??
    under(value("HF_HOME"), "hub") ??
    under(value("XDG_CACHE_HOME"), "huggingface", "hub") ??
    under(home, ".cache", "huggingface", "hub");
  if (!cache) {
    throw new Error(
      "Cannot tell where to keep models: set HF_HOME to a folder for them",
    );
  }
  return {
    cache,
    endpoint: value("HF_ENDPOINT"),
    token: value("HF_TOKEN"),
    offline: /^(1|on|yes|true)$/i.test(value("HF_HUB_OFFLINE") ?? ""),
  };
}

/** How the hub is asked, by these options. */
export function accessOf(
  {
    endpoint = defaultEndpoint,
    token,
    signal,
    timeout = 30_000,
    attempts = 5,
    backoff = 1000,
  }: HubOptions,
): Access {
  const url = URL.parse(endpoint);
  const sound = url && /^https?:$/.test(url.protocol) && !url.search &&
    !url.hash && !url.username && !url.password;
  if (!sound) {
    throw new Error("the address of the hub (HF_ENDPOINT) is no web address");
  }
  const here = ["localhost", "127.0.0.1", "[::1]"].includes(url.hostname);
  if (token && url.protocol === "http:" && !here) {
    throw new Error(
      `a token (HF_TOKEN) is not sent unprotected, as ${url.origin} asks for it`,
    );
  }
  const address = url.href.replace(/\/+$/, "");
  return { endpoint: address, token, signal, timeout, attempts, backoff };
}
