/**
 * Safetensors files that no reader may accept, by what is wrong with them.
 *
 * @module
 */

const utf8 = new TextEncoder();

/** A file of a header (text or bytes) and `dataBytes` zeros. */
export function fileOf(
  header: string | Uint8Array,
  dataBytes = 0,
  length: bigint | number = -1,
): Uint8Array<ArrayBuffer> {
  const json = typeof header === "string" ? utf8.encode(header) : header;
  const file = new Uint8Array(8 + json.length + dataBytes);
  const claimed = BigInt(length) === -1n ? BigInt(json.length) : BigInt(length);
  new DataView(file.buffer).setBigUint64(0, claimed, true);
  file.set(json, 8);
  return file;
}

/** The header of one tensor `a`, any part of which can be replaced. */
function one(
  { dtype = '"F32"', shape = "[2]", offsets = "[0,8]", name = '"a"' } = {},
): string {
  return `{${name}:{"dtype":${dtype},"shape":${shape},"data_offsets":${offsets}}}`;
}

/** Several float32 vectors, each `[name, start, end]`. */
function several(...tensors: [name: string, start: number, end: number][]) {
  const entries = tensors.map(([name, start, end]) => {
    const shape = [Math.abs(end - start) / 4];
    const entry = { dtype: "F32", shape, data_offsets: [start, end] };
    return `${JSON.stringify(name)}:${JSON.stringify(entry)}`;
  });
  return `{${entries.join(",")}}`;
}

function bytes(...parts: (string | number[])[]): Uint8Array {
  return Uint8Array.from(
    parts.flatMap((part) => [
      ...(typeof part === "string" ? utf8.encode(part) : part),
    ]),
  );
}

const field = '"dtype":"F32","shape":[2],"data_offsets":[0,8]';

