/**
 * Indices of shards that no reader may accept, by what is wrong with them.
 *
 * @module
 */

const good = "model-00001-of-00002.safetensors";

/** An index of one tensor, `a`, in the shard that is given. */
function placing(shard: unknown): string {
  return JSON.stringify({ metadata: {}, weight_map: { a: shard } });
}

const entry = `"a":"${good}"`;

/** Names of shards that are no file of the folder. */
const shardNames: Readonly<Record<string, string>> = {
  "a shard above the folder": "../model.safetensors",
  "a shard by a detour": "a/../../b.safetensors",
  "a shard in a folder below": "below/model.safetensors",
  "a shard in this very folder": "./model.safetensors",
  "a shard with an absolute path": "/etc/model.safetensors",
  "a shard with a doubled slash": "//host/model.safetensors",
  "a shard behind a backslash": "..\\model.safetensors",
  "a shard on a drive": "C:model.safetensors",
  "a shard on a drive by its path": "C:\\model.safetensors",
  "a shard on a share": "\\\\host\\share\\model.safetensors",
  "a shard with a NUL": "model\0.safetensors",
  "a shard with a line break": "model\n.safetensors",
  "a shard by its address": "https://example.org/model.safetensors",
  "a shard by a file address": "file:///etc/model.safetensors",
  "a shard with an encoded path": "..%2fmodel.safetensors",
  "a shard in a home folder": "~/model.safetensors",
  "a stream of a shard": "model.safetensors:stream.safetensors",
  "a hidden shard": ".model.safetensors",
  "a shard that is only an ending": ".safetensors",
  "a shard that is the folder": ".",
  "a shard that is the folder above": "..",
  "a shard without a name": "",
  "a shard like an option": "-model.safetensors",
  "a shard of a device": "NUL.safetensors",
  "a shard with a space": "model .safetensors",
  "a shard with a look-alike slash": "a\u2215model.safetensors",
  "a shard that turns the text": "\u202emodel.safetensors",
  "a shard with an endless name": `${"a".repeat(300)}.safetensors`,
  "a pickle": "pytorch_model.bin",
  "a shard with a double ending": "model.safetensors.bin",
  "a shard in capitals": "MODEL.SAFETENSORS",
};

/** The indices, as text or as bytes. */
export const malformedIndices: Readonly<
  Record<string, () => string | Uint8Array<ArrayBuffer>>
> = {
  "an empty file": () => "",
  "only spaces": () => "   ",
  "null": () => "null",
  "a list": () => "[]",
  "a list of tensors": () => `[{${entry}}]`,
  "a web page": () => "<!DOCTYPE html><html><body>Sign in</body></html>",
  "a byte order mark": () => `\ufeff${placing(good)}`,
  "bad UTF-8": () => Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x7d),
  "UTF-16": () => new Uint8Array(new Uint16Array([0x7b, 0x7d]).buffer),
  "no weight_map": () => `{"metadata":{}}`,
  "an empty weight_map": () => `{"weight_map":{}}`,
  "a weight_map of a number": () => `{"weight_map":1}`,
  "a weight_map that is null": () => `{"weight_map":null}`,
  "a weight_map that is a list": () => `{"weight_map":["a"]}`,
  "a weight_map that is text": () => `{"weight_map":"${good}"}`,
  "two weight_maps": () => `{"weight_map":{${entry}},"weight_map":{${entry}}}`,
  "two weight_maps, one escaped": () =>
    `{"weight_map":{${entry}},"weight\\u005fmap":{${entry}}}`,
  "a tensor twice": () => `{"weight_map":{${entry},${entry}}}`,
  "a tensor twice, once escaped": () =>
    `{"weight_map":{${entry},"\\u0061":"${good}"}}`,
  "a tensor __proto__ twice": () =>
    `{"weight_map":{"__proto__":"${good}","__proto__":"${good}"}}`,
  "a tensor with a lone surrogate": () =>
    `{"weight_map":{"\\ud800":"${good}"}}`,
  "a shard that is a number": () => placing(1),
  "a shard that is null": () => placing(null),
  "a shard that is a list": () => placing([good]),
  "a shard that is an object": () => placing({}),
  "a cut index": () => placing(good).slice(0, -1),
  "text after it": () => `${placing(good)} x`,
  "a second object": () => placing(good) + placing(good),
  "a comma at the end": () => `{"weight_map":{${entry},}}`,
  "no comma": () => `{"metadata":{}"weight_map":{${entry}}}`,
  "single quotes": () => placing(good).replaceAll('"', "'"),
  "a comment": () => `{/**/"weight_map":{${entry}}}`,
  "NaN in the metadata": () => `{"metadata":{"a":NaN},"weight_map":{${entry}}}`,
  "a bare word in the metadata": () =>
    `{"metadata":yes,"weight_map":{${entry}}}`,
  "a number with a leading zero": () =>
    `{"metadata":012,"weight_map":{${entry}}}`,
  "a number without digits": () => `{"metadata":-,"weight_map":{${entry}}}`,
  "200,000 lists deep": () => `{"metadata":${"[".repeat(200_000)}`,
  "200,000 objects deep": () => '{"a":'.repeat(200_000),
  "70 lists deep, all closed": () =>
    `{"a":${"[".repeat(70)}${"]".repeat(70)},"weight_map":{${entry}}}`,
  "26 MB": () => `{"weight_map":{${entry}}}${" ".repeat(26_000_000)}`,
  "10,001 shards": () => {
    const entries = Array.from(
      { length: 10_001 },
      (_, i) => `"t${i}":"s${i}.safetensors"`,
    );
    return `{"weight_map":{${entries}}}`;
  },
  ...Object.fromEntries(
    Object.entries(shardNames).map(([what, name]) => [
      what,
      () => placing(name),
    ]),
  ),
};
