/**
 * Strings as bytes and back, without loss.
 *
 * A JavaScript string may hold half of a surrogate pair, for which UTF-8 has no
 * bytes. Here it gets the three bytes that UTF-8's scheme would give its code
 * point (the "WTF-8" generalisation), so every string survives the round trip;
 * all other strings have exactly their UTF-8 bytes.
 *
 * @module
 */

import type { StreamDecoder } from "./tokenizer.ts";

/** The bytes of a string: UTF-8, and three bytes for a lone surrogate. */
export function stringToBytes(text: string): Uint8Array<ArrayBuffer> {
  const encoder = new TextEncoder();
  if (text.isWellFormed()) return encoder.encode(text);
  const parts = text.split(LONE_SURROGATES).map((part) => {
    if (part.isWellFormed()) return encoder.encode(part);
    const unit = part.charCodeAt(0);
    return [0xe0 | unit >> 12, 0x80 | unit >> 6 & 0x3f, 0x80 | unit & 0x3f];
  });
  const bytes = new Uint8Array(
    parts.reduce((sum, part) => sum + part.length, 0),
  );
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** The string of bytes. Bytes that {@linkcode stringToBytes} never makes become U+FFFD. */
export function bytesToString(bytes: Uint8Array): string {
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  let text = "";
  let start = 0;
  for (
    let at = bytes.indexOf(0xed);
    at >= 0;
    at = bytes.indexOf(0xed, at + 1)
  ) {
    if (!(bytes[at + 1] >= 0xa0 && bytes[at + 1] <= 0xbf)) continue;
    if (!(bytes[at + 2] >= 0x80 && bytes[at + 2] <= 0xbf)) continue;
    text += decoder.decode(bytes.subarray(start, at)) + String.fromCharCode(
      0xd000 | (bytes[at + 1] & 0x3f) << 6 | bytes[at + 2] & 0x3f,
    );
    start = at + 3;
  }
  return text + decoder.decode(start === 0 ? bytes : bytes.subarray(start));
}

/** Decodes bytes that come in pieces, keeping back the start of a character. */
export class ByteStream implements StreamDecoder {
  readonly #bytesOf: (id: number) => Uint8Array | undefined;
  #kept: Uint8Array<ArrayBuffer> = new Uint8Array();

  /** A stream of ids, each of which stands for some bytes, or for nothing. */
  constructor(bytesOf: (id: number) => Uint8Array | undefined) {
    this.#bytesOf = bytesOf;
  }

  /** The text that an id completes. */
  push(id: number): string {
    const piece = this.#bytesOf(id);
    if (piece === undefined) return "";
    const bytes = new Uint8Array(this.#kept.length + piece.length);
    bytes.set(this.#kept);
    bytes.set(piece, this.#kept.length);
    const whole = bytes.length - unfinished(bytes);
    this.#kept = bytes.slice(whole);
    return bytesToString(bytes.subarray(0, whole));
  }

  /** U+FFFD if a character was begun and not finished, else nothing. */
  end(): string {
    const rest = bytesToString(this.#kept);
    this.#kept = new Uint8Array();
    return rest;
  }
}

// With the u flag, a pair of surrogates is one character and does not match.
const LONE_SURROGATES = /(\p{Surrogate})/u;

/** How many of the last bytes begin a character that needs more of them. */
function unfinished(bytes: Uint8Array): number {
  for (let count = 1; count <= Math.min(3, bytes.length); count++) {
    const byte = bytes[bytes.length - count];
    if ((byte & 0xc0) === 0x80) continue;
    const needed = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    return count < needed ? count : 0;
  }
  return 0;
}
