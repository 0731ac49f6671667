import type { MetricsRow } from "../../lib/report/metrics.ts";

/** A row of pretraining. */
export function training(step: number, loss: number): MetricsRow {
  return {
    step,
    loss,
    learning_rate: 1e-3,
    grad_norm: 1,
    tokens_per_second: 1000 + step,
    time: step,
  };
}

/** A row of an evaluation in pretraining. */
export function evaluation(step: number, loss: number): MetricsRow {
  return {
    step,
    train_loss: loss - 0.25,
    val_loss: loss,
    perplexity: Math.exp(loss),
    time: step,
  };
}

/** A run of 100 steps whose loss falls from 4 to 2. */
export const run: MetricsRow[] = Array.from({ length: 101 }, (_, step) => {
  const loss = 4 - step / 50;
  return step % 20 === 0
    ? [training(step, loss), evaluation(step, loss + 0.1)]
    : [training(step, loss)];
}).flat();
