import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import { settleTuning } from "../../cli/tuning_store.ts";
import { Device } from "../../lib/gpu/device.ts";
import type { Tunable } from "../../lib/gpu/tuning.ts";
import { Tensor } from "../../lib/tensor/tensor.ts";
import { traceProblems } from "../trace_format.ts";
import { losses, run, start, TINY, workplace } from "./program.ts";

Deno.test("train --profile prints what every kernel takes and writes a trace", async () => {
  using place = workplace();
  const common = ["train", "--data", place.path("text.txt"), ...TINY];
  const steps = ["--max-iters", "8", "--log-interval", "1"];
  const [plain, profiled] = [place.path("plain"), place.path("profiled")];
  await run(...common, ...steps, "--out", plain);
  const { code, out, err } = await run(
    ...common,
    ...steps,
    ...["--out", profiled, "--profile", "2"],
  );
  assertEquals({ code, out }, { code: 0, out: "" }, err);
  assertMatch(
    err,
    /^kernel +calls +ms +share +GB\/s +GFLOP\/s +roofline$/m,
  );
  assertMatch(err, /^adamw\.update +2 /m);
  assertMatch(err, /^all +\d+ .*100\.0%$/m);
  assertMatch(err, /^roofline: [\d,.]+ GFLOP\/s in f32, [\d,.]+ GB\/s/m);
  assertMatch(
    err,
    /^host: [\d.]+ us to record a dispatch, \d+ dispatches a step$/m,
  );
  const trace = JSON.parse(
    Deno.readTextFileSync(`${profiled}/trace.json`),
  );
  assertEquals(traceProblems(trace), []);
  const updates = trace.traceEvents
    .filter(({ name }: { name: string }) => name === "adamw.update");
  assertEquals(updates.length, 2);
  // The run is the one that was not watched.
  const metrics = "metrics.jsonl";
  assertEquals(
    losses(`${profiled}/${metrics}`),
    losses(`${plain}/${metrics}`),
  );
});

Deno.test("--profile takes a number, or none, and then leaves what follows alone", async () => {
  using place = workplace();
  const short = ["--max-iters", "2", "--eval-iters", "1"];
  for (const profile of [["--profile"], ["--profile", "1"], ["--profile=1"]]) {
    const out = place.path(`out${profile}`);
    const { code, err } = await run(
      "train",
      ...TINY,
      ...short,
      ...["--out", out, ...profile, place.path("text.txt")],
    );
    assertEquals(code, 0, err);
    assertStringIncludes(err, "trace.json");
  }
  const { code, err } = await run("train", "--profile", "0");
  assertEquals(code, 2);
  assertStringIncludes(err, '--profile is "0", expected a whole number from 1');
});

Deno.test("generate --profile writes the text to stdout and the table to stderr", async () => {
  using place = workplace();
  const model = place.path("model");
  const data = ["--data", place.path("text.txt")];
  await run("train", ...data, ...TINY, "--max-iters", "1", "--out", model);
  const here = Deno.cwd();
  Deno.chdir(place.path("."));
  try {
    const words = ["generate", "--model", model, "--max-new-tokens", "9"];
    const plain = await run(...words);
    const { code, out, err } = await run(...words, "--profile");
    assertEquals({ code, out }, { code: 0, out: plain.out }, err);
    assertMatch(err, /^kernel +calls/m);
    const trace = JSON.parse(Deno.readTextFileSync("trace.json"));
    assertEquals(traceProblems(trace), []);
  } finally {
    Deno.chdir(here);
  }
});

Deno.test("train --dry-run says what a run takes, writes nothing, and is right", async () => {
  using place = workplace();
  const out = place.path("out");
  const words = ["train", "--data", place.path("text.txt"), ...TINY];
  const before = place.files();
  const dry = await run(...words, "--out", out, "--dry-run");
  assertEquals(dry.code, 0, dry.err);
  assertEquals(place.files(), before);
  for (
    const part of [
      "parameters",
      "gradients",
      "optimizer",
      "activations",
      "other",
      "peak",
      "textures",
      "held",
      "largest binding",
      "largest buffer",
      "--batch-size 2",
      "--block-size 8",
      "--recompute block",
    ]
  ) assertMatch(dry.out, new RegExp(`^  ${part} +[\\d.]+ [KM]?i?B`, "m"));
  assertStringIncludes(dry.out, "it fits, as far as is known");
});

