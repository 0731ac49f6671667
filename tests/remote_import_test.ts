import {
  assertAlmostEquals,
  assertEquals,
  assertLess,
  assertStringIncludes,
} from "@std/assert";
import { join } from "@std/path";

/** What the hosts people import from call TypeScript. */
const CONTENT_TYPES = ["text/plain", "application/octet-stream", "video/mp2t"];

const root = new URL("../", import.meta.url);

/** Trains a small GPT on a text of one pattern, then lets it go on. */
const script = (base: string) => `
import {
  AdamW, CharTokenizer, constantSchedule, Device, generate, GPT2, parameters,
  Random, RandomCrops, train,
} from "${base}mod.ts";

using device = await Device.open();
const text = "abcde".repeat(20);
const tokenizer = new CharTokenizer(text);
const random = new Random(1);
const model = new GPT2({ device, random }, {
  vocabSize: tokenizer.vocabSize, blockSize: 8, nLayer: 1, nHead: 2, nEmbd: 16,
});
const batches = new RandomCrops(tokenizer.encode(text), {
  batchSize: 4, blockSize: 8, random,
});
const optimizer = new AdamW(parameters(model));
const schedule = constantSchedule(1e-2);
const losses = [];
for await (
  const step of train({ device, model, optimizer, batches, schedule, steps: 60 })
) {
  if (step.step % 60 === 0) losses.push(...await step.read());
}
const prompt = tokenizer.encode("ab");
const ids = await Array.fromAsync(
  generate({ device, model, prompt, maxNewTokens: 10, random, temperature: 0 }),
);
console.log(JSON.stringify({
  first: losses[0].loss, last: losses.at(-1).loss, text: tokenizer.decode(ids),
}));
`;

/** Serves the repository; the path begins with the content type to give. */
function serveRepository(): Deno.HttpServer<Deno.NetAddr> {
  const options = { hostname: "127.0.0.1", port: 0, onListen: () => {} };
  return Deno.serve(options, async (request) => {
    const [, kind, subtype, ...path] = new URL(request.url).pathname.split("/");
    try {
      const body = await Deno.readFile(new URL(path.join("/"), root));
      return new Response(body, {
        headers: { "content-type": `${kind}/${subtype}` },
      });
    } catch {
      return new Response("not found", { status: 404 });
    }
  });
}

/**
 * A folder with nothing in it but a cache of our npm packages, so that the
 * test neither needs the network nor fills the user's cache with our modules.
 */
async function emptyFolder(): Promise<string> {
  const folder = await Deno.makeTempDir();
  const { stdout } = await new Deno.Command("deno", {
    args: ["info", "--json"],
  }).output();
  const { npmCache } = JSON.parse(new TextDecoder().decode(stdout));
  await Deno.mkdir(join(folder, "cache"));
  await Deno.symlink(npmCache, join(folder, "cache", "npm"));
  return folder;
}

async function runScript(folder: string, source: string, ...flags: string[]) {
  await Deno.writeTextFile(join(folder, "script.ts"), source);
  const { code, stdout, stderr } = await new Deno.Command("deno", {
    args: ["run", "--quiet", "--no-prompt", ...flags, "script.ts"],
    cwd: folder,
    env: { DENO_DIR: join(folder, "cache"), NO_COLOR: "1" },
  }).output();
  const [out, err] = [stdout, stderr].map((b) => new TextDecoder().decode(b));
  return { code, out, err };
}

Deno.test("a script in an empty folder imports us by URL, trains and generates", async (t) => {
  await using server = serveRepository();
  const host = `127.0.0.1:${server.addr.port}`;
  const folder = await emptyFolder();

  for (const type of CONTENT_TYPES) {
    await t.step(
      `served as ${type}, allowed nothing but the import`,
      async () => {
        const source = script(`http://${host}/${type}/`);
        const { code, out, err } = await runScript(
          folder,
          source,
          `--allow-import=${host}`,
        );
        assertEquals(code, 0, err);
        const { first, last, text } = JSON.parse(out);
        assertAlmostEquals(first, Math.log(5), 0.1);
        assertLess(last, 0.5);
        assertEquals(text, "cdeabcdeab");
      },
    );
  }

  await t.step("not allowed the import, it is told so", async () => {
    const source = script(`http://${host}/text/plain/`);
    const { code, err } = await runScript(folder, source);
    assertEquals(code, 1);
    assertStringIncludes(err, "--allow-import");
  });

  await Deno.remove(folder, { recursive: true });
});
