/**
 * GPT-2's alphabet: a printable character for each byte, so that vocabularies
 * of byte strings can be written as text.
 *
 * Bytes that print in Latin-1 stand for themselves; the others are counted up
 * from U+0100, which makes the space "Ġ" and the newline "Ċ".
 *
 * @module
 */

/** The character of each byte. */
export const BYTE_CHARACTERS: readonly string[] = alphabet();

/** The byte of each character. */
export const CHARACTER_BYTES: ReadonlyMap<string, number> = new Map(
  BYTE_CHARACTERS.map((character, byte) => [character, byte]),
);

/** Bytes, written in the alphabet. */
export function bytesToAlphabet(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += BYTE_CHARACTERS[byte];
  return text;
}

/** The bytes of a text in the alphabet, or undefined if it is not in it. */
export function alphabetToBytes(
  text: string,
): Uint8Array<ArrayBuffer> | undefined {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) {
    const byte = CHARACTER_BYTES.get(text[i]);
    if (byte === undefined) return undefined;
    bytes[i] = byte;
  }
  return bytes;
}

function alphabet(): string[] {
  let hidden = 0;
  return Array.from({ length: 256 }, (_, byte) => {
    const prints = byte > 0x20 && byte < 0x7f || byte > 0xa0 && byte !== 0xad;
    return String.fromCharCode(prints ? byte : 0x100 + hidden++);
  });
}