Deno.test("a run that cannot fit is refused in one line that says what would", async () => {
  using place = workplace();
  const words = [
    ...["train", "--data", place.path("text.txt"), "--tokenizer", "char"],
    ...["--n-layer", "1", "--n-head", "16", "--n-embd", "1024"],
    ...["--batch-size", "600", "--block-size", "128"],
    ...["--out", place.path("out")],
  ];
  const before = place.files();
  const { code, err } = await run(...words);
  assertEquals(code, 1);
  assertEquals(place.files(), before);
  const [error] = err.match(/^error: .*$/m)!;
  assertMatch(error, /^error: Cannot train: cannot (run|allocate) .* bytes/);
  for (const flag of ["--batch-size", "--block-size"]) {
    assertMatch(error, new RegExp(`${flag} \\d+ takes [\\d.]+ [MG]iB`));
  }
  const dry = await run(...words, "--dry-run");
  assertEquals(dry.code, 1);
  assertMatch(dry.out, /^too much: Cannot (run|allocate)/m);
});

for (
  const [name, sizes, message] of [
    [
      "where the model itself is too large, a smaller one is named",
      ["--n-head", "2", "--n-embd", "16384"],
      /; --n-embd \d+ takes [\d.]+ [MG]iB/,
    ],
    [
      "heads too large for the adapter are refused in a line about heads",
      ["--n-head", "1", "--n-embd", "8192"],
      /: cannot attend with heads of 8192 channels: .*more heads/,
    ],
  ] as const
) {
  Deno.test(name, async () => {
    using place = workplace();
    const { code, err } = await run(
      ...["train", "--data", place.path("text.txt"), "--tokenizer", "char"],
      ...["--n-layer", "1", ...sizes, "--batch-size", "1", "--block-size", "8"],
      ...["--out", place.path("out")],
    );
    assertEquals(code, 1);
    const [error] = err.match(/^error: Cannot train.*$/m)!;
    assertMatch(error, message);
  });
}

Deno.test("tuned choices are kept in the user's cache, and read from it", async () => {
  using place = workplace();
  const cache = place.path("cache");
  const before = Deno.env.get("XDG_CACHE_HOME");
  Deno.env.set("XDG_CACHE_HOME", cache);
  try {
    let trials = 0;
    const tunable: Tunable = {
      candidates: ["one", "two"],
      reference: "one",
      tolerance: 0,
      trial: (device: Device) => ({
        run: () => (trials++, Tensor.ones(device, [8])),
        [Symbol.dispose]() {},
      }),
    };
    const settle = async () => {
      using device = await Device.open({ subgroups: false });
      device.tuning.active = true;
      device.tuning.choose("ones", () => tunable);
      const lines: string[] = [];
      const print = (line: string) => lines.push(line);
      await settleTuning(device, device.tuning.open, print);
      return { lines, choice: device.tuning.choices.get("ones") };
    };
    const first = await settle();
    assertEquals(first.lines, ["tuned 1 class of shapes"]);
    assert(trials > 0);
    const [file, ...others] = [...Deno.readDirSync(`${cache}/shaderloom`)];
    assertEquals(others, []);
    assertMatch(file.name, /^tuning-[0-9a-f]{8}\.json$/);

    trials = 0;
    const second = await settle();
    assertEquals(second, { lines: [], choice: first.choice });
    assertEquals(trials, 0);

    Deno.writeTextFileSync(`${cache}/shaderloom/${file.name}`, "{");
    assertEquals((await settle()).lines, ["tuned 1 class of shapes"]);
    assert(trials > 0);
  } finally {
    if (before === undefined) Deno.env.delete("XDG_CACHE_HOME");
    else Deno.env.set("XDG_CACHE_HOME", before);
  }
});

Deno.test("without permission for the cache a run tunes, keeps nothing, and works", async () => {
  using place = workplace();
  const out = place.path("out");
  await using program = start([
    ...["train", "--data", place.path("text.txt"), ...TINY],
    ...["--max-iters", "1", "--tune", "force", "--out", out],
  ], { read: [place.path("."), Deno.cwd()], write: [out] });
  const { code, err } = await program.outcome();
  assertEquals(code, 0, err);
});
