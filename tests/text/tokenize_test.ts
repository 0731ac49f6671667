import { assertEquals, assertStringIncludes } from "@std/assert";
import { fromFileUrl } from "@std/path";

const program = fromFileUrl(new URL("../../cli/main.ts", import.meta.url));
const corpus = fromFileUrl(
  new URL("../fixtures/text/corpus.txt", import.meta.url),
);

async function tokenize(args: string[], input = "") {
  const child = new Deno.Command("deno", {
    args: [
      "run",
      "--no-prompt",
      "--allow-read",
      "--allow-write",
      program,
      "tokenize",
      ...args,
    ],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(input)).catch(() => {});
  await writer.close().catch(() => {});
  const { code, stdout, stderr } = await child.output();
  const [out, err] = [stdout, stderr].map((b) => new TextDecoder().decode(b));
  return { code, out, err };
}

Deno.test("a tokenizer is trained, written, and encodes and decodes", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const tokenizer = `${folder}/new`;
    const train = ["train", "--data", corpus, "--vocab-size", "500", "--json"];
    const trained = await tokenize([...train, "--out", tokenizer]);
    assertEquals(trained.code, 0, trained.err);
    const { vocab_size, files } = JSON.parse(trained.out);
    assertEquals(vocab_size, 500);
    assertEquals(
      files,
      ["tokenizer.json", "vocab.json", "merges.txt"]
        .map((name) => `${tokenizer}/${name}`),
    );

    const text = "Seven boats 漢🚢\n\n <|endoftext|>";
    const encode = ["encode", "--tokenizer", tokenizer];
    const plain = await tokenize(encode, text);
    const { ids } = JSON.parse(
      (await tokenize([...encode, "--json"], text)).out,
    );
    assertEquals(plain, { code: 0, out: `${ids.join(" ")}\n`, err: "" });
    assertEquals(ids.includes(499), false);
    const allowed = await tokenize([...encode, "--allow-special"], text);
    assertEquals(allowed.out.endsWith(" 499\n"), true);

    for (const input of [plain.out, JSON.stringify({ ids })]) {
      const decoded = await tokenize(
        ["decode", "--tokenizer", tokenizer],
        input,
      );
      assertEquals(decoded, { code: 0, out: text, err: "" });
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("a text is shown token by token", async () => {
  const inspect = ["inspect", "--tokenizer", "byte", "aé"];
  const { code, out } = await tokenize(inspect);
  assertEquals(code, 0);
  assertEquals(out.split("\n"), [
    '      97  "a"',
    "     195  …",
    '     169  "é"',
    "3 tokens, 2 characters",
    "",
  ]);
  const json = await tokenize([...inspect, "--json"]);
  assertEquals(JSON.parse(json.out).tokens.at(-1), { id: 169, text: "é" });
});

Deno.test("tokenizers of published models encode, decode and inspect", async () => {
  const published = (path: string) =>
    fromFileUrl(new URL(`../fixtures/text/published/${path}`, import.meta.url));
  for (const path of ["llama2", "llama3/tokenizer.json"]) {
    const tokenizer = ["--tokenizer", published(path)];
    const text = "The boats, and the 漢 🚢\n";
    const plain = await tokenize(["encode", ...tokenizer], text);
    assertEquals([plain.code, plain.err], [0, ""]);
    const decoded = await tokenize(["decode", ...tokenizer], plain.out);
    assertEquals(decoded, { code: 0, out: text, err: "" });

    const around = await tokenize(
      ["encode", ...tokenizer, "--add-special"],
      text,
    );
    const begin = path === "llama2" ? "1" : "1550";
    assertEquals(around.out, `${begin} ${plain.out}`);
    const inspect = ["inspect", ...tokenizer, "--add-special", "--json", text];
    const { tokens } = JSON.parse((await tokenize(inspect)).out);
    assertEquals(tokens[0], {
      id: Number(begin),
      text: path === "llama2" ? "<s>" : "<|begin_of_text|>",
    });
  }
});

Deno.test("wrong usage is 2, what fails is 1, each with a line", async () => {
  const cases: [args: string[], code: number, err: string][] = [
    [[], 2, "Cannot tokenize: expected train, encode, decode, inspect"],
    [["encoed"], 2, "did you mean encode?"],
    [["train", "--outt", "x"], 2, "unknown flag --outt, did you mean --out?"],
    [
      ["train", "x"],
      2,
      "--data is needed; --vocab-size is needed; --out is needed; unexpected x",
    ],
    [["encode"], 2, "--tokenizer is needed"],
    [["inspect", "--tokenizer", "byte"], 2, "a TEXT is needed"],
    [["decode", "--tokenizer", "char"], 2, "it is made from a text"],
    [["decode", "--tokenizer", "byte"], 1, 'Cannot decode "1.5"'],
    [["decode", "--tokenizer", "/none"], 1, "no such file or folder"],
  ];
  for (const [args, code, err] of cases) {
    const result = await tokenize(args, "1.5");
    assertEquals([result.code, result.out], [code, ""]);
    assertStringIncludes(result.err, err);
    assertEquals(result.err.trimEnd().includes("\n"), false);
  }
});
