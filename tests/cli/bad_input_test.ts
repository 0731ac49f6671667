/**
 * What cannot work is refused with one line that says why, the right exit code,
 * and no trace on the disk.
 */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { TRAIN } from "./case.ts";
import { FAILED } from "./failure_cases.ts";
import { assertRefused } from "./refusal.ts";
import { run, start, TINY, type Workplace, workplace } from "./program.ts";
import { WRONG_USAGE } from "./usage_cases.ts";

let place: Workplace;

Deno.test.beforeAll(async () => {
  place = workplace();
  const [text, out] = [place.path("text.txt"), place.path("model")];
  const { code, err } = await run(
    ...["train", text, "--out", out, ...TINY, "--max-iters", "2"],
  );
  assertEquals(code, 0, err);
  const files: Record<string, string | Uint8Array> = {
    "empty.txt": "",
    "short.txt": "abc",
    "latin.txt": Uint8Array.from([0x63, 0x61, 0x66, 0xe9, 0x20, 0x61]),
    "binary.txt": Uint8Array.from([0x7f, 0x45, 0x4c, 0x46, 2, 0, 1]),
    "other.txt": place.text.slice(1),
    "tokenizer.json": '{"model": {"type": "BPE", "vocab": {',
  };
  for (const [name, content] of Object.entries(files)) {
    const bytes = typeof content === "string"
      ? new TextEncoder().encode(content)
      : content;
    Deno.writeFileSync(place.path(name), bytes);
  }
  Deno.mkdirSync(place.path("nothing"));
  const change = (name: string, to: (bytes: Uint8Array) => Uint8Array) =>
    changedModel(name, to);
  change("config.json", () => new TextEncoder().encode("{n_layer: 1}"));
  change("tokenizer.json", (bytes) => bytes.subarray(0, 200));
  change("model.safetensors", (bytes) => bytes.subarray(0, -100));
  change("optimizer.safetensors", (bytes) => bytes.with(-1, ~bytes.at(-1)!));
  change(
    "training_state.json",
    (bytes) => bytes.with(200, bytes[200] ^ 1),
  );
});

Deno.test.afterAll(() => place[Symbol.dispose]());

/** A copy of the model in which one file is another: a folder of its name. */
function changedModel(
  name: string,
  change: (bytes: Uint8Array) => Uint8Array,
): void {
  const folder = place.path(`changed-${name}`);
  Deno.mkdirSync(folder);
  for (const file of Deno.readDirSync(place.path("model"))) {
    const bytes = Deno.readFileSync(`${place.path("model")}/${file.name}`);
    const content = file.name === name ? change(bytes) : bytes;
    Deno.writeFileSync(`${folder}/${file.name}`, content);
  }
}

for (const [code, cases] of [[2, WRONG_USAGE], [1, FAILED]] as const) {
  for (const wrong of cases) {
    const { args } = wrong;
    Deno.test(`${code}: ${args.replace(TRAIN, "train …")}`, () =>
      assertRefused(place, code, wrong));
  }
}

Deno.test("two files that cannot be read are both named", async () => {
  const { code, err } = await run(
    ...["eval", "--data", place.path("empty.txt"), place.path("missing.txt")],
  );
  assertEquals(code, 1);
  assertStringIncludes(err, "empty.txt: it is empty");
  assertStringIncludes(err, "missing.txt: there is no such file or folder");
});

Deno.test("a data file that changed under a run is refused", async () => {
  const text = place.path("text.txt");
  try {
    Deno.writeTextFileSync(text, place.text.replace("a", "b"));
    const { code, err } = await run(
      "train",
      "--resume",
      "--out",
      place.path("model"),
    );
    assertEquals(code, 1, err);
    assertStringIncludes(err, "Cannot ");
    assertEquals(err.trimEnd().split("\n").length, 2, err); // The adapter's too.
  } finally {
    Deno.writeTextFileSync(text, place.text);
  }
});

Deno.test("a loss that is not a number stops the run, naming the step", async () => {
  const out = place.path("diverged");
  const { code, err } = await run(
    ...["train", place.path("text.txt"), "--out", out, ...TINY],
    ..."--max-iters 30 --learning-rate 1e30 --grad-clip 0".split(" "),
  );
  assertEquals(code, 1);
  assertStringIncludes(
    err,
    "\nerror: Cannot go on after step 2: its loss is NaN",
  );
  const names = [...Deno.readDirSync(out)].map(({ name }) => name).sort();
  assertEquals(names, [".lock", "metrics.jsonl"]);
});

Deno.test("a permission that is missing is named, with the way to grant it", async () => {
  const [text, out] = [place.path("text.txt"), place.path("new")];
  await using program = start(
    ["train", text, "--out", out, ...TINY],
    { read: [text, out] },
  );
  const { code, err } = await program.outcome();
  assertEquals(code, 1);
  const error = err.split("\n").filter((line) => !line.startsWith("adapter"));
  assertStringIncludes(error[0], "error: Cannot make the folder");
  assertStringIncludes(error[0], "--allow-write");
});