/** The files, made when asked for since some are large. */
export const malformed: Readonly<Record<string, () => Uint8Array>> = {
  // The length and the frame.
  "an empty file": () => new Uint8Array(0),
  "seven bytes": () => new Uint8Array(7),
  "a header of no bytes": () => fileOf("", 0),
  "a header longer than the file": () => fileOf("{}", 0, 3),
  "a header one byte short": () => fileOf(one(), 8, one().length - 1),
  "a header that takes in data": () => fileOf(one(), 8, one().length + 1),
  "a header of more than 100 MB": () => fileOf("{}", 0, 100_000_001),
  "a length of 2^53": () => fileOf("{}", 0, 2n ** 53n),
  "a length of 2^63": () => fileOf("{}", 0, 2n ** 63n),
  "a length of 2^64 - 1": () => fileOf("{}", 0, 2n ** 64n - 1n),
  "a length of 2^64 - 8 (wraps)": () => fileOf("{}", 0, 2n ** 64n - 8n),
  "a big-endian length": () => {
    const file = fileOf(one(), 8);
    file.subarray(0, 8).reverse();
    return file;
  },
  "only zeros": () => new Uint8Array(64),
  "a zip archive": () => bytes("PK\u0003\u0004", new Array(60).fill(0)),

  // The text.
  "a space before the brace": () => fileOf(" " + one(), 8),
  "a byte order mark": () => fileOf(bytes([0xef, 0xbb, 0xbf], one()), 8),
  "a list": () => fileOf("[]"),
  "a string": () => fileOf('"a"'),
  "null": () => fileOf("null"),
  "bad UTF-8": () => fileOf(bytes('{"', [0xff], one().slice(3)), 8),
  "UTF-8 cut in a character": () => fileOf(bytes("{}", [0xe2, 0x82])),
  "UTF-8 of a surrogate": () =>
    fileOf(bytes('{"', [0xed, 0xa0, 0x80], one().slice(3)), 8),
  "overlong UTF-8": () => fileOf(bytes('{"', [0xc0, 0xaf], one().slice(3)), 8),
  "UTF-16": () =>
    fileOf(bytes([...one()].flatMap((c) => [c.charCodeAt(0), 0]))),
  "no closing brace": () => fileOf(one().slice(0, -1), 8),
  "text after the header": () => fileOf(one() + "x", 8),
  "a second object": () => fileOf(one() + "{}", 8),
  "zeros for padding": () => fileOf(one() + "\0\0\0", 8),
  "a comma at the end": () => fileOf(one().slice(0, -1) + ",}", 8),
  "a comma at the start": () => fileOf("{," + one().slice(1), 8),
  "no comma": () => fileOf(`{"a":{${field}}"b":{${field}}}`, 8),
  "no colon": () => fileOf(`{"a"{${field}}}`, 8),
  "single quotes": () => fileOf(one({ name: "'a'" }), 8),
  "a name without quotes": () => fileOf(one({ name: "a" }), 8),
  "a comment": () => fileOf("{/**/" + one().slice(1), 8),
  "a line break in a name": () => fileOf(one({ name: '"a\n"' }), 8),
  "an unknown escape": () => fileOf(one({ name: '"\\x41"' }), 8),
  "a cut escape": () => fileOf(one({ name: '"\\u00"' }), 8),
  "a lone surrogate": () => fileOf(one({ name: '"\\ud800"' }), 8),
  "200,000 objects deep": () => fileOf('{"a":'.repeat(200_000)),
  "200,000 lists deep": () => fileOf(one({ shape: "[".repeat(200_000) }), 8),

  // Keys.
  "two tensors of one name": () => fileOf(`{"a":{${field}},"a":{${field}}}`, 8),
  "two of one name, one escaped": () =>
    fileOf(`{"a":{${field}},"\\u0061":{${field}}}`, 8),
  "two tensors __proto__": () =>
    fileOf(`{"__proto__":{${field}},"__proto__":{${field}}}`, 8),
  "__proto__ that is no tensor": () => fileOf('{"__proto__":{"x":"y"}}'),
  "constructor that is no tensor": () => fileOf('{"constructor":null}'),
  "toString that is no tensor": () => fileOf('{"toString":1}'),
  "dtype twice": () => fileOf(`{"a":{"dtype":"F32",${field}}}`, 8),
  "shape twice": () => fileOf(`{"a":{"shape":[2],${field}}}`, 8),
  "data_offsets twice": () =>
    fileOf(`{"a":{"data_offsets":[0,8],${field}}}`, 8),
  "an unknown field": () => fileOf(`{"a":{${field},"stride":[1]}}`, 8),
  "a field __proto__": () => fileOf(`{"a":{${field},"__proto__":{}}}`, 8),
  "no dtype": () => fileOf('{"a":{"shape":[2],"data_offsets":[0,8]}}', 8),
  "no shape": () => fileOf('{"a":{"dtype":"F32","data_offsets":[0,8]}}', 8),
  "no data_offsets": () => fileOf('{"a":{"dtype":"F32","shape":[2]}}', 8),
  "a tensor that is a list": () => fileOf('{"a":[]}'),
  "a tensor that is null": () => fileOf('{"a":null}'),

  // Metadata.
  "metadata of a number": () => fileOf('{"__metadata__":{"a":1}}'),
  "metadata of an object": () => fileOf('{"__metadata__":{"a":{}}}'),
  "metadata of null": () => fileOf('{"__metadata__":{"a":null}}'),
  "metadata that is text": () => fileOf('{"__metadata__":"a"}'),
  "metadata twice": () => fileOf('{"__metadata__":{},"__metadata__":{}}'),
  "a metadata key twice": () => fileOf('{"__metadata__":{"a":"1","a":"2"}}'),

  // Values.
  "an unknown dtype": () => fileOf(one({ dtype: '"F31"' }), 8),
  "a dtype in lower case": () => fileOf(one({ dtype: '"f32"' }), 8),
  "a dtype toString": () => fileOf(one({ dtype: '"toString"' }), 8),
  "a dtype that is a number": () => fileOf(one({ dtype: "32" }), 8),
  "a negative dimension": () => fileOf(one({ shape: "[-2]" }), 8),
  "two negative dimensions": () => fileOf(one({ shape: "[-1,-2]" }), 8),
  "a fractional dimension": () => fileOf(one({ shape: "[2.0]" }), 8),
  "a dimension 1e400": () => fileOf(one({ shape: "[1e400]" }), 8),
  "a dimension 2e0": () => fileOf(one({ shape: "[2e0]" }), 8),
  "a dimension 2^53 + 1": () =>
    fileOf(one({ shape: "[9007199254740993,0]", offsets: "[0,0]" })),
  "a dimension of 1,000 digits": () =>
    fileOf(one({ shape: `[${"9".repeat(1000)}]` }), 8),
  "a dimension with a leading zero": () => fileOf(one({ shape: "[02]" }), 8),
  "a dimension with a plus": () => fileOf(one({ shape: "[+2]" }), 8),
  "a dimension in hexadecimal": () => fileOf(one({ shape: "[0x2]" }), 8),
  "a dimension NaN": () => fileOf(one({ shape: "[NaN]" }), 8),
  "a dimension that is text": () => fileOf(one({ shape: '["2"]' }), 8),
  "a dimension null": () => fileOf(one({ shape: "[null]" }), 8),
  "a shape within a shape": () => fileOf(one({ shape: "[[2]]" }), 8),
  "a shape that is a number": () => fileOf(one({ shape: "2" }), 8),
  "a shape that is null": () => fileOf(one({ shape: "null" }), 8),
  "100,000 dimensions": () =>
    fileOf(one({ shape: `[${"1,".repeat(99_999)}2]` }), 8),
  "a product beyond 2^64": () =>
    fileOf(one({ shape: "[4194305,4194305,211106198978564]" }), 8),
  "a product that is 2 modulo 2^64": () =>
    fileOf(one({ shape: "[9223372036854775809,2]" }), 8),
  "a product just beyond 2^53": () =>
    fileOf(one({ shape: "[94906267,94906267]" }), 8),
  "one offset": () => fileOf(one({ offsets: "[0]" }), 8),
  "three offsets": () => fileOf(one({ offsets: "[0,8,8]" }), 8),
  "a negative offset": () => fileOf(one({ offsets: "[-8,0]" }), 8),
  "a fractional offset": () => fileOf(one({ offsets: "[0,8.5]" }), 8),
  "an offset 2^53 + 1": () =>
    fileOf(one({ offsets: "[9007199254740985,9007199254740993]" }), 8),
  "reversed offsets": () => fileOf(one({ offsets: "[8,0]" }), 8),
  "offsets beyond the file": () => fileOf(one({ offsets: "[8,16]" }), 8),
  "more elements than bytes": () => fileOf(one({ shape: "[3]" }), 8),
  "fewer elements than bytes": () => fileOf(one({ shape: "[1]" }), 8),
  "a scalar of two numbers": () => fileOf(one({ shape: "[]" }), 8),
  "no elements but bytes": () => fileOf(one({ shape: "[0]" }), 8),
  "four-bit numbers that end within a byte": () =>
    fileOf(one({ dtype: '"F4"', shape: "[3]", offsets: "[0,1]" }), 1),
  "six-bit numbers that end within a byte": () =>
    fileOf(one({ dtype: '"F6_E2M3"', shape: "[5]", offsets: "[0,4]" }), 4),

  // The layout.
  "data missing": () => fileOf(one(), 7),
  "data left over": () => fileOf(one(), 9),
  "data without tensors": () => fileOf("{}", 8),
  "a hole at the start": () => fileOf(several(["a", 4, 8]), 8),
  "a hole in the middle": () => fileOf(several(["a", 0, 4], ["b", 8, 12]), 12),
  "overlapping tensors": () => fileOf(several(["a", 0, 8], ["b", 4, 12]), 12),
  "two tensors in one place": () =>
    fileOf(several(["a", 0, 8], ["b", 0, 8]), 8),
  "a tensor within another": () =>
    fileOf(several(["a", 0, 12], ["b", 4, 8]), 12),
  "an empty tensor within another": () =>
    fileOf(several(["a", 0, 8], ["b", 4, 4]), 8),
  "an empty tensor beyond the end": () =>
    fileOf(several(["a", 0, 8], ["b", 12, 12]), 8),
  "100,000 tensors, the first again": () => {
    const entry = (i: number) =>
      `"${i % 99_999}":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}`;
    return fileOf(`{${Array.from({ length: 100_000 }, (_, i) => entry(i))}}`);
  },
  "50 MB of something else": () => fileOf(new Uint8Array(50_000_000).fill(32)),
};
