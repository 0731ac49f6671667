/**
 * Bytes to text, strictly.
 *
 * @module
 */

/**
 * Decodes UTF-8.
 *
 * A byte order mark is dropped; everything else, CRLF too, is kept as it is.
 *
 * @throws {TypeError} For what is not UTF-8 text: with the offset of the first
 * wrong byte, or the encoding that the file seems to have.
 */
export function decodeText(bytes: Uint8Array): string {
  const encoding = markedEncoding(bytes);
  if (encoding) {
    throw new TypeError(`it is ${encoding} text; convert it to UTF-8 first`);
  }
  const nul = bytes.indexOf(0);
  if (nul >= 0) {
    throw new TypeError(`byte ${nul} is NUL, so it is no text file`);
  }
  if (bytes.length > LONGEST_STRING) {
    throw new TypeError(
      `its ${bytes.length} bytes do not fit a string, which holds ` +
        `${LONGEST_STRING}; split it into several files`,
    );
  }
  let text;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    const at = firstInvalidByte(bytes);
    throw new TypeError(
      `byte ${at} (0x${bytes[at].toString(16).padStart(2, "0")}) is not ` +
        `valid UTF-8; convert it to UTF-8 first`,
    );
  }
  if (text === "") throw new TypeError("it is empty");
  return text;
}

/** V8's limit, in UTF-16 code units. */
const LONGEST_STRING = 2 ** 29 - 24;

function markedEncoding(bytes: Uint8Array): string | undefined {
  const [a, b, c, d] = bytes;
  if (a === 0xff && b === 0xfe) return c === 0 && d === 0 ? "UTF-32" : "UTF-16";
  if (a === 0xfe && b === 0xff) return "UTF-16";
  if (a === 0 && b === 0 && c === 0xfe && d === 0xff) return "UTF-32";
}

/** Where the first character that is not well formed begins. (RFC 3629.) */
function firstInvalidByte(bytes: Uint8Array): number {
  let at = 0;
  while (at < bytes.length) {
    const lead = bytes[at];
    const length = lead < 0x80
      ? 1
      : lead >= 0xc2 && lead <= 0xdf
      ? 2
      : lead >= 0xe0 && lead <= 0xef
      ? 3
      : lead >= 0xf0 && lead <= 0xf4
      ? 4
      : 0;
    if (length === 0) return at;
    // Overlong forms, surrogates and values above U+10FFFF are ruled out by
    // the second byte.
    const low = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80;
    const high = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf;
    for (let i = 1; i < length; i++) {
      const byte = bytes[at + i];
      const [from, to] = i === 1 ? [low, high] : [0x80, 0xbf];
      if (!(byte >= from && byte <= to)) return at;
    }
    at += length;
  }
  return at;
}
