import { assertEquals } from "@std/assert";
import { describeRow, measureOf } from "../../lib/report/measures.ts";
import { resultOf } from "../../lib/report/result.ts";

Deno.test("a measure is called by its split and its name, in words", () => {
  const titles: Record<string, string> = {
    loss: "Training loss",
    train_loss: "Training loss",
    val_loss: "Validation loss",
    eval_loss: "Validation loss",
    test_accuracy: "Test accuracy",
    eval_f1: "Validation F1",
    mean_token_accuracy: "Training token accuracy",
    eval_mean_token_accuracy: "Validation token accuracy",
    perplexity: "Perplexity",
    eval_perplexity: "Validation perplexity",
    learning_rate: "Learning rate",
    grad_norm: "Gradient norm",
    num_tokens: "Tokens seen",
    rows_cut_short: "Rows cut short",
  };
  for (const [name, title] of Object.entries(titles)) {
    assertEquals(measureOf(name).title, title);
  }
});

Deno.test("values are read as what they are", () => {
  assertEquals(measureOf("eval_accuracy").text(0.9767), "97.67 %");
  assertEquals(measureOf("eval_loss").text(0.65712), "0.6571");
  assertEquals(measureOf("num_tokens").text(1234567), "1,234,567");
  assertEquals(measureOf("learning_rate").text(5e-5), "5.00e-5");
  assertEquals(measureOf("loss").text(NaN), "not finite");
  assertEquals(measureOf("something_else").text(0.123456789), "0.12346");
  assertEquals(measureOf("eval_loss").better, "lower");
  assertEquals(measureOf("eval_f1").better, "higher");
  assertEquals(measureOf("grad_norm").better, undefined);
});

Deno.test("a row is a line of its numbers, without clocks and counters", () => {
  const pretraining = {
    step: 10,
    loss: 4.16789,
    learning_rate: 1e-3,
    grad_norm: 2.1234,
    tokens_per_second: 5120,
    time: 1.5,
    loss_scale: 65536,
    skipped_steps: 0,
  };
  assertEquals(
    describeRow(pretraining),
    "step 10: loss 4.1679, lr 1.00e-3, norm 2.123, 5120 tok/s",
  );
  assertEquals(
    describeRow({ step: 60, train_loss: 3, val_loss: 3.5, perplexity: 33.1 }),
    "step 60: train loss 3.0000, val loss 3.5000, perplexity 33.10",
  );
  assertEquals(
    describeRow({
      step: 20,
      eval_loss: 0.5,
      eval_mean_token_accuracy: 0.75,
      eval_f1: 0.5,
      epoch: 1.25,
      num_tokens: 4096,
      time: 9,
    }),
    "step 20: eval loss 0.5000, eval token accuracy 75.00 %, eval f1 50.00 %, epoch 1.25",
  );
});

Deno.test("a run's result is its last evaluation, and its best where that is another", () => {
  const rows = [
    { step: 0, eval_loss: 2, eval_accuracy: 0.5, time: 0 },
    { step: 9, loss: 1, mean_token_accuracy: 0.4, epoch: 0.5, time: 1 },
    { step: 10, eval_loss: 0.25, eval_accuracy: 0.8, time: 2 },
    { step: 20, eval_loss: 0.5, eval_accuracy: 0.9, time: 3 },
  ];
  assertEquals(resultOf(rows), [
    ["Steps", "20"],
    ["Epoch", "0.50"],
    ["Validation loss", "0.5000"],
    ["Validation accuracy", "90.00 %"],
    ["Training loss", "1.0000"],
    ["Training token accuracy", "40.00 %"],
    ["Best validation loss", "0.2500 at step 10"],
  ]);
});

Deno.test("a validation that was never finite has no best", () => {
  const rows = [{ step: 0, eval_loss: NaN }, { step: 1, eval_loss: NaN }];
  assertEquals(resultOf(rows), [
    ["Steps", "1"],
    ["Validation loss", "not finite"],
  ]);
  assertEquals(resultOf([]), [["Steps", "0"]]);
});
