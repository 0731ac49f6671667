import { assert, assertEquals, assertThrows } from "@std/assert";
import { SafetensorsFile } from "../../lib/io/safetensors.ts";
import { Random } from "../../lib/random.ts";
import { fileOf, malformed } from "./malformed.ts";

const fixtures = new URL("../fixtures/io/", import.meta.url);

Deno.test("every malformed file is refused within 100 ms, in one line", () => {
  const slow: string[] = [];
  for (const [what, make] of Object.entries(malformed)) {
    const file = make();
    // The best of five, for the machine may be busy with something else.
    let fastest = Infinity;
    for (let i = 0; i < 5 && fastest >= 100; i++) {
      const start = performance.now();
      const { message } = assertThrows(
        () => SafetensorsFile.parse(file, "x.safetensors"),
        SyntaxError,
        'Cannot read "x.safetensors": ',
        `accepted ${what}`,
      );
      fastest = Math.min(fastest, performance.now() - start);
      assert(!message.includes("\n"), `${what}: ${message}`);
      assert(message.length < 300, `${what}: ${message}`);
    }
    if (fastest >= 100) slow.push(`${what}: ${fastest} ms`);
  }
  assertEquals(slow, []);
  assert(Object.keys(malformed).length >= 60);
});

Deno.test("what looks odd but is allowed is read", () => {
  const entry = '{"dtype":"F32","shape":[1],"data_offsets":[0,4]}';
  const empty = (at: number) =>
    `{"dtype":"F32","shape":[0,7],"data_offsets":[${at},${at}]}`;
  const good: Record<string, [header: string, data: number, names: string[]]> =
    {
      "nothing at all": ["{}", 0, []],
      "white space": [`{ "a" :\n${entry}\t}   \r\n`, 4, ["a"]],
      "names of Object's own": [
        `{"__proto__":${entry},"constructor":${empty(4)},"toString":${
          empty(4)
        }}`,
        4,
        ["__proto__", "constructor", "toString"],
      ],
      "empty tensors that share a place": [
        `{"b":${empty(0)},"a":${entry},"c":${empty(4)}}`,
        4,
        ["b", "a", "c"],
      ],
      "escapes and the empty name": [
        `{"\\u00e9\\n\\ud83d\\ude00":${entry},"":${empty(4)}}`,
        4,
        ["é\n😀", ""],
      ],
    };
  for (const [what, [header, data, names]] of Object.entries(good)) {
    using file = SafetensorsFile.parse(fileOf(header, data));
    assertEquals([...file.tensors.keys()], names, what);
    for (const name of names) file.read(name);
  }
});

Deno.test("a name cannot disturb the terminal that shows it", () => {
  const name = `\\u001b[2J\\u202e\\u009b${"x".repeat(1000)}`;
  const header = `{"${name}":{"dtype":"F32","shape":[1]}}`;
  const { message } = assertThrows(
    () => SafetensorsFile.parse(fileOf(header)),
    SyntaxError,
  );
  // deno-lint-ignore no-control-regex
  assert(!/[\u0000-\u001f\u007f-\u009f\u202e]/.test(message), message);
  assert(message.length < 200);
});

Deno.test("30,000 mutated files are refused or read within their bounds", () => {
  const random = new Random(26);
  const good = Deno.readFileSync(new URL("mixed.safetensors", fixtures));
  let accepted = 0;
  using _fast = withoutStackTraces();
  for (let i = 0; i < 30_000; i++) {
    const bytes = mutate(good, random);
    let file: SafetensorsFile;
    try {
      file = SafetensorsFile.parse(bytes);
    } catch (error) {
      assert(error instanceof SyntaxError, `case ${i}: ${error}`);
      continue;
    }
    accepted++;
    let end = 8 + Number(new DataView(bytes.buffer).getBigUint64(0, true));
    const entries = [...file.tensors].sort((a, b) => a[1].offset - b[1].offset);
    for (const [name, { dtype, offset, bytes: length, size }] of entries) {
      if (length > 0) assertEquals(offset, end, `case ${i}`);
      end = Math.max(end, offset + length);
      if (/^(F32|F16|BF16)$/.test(dtype)) {
        assertEquals(file.read(name).data.length, size);
      }
    }
    assertEquals(end, bytes.length, `case ${i}`);
  }
  // Most mutations fall on data or on a letter of a name: both are legal.
  assert(accepted > 1_500 && accepted < 15_000, `${accepted} accepted`);
});

/** Halves the time of a test that provokes 27,000 errors. */
function withoutStackTraces(): Disposable {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  return {
    [Symbol.dispose]: () => void (Error.stackTraceLimit = stackTraceLimit),
  };
}

/** One to three bytes changed, inserted or removed, mostly in the header. */
function mutate(good: Uint8Array, random: Random): Uint8Array<ArrayBuffer> {
  let bytes = good.slice();
  for (let edits = random.integer(3) + 1; edits > 0; edits--) {
    const at = random.integer(bytes.length);
    const kind = random.integer(8);
    const byte = random.integer(2)
      ? random.integer(256)
      : '{}[]",:0123456789eE-+.\\ '.charCodeAt(random.integer(24));
    if (kind < 5) bytes[at] = byte;
    else if (kind === 5) bytes[at] ^= 1 << random.integer(8);
    else {
      const tail = bytes.subarray(kind === 6 ? at : at + 1);
      const changed = new Uint8Array(bytes.length + (kind === 6 ? 1 : -1));
      changed.set(bytes.subarray(0, at));
      if (kind === 6) changed[at] = byte;
      changed.set(tail, changed.length - tail.length);
      bytes = changed;
    }
  }
  return bytes;
}
