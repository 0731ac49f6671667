import { assert, assertEquals } from "@std/assert";
import {
  formatDuration,
  Progress,
  progressLine,
  type ProgressOptions,
} from "../../cli/progress.ts";

/** A terminal that understands what a progress line needs. */
class Screen {
  readonly lines: string[] = [""];
  writes = 0;
  #column = 0;

  write(text: string) {
    this.writes++;
    // deno-lint-ignore no-control-regex
    for (const part of text.match(/\x1b\[[\d;?]*[A-Za-z]|[^]/gu) ?? []) {
      const line = this.lines[this.lines.length - 1];
      if (part === "\r") this.#column = 0;
      else if (part === "\n") this.#column = this.lines.push("") * 0;
      else if (part === "\x1b[K") {
        this.lines[this.lines.length - 1] = line.slice(0, this.#column);
      } else if (!part.startsWith("\x1b")) {
        this.lines[this.lines.length - 1] = line.slice(0, this.#column) + part +
          line.slice(this.#column + 1);
        this.#column++;
      }
    }
  }
}

function start(options: ProgressOptions = {}) {
  const screen = new Screen();
  const clock = { now: 0 };
  const progress = new Progress({
    live: true,
    color: false,
    columns: () => 80,
    write: (text) => screen.write(text),
    now: () => clock.now,
    ...options,
  });
  return { screen, clock, progress };
}

Deno.test("the line shows step, bar, loss, time left and speed", () => {
  const state = {
    step: 500,
    total: 2000,
    loss: 1.88014,
    tokensPerSecond: 12345,
    etaSeconds: 75,
  };
  const line = progressLine(state, 79, false);
  assertEquals(line.length, 79);
  assertEquals(
    line.replace(/[━─]+/, "BAR"),
    " 500/2000  BAR  loss 1.8801  ETA 1:15  12.3k tok/s",
  );
  const bar = line.match(/[━─]+/)![0];
  assertEquals(bar.lastIndexOf("━") + 1, Math.round(bar.length / 4));
});

Deno.test("no width is exceeded, and the step is the last to go", () => {
  const state = {
    step: 7,
    total: 10,
    loss: 2,
    tokensPerSecond: 1e6,
    etaSeconds: 9,
  };
  for (let columns = 0; columns < 200; columns++) {
    const line = progressLine(state, columns, false);
    assert(line.length <= columns, `${columns}: ${line}`);
    if (columns >= 5) assert(line.startsWith(" 7/10"), line);
  }
  assertEquals(progressLine(state, 20, false), " 7/10  loss 2.0000");
  assertEquals(progressLine(state, 19, true), " 7/10  loss 2.0000");
});

Deno.test("colour adds no width, and none is used when it is not wanted", () => {
  const state = { step: 1, total: 2 };
  const bare = (line: string) =>
    // deno-lint-ignore no-control-regex
    line.replace(/\x1b\[\d+m/g, "").replace(/─/g, "━");
  const plain = progressLine(state, 60, false);
  assert(!plain.includes("\x1b"));
  const colored = progressLine(state, 60, true);
  assertEquals(bare(colored), bare(plain));
  assert(colored.includes("\x1b[32m") && colored.includes("\x1b[0m"));
});

Deno.test("redrawing is throttled, but the last step is shown", () => {
  const { screen, clock, progress } = start();
  for (let step = 1; step <= 1000; step++) {
    clock.now += 1; // A millisecond a step: a second in all.
    progress.update({ step, total: 1000 });
  }
  assertEquals(screen.writes, 11);
  assert(screen.lines[0].startsWith("1000/1000"));
  progress[Symbol.dispose]();
});

Deno.test("lines scroll above the live line, which leaves nothing behind", () => {
  const { screen, clock, progress } = start();
  {
    using shown = progress;
    shown.line("before");
    shown.update({ step: 1, total: 2, loss: 10, etaSeconds: 1 });
    shown.line("step 1");
    assert(screen.lines[2].startsWith("1/2"), screen.lines[2]);
    clock.now += 1000;
    shown.update({ step: 1, total: 2 });
    assert(!screen.lines[2].includes("loss"));
    shown.line("short");
    shown.clear();
    assertEquals(screen.lines, ["before", "step 1", "short", ""]);
    shown.update({ step: 2, total: 2 });
  }
  assertEquals(screen.lines, ["before", "step 1", "short", ""]);
});

Deno.test("without a terminal there are plain lines and nothing else", () => {
  let text = "";
  {
    using progress = new Progress({
      live: false,
      write: (part) => text += part,
    });
    progress.update({ step: 1, total: 2 });
    progress.line("step 1: loss 4.1");
    progress.update({ step: 2, total: 2 });
  }
  assertEquals(text, "step 1: loss 4.1\n");
});

Deno.test("strange numbers do no harm", () => {
  for (const step of [0, -1, 5, NaN]) {
    for (const total of [0, 3, NaN, Infinity]) {
      for (const loss of [NaN, Infinity, -1, undefined]) {
        const state = {
          step,
          total,
          loss,
          tokensPerSecond: NaN,
          etaSeconds: NaN,
        };
        assert(progressLine(state, 79, false).length <= 79);
      }
    }
  }
});

Deno.test("times read like a clock", () => {
  const times = [
    0,
    7.4,
    59.6,
    60,
    754,
    3599.7,
    3723,
    360_000,
    NaN,
    -1,
    Infinity,
  ];
  assertEquals(times.map(formatDuration), [
    "0:00",
    "0:07",
    "1:00",
    "1:00",
    "12:34",
    "1:00:00",
    "1:02:03",
    "100:00:00",
    "--:--",
    "--:--",
    "--:--",
  ]);
});
