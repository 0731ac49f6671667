import { assertEquals, assertThrows } from "@std/assert";
import { join } from "@std/path";
import {
  isEvaluation,
  MetricsLog,
  type MetricsRow,
  readMetrics,
} from "../../lib/report/metrics.ts";

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

Deno.test("a row holds numbers of any name, TRL's among them", () =>
  inFolder((path) => {
    const rows: MetricsRow[] = [
      { step: 0, eval_loss: 3, eval_mean_token_accuracy: 0.1 },
      {
        step: 5,
        loss: 2.5,
        mean_token_accuracy: 0.4,
        entropy: 1.2,
        num_tokens: 4096,
        epoch: 0.25,
        my_own: 7,
      },
      { step: 5, eval_accuracy: 0.9, eval_f1: 0.8 },
    ];
    write(path, rows);
    assertEquals(readMetrics(path), rows);
    assertEquals(rows.map(isEvaluation), [true, false, true]);
  }));

Deno.test("a file of an earlier release is read, and continued", () =>
  inFolder((path) => {
    const lines = [
      '{"step":0,"train_loss":4.19,"val_loss":4.2,"perplexity":66.7,"time":0.3}',
      '{"step":1,"loss":4.2,"learning_rate":0.001,"grad_norm":2.1,"tokens_per_second":512,"time":0.4,"loss_scale":65536,"skipped_steps":1}',
      '{"step":2,"loss":null,"learning_rate":0.001,"grad_norm":null,"tokens_per_second":512,"time":0.5}',
    ];
    Deno.writeTextFileSync(path, lines.map((line) => `${line}\n`).join(""));
    const [evaluation, first, second] = readMetrics(path);
    assertEquals(isEvaluation(evaluation), true);
    assertEquals(evaluation.val_loss, 4.2);
    assertEquals([first.loss, first.skipped_steps], [4.2, 1]);
    assertEquals([second.step, second.loss], [2, NaN]);
    {
      using log = MetricsLog.resume(path, 1);
      log.append({ step: 2, loss: 4 });
    }
    assertEquals(readMetrics(path).map(({ loss }) => loss), [
      undefined,
      4.2,
      4,
    ]);
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
      '{"step":-1,"loss":2}',
      '{"step":null,"loss":2}',
      '{"loss":2,"time":1}',
      '{"step":1,"loss":2,"note":"x"}',
      '{"step":1,"loss":[2]}',
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
