import { assert, assertEquals, assertMatch } from "@std/assert";
import { CLASSIFY_FLAGS } from "../../cli/classify_flags.ts";
import { INSTRUCT_FLAGS } from "../../cli/instruct_flags.ts";
import { TRAIN_FLAGS } from "../../cli/train_flags.ts";
import { run } from "./program.ts";

/** The flags that each command is known by. */
const FLAGS: Readonly<Record<string, readonly string[]>> = {
  train: Object.keys(TRAIN_FLAGS),
  "finetune classify": Object.keys(CLASSIFY_FLAGS),
  "finetune instruct": Object.keys(INSTRUCT_FLAGS),
  generate:
    "model adapter prompt max-new-tokens temperature top-k top-p min-p repetition-penalty num-samples seed stop dtype tune profile json"
      .split(" "),
  chat:
    "model adapter system max-new-tokens temperature top-k top-p min-p repetition-penalty seed stop dtype"
      .split(" "),
  eval: "model adapter data choices limit batch-size block-size stride json"
    .split(" "),
  classify: "model adapter data text-column label-column header batch-size json"
    .split(" "),
  convert: "model adapter out dtype max-shard-size".split(" "),
  "tokenize train": "data vocab-size out pattern special-token json".split(" "),
  "tokenize encode": "tokenizer data add-special allow-special json".split(" "),
  "tokenize decode": "tokenizer json".split(" "),
  "tokenize inspect": "tokenizer add-special allow-special json".split(" "),
};

for (const [command, flags] of Object.entries(FLAGS)) {
  Deno.test(`${command} --help explains every flag, and nothing else happens`, async () => {
    const { code, out, err } = await run(...command.split(" "), "--help");
    assertEquals({ code, err }, { code: 0, err: "" });
    assertMatch(out, new RegExp(`^Usage: deno task ${command} `, "m"));
    const explained = [...out.matchAll(/^ {2}--([\w-]+)(.*?) {2,}(\S.*)$/gm)]
      .map(([, flag]) => flag);
    assertEquals(explained.toSorted(), [...flags, "help"].toSorted());
    assert(!/undefined|NaN|\[object/.test(out), out);
    assertEquals((await run(...command.split(" "), "-h")).out, out);
  });
}

Deno.test("train's help names nanoGPT's options and says their defaults", async () => {
  const { out } = await run("train", "--help");
  const options =
    "n-layer n-head n-embd block-size dropout bias batch-size gradient-accumulation-steps max-iters learning-rate min-lr warmup-iters lr-decay-iters weight-decay beta1 beta2 grad-clip seed eval-interval eval-iters log-interval init-from"
      .split(" ");
  for (const option of options) {
    const [line] = out.match(new RegExp(`^ +--${option}\\b.*$`, "m")) ?? [];
    assert(line !== undefined, option);
    if (option !== "init-from") assertMatch(line, /default: /);
  }
});
