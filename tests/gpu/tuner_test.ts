import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { Device } from "../../lib/gpu/device.ts";
import { Kernel } from "../../lib/gpu/kernel.ts";
import { tune, type TuningStore } from "../../lib/gpu/tuner.ts";
import type { Tunable } from "../../lib/gpu/tuning.ts";
import { Tensor } from "../../lib/tensor/tensor.ts";

const devices: { plain?: Device } = {};

Deno.test.beforeAll(async () => {
  devices.plain = await Device.open({ subgroups: false });
});

Deno.test.afterAll(() => devices.plain?.[Symbol.dispose]());

const SOURCE = `
const BLOCK: u32 = 64u;
const TURNS: u32 = 1u;
const FACTOR: f32 = 2.0;
struct Params { size: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@compute @workgroup_size(BLOCK)
fn twice(@builtin(global_invocation_id) id: vec3u) {
  if id.x >= params.size { return; }
  for (var turn = 0u; turn < TURNS * params.size; turn++) { y[id.x] = f32(turn); }
  y[id.x] = FACTOR * x[id.x];
}`;
const kernel = new Kernel("twice", SOURCE);
const broken = new Kernel("broken", SOURCE.replace("f32(turn)", "missing"));
const SIZE = 512;

/** Ways to double numbers: slow, fast, wrong, not finite, and not compiling. */
function doubling(runs: string[] = []): Tunable {
  const ways: Record<string, (x: Tensor, y: Tensor) => void> = {
    slow: (x, y) => run(kernel, x, y, { TURNS: 20 }),
    fast: (x, y) => run(kernel, x, y, { TURNS: 0 }),
    wrong: (x, y) => run(kernel, x, y, { TURNS: 0, FACTOR: 2.001 }),
    nan: (_x, y) => y.fill(NaN),
    broken: (x, y) => run(broken, x, y, {}),
    greedy: (x, y) => run(kernel, x, y, { BLOCK: 1 << 20 }),
  };
  return {
    candidates: Object.keys(ways),
    reference: "slow",
    tolerance: 1e-5,
    trial: (device: Device) => {
      const numbers = Array.from({ length: SIZE }, (_, i) => i / SIZE);
      const x = Tensor.from(device, numbers);
      return {
        run(candidate: string) {
          runs.push(candidate);
          const y = Tensor.empty(device, [SIZE]);
          ways[candidate](x, y);
          return y;
        },
        [Symbol.dispose]: () => x[Symbol.dispose](),
      };
    },
  };
}

function run(
  kernel: Kernel,
  x: Tensor,
  y: Tensor,
  constants: Record<string, number>,
) {
  kernel.run("twice", {
    args: { x, y, size: SIZE },
    constants,
    grid: { threads: SIZE },
  });
}

/** A store in memory. */
function memory(text: string | null = null) {
  const store = {
    text,
    writes: 0,
    read: () => store.text,
    write(text: string) {
      store.text = text;
      store.writes++;
    },
  };
  return store satisfies TuningStore;
}

/** Meets a class of shapes and tunes, on a device that has no choices yet. */
async function start(
  store: TuningStore,
  { key = "double 9", runtime = "Deno 2.9.6" } = {},
) {
  using device = await Device.open({ subgroups: false });
  const lines: string[] = [];
  const runs: string[] = [];
  device.tuning.active = true;
  assertEquals(device.tuning.choose(key, () => doubling(runs)), null);
  const report = await tune(device, {
    store,
    runtime,
    log: (line) => lines.push(line),
  });
  const choice = device.tuning.choose(key, () => doubling());
  return { choice, report, lines, runs };
}

Deno.test("tuning takes the fastest candidate that is right, and says which it dropped", async () => {
  const { choice, report, lines } = await start(memory());
  assertEquals(choice, "fast");
  assertEquals(report, { known: 0, tried: 1 });
  for (
    const said of [
      "double 9: dropped wrong, which is off by 5.0e-4",
      "double 9: dropped nan, which is off by NaN",
      "double 9: dropped broken, which fails: Cannot compile broken.twice",
      "double 9: dropped greedy, which fails: Cannot run twice.twice: it asks for 1048576 threads",
      "double 9: fast (fast ",
    ]
  ) assert(lines.some((line) => line.startsWith(said)), `${said}: ${lines}`);
  assertEquals(lines.length, 5);
});

