/**
 * Text from stdin and to stdout.
 *
 * @module
 */

/** All of stdin as text. Throws one line unless it is UTF-8. */
export async function readStdin(): Promise<string> {
  const bytes = await new Response(Deno.stdin.readable).bytes();
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })
      .decode(bytes);
  } catch {
    throw new Error("Cannot read stdin: it is not UTF-8 text");
  }
}

/** Writes text as it is, without a line break, before it returns. */
export function writeStdout(text: string): void {
  const bytes = new TextEncoder().encode(text);
  for (let at = 0; at < bytes.length;) {
    at += Deno.stdout.writeSync(bytes.subarray(at));
  }
}

/** The lines of stdin as they come, without their ends. */
export async function* stdinLines(): AsyncGenerator<string> {
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  let text = "";
  try {
    for await (const bytes of Deno.stdin.readable) {
      text += decoder.decode(bytes, { stream: true });
      const lines = text.split(/\r?\n/);
      text = lines.pop()!;
      yield* lines;
    }
    text += decoder.decode();
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new Error("Cannot read stdin: it is not UTF-8 text");
  }
  if (text !== "") yield text;
}
