import { assertEquals, assertThrows } from "@std/assert";
import { join } from "@std/path";
import {
  isEvaluation,
  MetricsLog,
  type MetricsRow,
  readMetrics,
} from "../../lib/train/metrics.ts";

function inFolder(run: (path: string) => void) {
  const folder = Deno.makeTempDirSync();
  try {
    run(join(folder, "metrics.jsonl"));
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

function training(step: number, loss = 1 / step): MetricsRow {
  return {
    step,
    loss,
    learning_rate: 1e-3,
    grad_norm: 0.5,
    tokens_per_second: 1000,
    time: step / 10,
  };
}

function evaluation(step: number): MetricsRow {
  return { step, train_loss: 1, val_loss: 2, perplexity: Math.exp(2), time: 3 };
}

const rows = [
  evaluation(0),
  training(1),
  training(2),
  evaluation(2),
  training(3),
];

function write(path: string, rows: Iterable<MetricsRow>) {
  using log = MetricsLog.create(path);
  for (const row of rows) log.append(row);
}

Deno.test("rows are read back as they were written", () =>
  inFolder((path) => {
    write(path, [training(9)]);
    write(path, rows); // A new run starts a new file.
    assertEquals(readMetrics(path), rows);
    assertEquals(readMetrics(path).filter(isEvaluation).length, 2);
    assertEquals(readMetrics(path + ".absent"), []);
  }));

Deno.test("numbers that are not finite come back as NaN", () =>
  inFolder((path) => {
    write(path, [training(1, Infinity)]);
    assertEquals(readMetrics(path), [training(1, NaN)]);
  }));

Deno.test("a resumed file is that of an uninterrupted run, wherever it was cut", () =>
  inFolder((path) => {
    write(path, rows);
    const whole = Deno.readTextFileSync(path);
    for (let length = 0; length <= whole.length; length++) {
      Deno.writeTextFileSync(path, whole.slice(0, length));
      const left = readMetrics(path);
      assertEquals(left, rows.slice(0, left.length));
      {
        using log = MetricsLog.resume(path, 1);
        const kept = left.filter(({ step }) => step <= 1).length;
        for (const row of rows.slice(kept)) log.append(row);
      }
      assertEquals(Deno.readTextFileSync(path), whole, `cut at ${length}`);
    }
  }));

Deno.test("a damaged line is refused by its number", () =>
  inFolder((path) => {
    const bad = [
      "x",
      "{}",
      "null",
      "[]",
      '{"step":1}',
      '{"step":"1"}',
      "5",
      "",
    ];
    bad.push(JSON.stringify(training(1)).replace("0.1", '"0.1"'));
    for (const line of bad) {
      const good = JSON.stringify(training(1));
      Deno.writeTextFileSync(path, `${good}\n${line}\n${good}\n`);
      assertThrows(
        () => readMetrics(path),
        Error,
        `Cannot read "${path}": line 2 is not a row of metrics`,
      );
    }
  }));

Deno.test("a file that cannot be written is named", () =>
  inFolder((path) => {
    const absent = join(path, "absent");
    assertThrows(
      () => MetricsLog.create(absent),
      Error,
      `Cannot write "${absent}"`,
    );
  }));