Deno.test("a second start reads the choice and times nothing", async () => {
  const store = memory();
  await start(store);
  assertEquals(store.writes, 1);
  const { choice, report, lines, runs } = await start(store);
  assertEquals({ choice, report, lines, runs }, {
    choice: "fast",
    report: { known: 1, tried: 0 },
    lines: [],
    runs: [],
  });
  assertEquals(store.writes, 1);
});

Deno.test("what was kept stays when another class is tuned", async () => {
  const store = memory();
  await start(store, { key: "double 9" });
  await start(store, { key: "double 10" });
  assertEquals(Object.keys(JSON.parse(store.text!).choices), [
    "double 10",
    "double 9",
  ]);
});

Deno.test("kept choices that are damaged, foreign or old are ignored and made anew", async () => {
  const store = memory();
  await start(store);
  const sound = store.text!;
  const edited = (edit: (file: Record<string, unknown>) => void) => {
    const file = JSON.parse(sound);
    edit(file);
    return JSON.stringify(file);
  };
  const cases: [text: string, because: string][] = [
    [sound.slice(0, -20), "they are damaged"],
    ["", "they are damaged"],
    ["null", "they are damaged"],
    ["[]", "they are of another version"],
    [edited((file) => file.choices = { "double 9": 3 }), "they are damaged"],
    [edited((file) => delete file.choices), "they are damaged"],
    [edited((file) => file.version = 0), "they are of another version"],
    [edited((file) => file.adapter = "x/y/z"), "they are of another adapter"],
    [edited((file) => file.runtime = "Deno 1"), "they are of another runtime"],
  ];
  for (const [text, because] of cases) {
    const store = memory(text);
    const { choice, report, lines } = await start(store);
    assertEquals(lines[0], `kept choices are not used: ${because}`, text);
    assertEquals([choice, report.tried], ["fast", 1]);
    assertEquals(store.text, sound);
  }
});

Deno.test("a kept choice that is no candidate any more is made anew", async () => {
  const store = memory();
  await start(store);
  const { report, choice } = await start(
    memory(store.text!.replace('"fast"', '"retired"')),
  );
  assertEquals([choice, report.tried], ["fast", 1]);
});

Deno.test("where every candidate fails, the first is taken", async () => {
  const device = devices.plain!;
  const lines: string[] = [];
  const hopeless = { ...doubling(), candidates: ["wrong", "broken"] };
  await tune(device, {
    open: new Map([["hopeless", hopeless]]),
    log: (line) => lines.push(line),
  });
  assertEquals(device.tuning.choices.get("hopeless"), "wrong");
  assertEquals(lines.length, 3);
  // The device is none the worse for it.
  using x = Tensor.ones(device, [4]);
  assertEquals([...await x.read()], [1, 1, 1, 1]);
});

Deno.test("a device that does not tune notes nothing", () => {
  const { tuning } = devices.plain!;
  assertEquals(tuning.active, false);
  let asked = 0;
  const choice = tuning.choose("new", () => (asked++, doubling()));
  assertEquals([choice, asked, tuning.open.size], [null, 0, 0]);
});

Deno.test("without a clock nothing is tuned, and one line says so", async () => {
  const adapter = (await navigator.gpu.requestAdapter())!;
  using device = new Device(await adapter.requestDevice(), adapter.info);
  const lines: string[] = [];
  const report = await tune(device, {
    open: new Map([["double 9", doubling()]]),
    log: (line) => lines.push(line),
  });
  assertEquals(report, { known: 0, tried: 0 });
  assertEquals(lines.length, 1);
  assertStringIncludes(lines[0], "has no clock");
});

Deno.test("a class whose reference fails keeps the first candidate", async () => {
  const device = devices.plain!;
  const lines: string[] = [];
  const lost = { ...doubling(), reference: "broken" };
  await tune(device, {
    open: new Map([["lost", lost]]),
    log: (line) => lines.push(line),
  });
  assertEquals(device.tuning.choices.get("lost"), "slow");
  assertStringIncludes(lines[0], "lost: dropped broken, which fails");
});
