import { assertEquals, assertStringIncludes } from "@std/assert";
import { fromFileUrl } from "@std/path";

const program = fromFileUrl(new URL("../cli/main.ts", import.meta.url));

async function shaderloom(...args: string[]) {
  const { code, stdout, stderr } = await new Deno.Command("deno", {
    args: ["run", "--no-prompt", program, ...args],
    stdin: "null",
  }).output();
  const [out, err] = [stdout, stderr].map((b) => new TextDecoder().decode(b));
  return { code, out, err };
}

const COMMANDS =
  "train finetune generate chat tokenize eval classify convert doctor".split(
    " ",
  );

Deno.test("no command is a wrong usage, and the commands are named", async () => {
  const { code, out, err } = await shaderloom();
  assertEquals({ code, out }, { code: 2, out: "" });
  assertEquals(
    err,
    `error: Cannot run without a command: the commands are ${
      COMMANDS.join(", ")
    }\n`,
  );
});

Deno.test("a mistyped command is told the nearest", async () => {
  const { code, out, err } = await shaderloom("genrate", "--prompt", "x");
  assertEquals({ code, out }, { code: 2, out: "" });
  assertEquals(err, 'error: Cannot run "genrate": did you mean generate?\n');
});

Deno.test("--help names every command, also behind the -- of deno task", async () => {
  for (const args of [["--help"], ["--", "--help"]]) {
    const { code, out, err } = await shaderloom(...args);
    assertEquals({ code, err }, { code: 0, err: "" });
    for (const name of COMMANDS) {
      assertStringIncludes(out, `\n  ${name} `);
    }
  }
});
