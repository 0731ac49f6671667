import { assertEquals, assertRejects } from "@std/assert";
import { ByteTokenizer } from "../../lib/text/byte.ts";
import { formatGpt2Files } from "../../lib/text/gpt2_files.ts";
import { loadTokenizer } from "../../lib/text/load.ts";
import { trainBpe } from "../../lib/text/train_bpe.ts";

async function inFolder(
  files: Record<string, string>,
  body: (folder: string) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "tokenizer é " });
  try {
    for (const [name, text] of Object.entries(files)) {
      await Deno.writeTextFile(`${folder}/${name}`, text);
    }
    await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const bytes = JSON.stringify(new ByteTokenizer());
const bpe = trainBpe("banana banana", { vocabSize: 258 });
const { vocab, merges } = formatGpt2Files(bpe);

Deno.test("a tokenizer.json is loaded by its path or its folder's", async () => {
  await inFolder(
    { "tokenizer.json": bytes, "my.json": bytes },
    async (folder) => {
      for (const path of ["", "/", "/tokenizer.json", "/my.json"]) {
        const tokenizer = await loadTokenizer(folder + path);
        assertEquals(tokenizer.vocabSize, 256);
      }
    },
  );
});

Deno.test("vocab.json and merges.txt are loaded where no tokenizer.json is", async () => {
  const files = { "vocab.json": vocab, "merges.txt": merges };
  await inFolder(files, async (folder) => {
    const tokenizer = await loadTokenizer(folder);
    assertEquals(JSON.stringify(tokenizer), JSON.stringify(bpe));
    await Deno.writeTextFile(`${folder}/tokenizer.json`, bytes);
    assertEquals((await loadTokenizer(folder)).vocabSize, 256);
  });
});

Deno.test("what is missing or malformed is said in one line", async () => {
  await inFolder({ "vocab.json": vocab, "bad.json": "{" }, async (folder) => {
    await assertRejects(
      () => loadTokenizer(`${folder}/none`),
      Error,
      `Cannot load a tokenizer from ${folder}/none: there is no such`,
    );
    await assertRejects(
      () => loadTokenizer(folder),
      Error,
      "holds neither tokenizer.json nor both vocab.json and merges.txt",
    );
    await assertRejects(
      () => loadTokenizer(`${folder}/bad.json`),
      SyntaxError,
      `Cannot read ${folder}/bad.json: not JSON`,
    );
    await Deno.writeFile(`${folder}/latin1.json`, Uint8Array.of(0x22, 0xe9));
    await assertRejects(
      () => loadTokenizer(`${folder}/latin1.json`),
      SyntaxError,
      `Cannot read ${folder}/latin1.json: it is not UTF-8 text`,
    );
  });
});
