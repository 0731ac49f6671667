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

/** Learns which letter follows which, then writes by what it has learnt. */
const script = (base: string) => `
import { Device } from "${base}lib/gpu/device.ts";
import { Parameter, readAll, Tensor } from "${base}lib/tensor/tensor.ts";
import { backward } from "${base}lib/tensor/backward.ts";
import { argmax, crossEntropy, embedding } from "${base}lib/ops/mod.ts";

using device = await Device.open();
const ids = Uint32Array.from({ length: 65 }, (_, i) => i % 5);
const inputs = Tensor.from(device, ids.slice(0, -1));
const targets = Tensor.from(device, ids.slice(1));
const weights = new Float32Array(5 * 5);
using table = new Parameter(device, weights, [5, 5]);

const losses = [];
for (let step = 0; step < 5; step++) {
  using scope = device.scope();
  const loss = crossEntropy(embedding(table, inputs), targets);
  backward(loss);
  const [[value], slope] = await readAll([loss, table.grad]);
  losses.push(value);
  table.write(weights.map((_, i) => weights[i] -= 10 * slope[i]));
  table.grad = null;
}
const follows = await argmax(table, { axis: -1 }).read();
let text = "a";
while (text.length < 10) text += "abcde"[follows["abcde".indexOf(text.at(-1))]];
console.log(JSON.stringify({ first: losses[0], last: losses.at(-1), text }));
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
        assertAlmostEquals(first, Math.log(5), 1e-6);
        assertLess(last, 0.5);
        assertEquals(text, "abcdeabcde");
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
