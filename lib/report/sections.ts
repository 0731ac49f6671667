/**
 * What a report shows beside its numbers and curves: samples, scores of
 * classes, answers, and what of each example is learned.
 *
 * @module
 */

import type { MaskedPiece } from "../text/shown_mask.ts";
import { type ClassReport, classTableMarkup } from "./class_table.ts";
import { confusionMatrix } from "./confusion_picture.ts";
import { svgOf } from "./drawing.ts";
import { escapeMarkup } from "./markup.ts";
import { count, percent } from "./measures.ts";

/** Text that the model wrote at some step. */
export interface Sample {
  /** Updates done before it was written. */
  readonly step: number;
  /** What it wrote, the prompt included. */
  readonly text: string;
}

/** The last sample, and the earlier ones folded away. */
export function samplesMarkup(samples: readonly Sample[]): string {
  if (samples.length === 0) return "<p>None were written.</p>";
  const block = ({ step, text }: Sample) =>
    captioned(`Step ${count(step)}`, text);
  const [last, ...earlier] = samples.toReversed();
  if (earlier.length === 0) return block(last);
  return `${block(last)}
<details>
<summary>Earlier samples (${earlier.length})</summary>
${earlier.map(block).join("\n")}
</details>`;
}

/** The confusion matrix and the scores of each class. */
export function classesMarkup(report: ClassReport): string {
  const { labels, scores: { accuracy, confusion } } = report;
  const picture = confusionMatrix({ labels, counts: confusion });
  return `<figure style="max-width: ${picture.width}px">
<figcaption>Accuracy ${percent(accuracy)}</figcaption>
${svgOf(picture)}</figure>
${classTableMarkup(report)}`;
}

/** An answer that the model gave to a prompt it was not trained on. */
export interface AnsweredPrompt {
  /** What was asked. */
  readonly prompt: string;
  /** What the data answers. */
  readonly expected: string;
  /** What the model answered. */
  readonly answer: string;
  /** How much of it is right, from 0 to 1, such as its token overlap F1. */
  readonly score?: number;
}

/** Prompts, and below each what was expected beside what was answered. */
export function answersMarkup(answers: readonly AnsweredPrompt[]): string {
  return answers.map(({ prompt, expected, answer, score }) => {
    const overlap = score === undefined ? "" : ` (overlap ${percent(score)})`;
    return `<div class="answer">
${captioned("Prompt", prompt)}
<div class="sides">
${captioned("Expected", expected)}
${captioned(`Answer${overlap}`, answer)}
</div>
</div>`;
  }).join("\n");
}

/** Examples as they are trained on: a span a token, learned ones in colour. */
export function masksMarkup(
  examples: readonly (readonly MaskedPiece[])[],
): string {
  const legend =
    '<p><span class="mask"><span class="learned">learned</span> <span>not learned</span></span></p>';
  const blocks = examples.map((tokens, i) => {
    const learned = tokens.filter(({ learned }) => learned).length;
    const caption = `Example ${i + 1}: ${count(learned)} of ${
      count(tokens.length)
    } tokens are learned`;
    return `<figure><figcaption>${caption}</figcaption>
<pre class="mask">${runs(tokens).map(maskSpan).join("")}</pre></figure>`;
  });
  return [legend, ...blocks].join("\n");
}

interface Run extends MaskedPiece {
  readonly times: number;
}

/** Equal tokens in a row as one, so that padding does not fill the page. */
function runs(tokens: readonly MaskedPiece[]): Run[] {
  const found: Run[] = [];
  for (const { text, learned } of tokens) {
    if (text === "") continue; // Its character ends with a later token.
    const last = found.at(-1);
    const again = last?.text === text && last.learned === learned;
    if (again) found[found.length - 1] = { ...last, times: last.times + 1 };
    else found.push({ text, learned, times: 1 });
  }
  return found;
}

/** Fewer repeats than this are written out. */
const fewRepeats = 4;

function maskSpan({ text, learned, times }: Run): string {
  const shown = escapeMarkup(text).replaceAll("\n", "⏎\n");
  const span = `<span${learned ? ' class="learned"' : ""}>${shown}</span>`;
  return times < fewRepeats ? span.repeat(times) : `${span} × ${times} `;
}

function captioned(caption: string, text: string): string {
  return `<figure><figcaption>${escapeMarkup(caption)}</figcaption>
<pre>${escapeMarkup(text)}</pre></figure>`;
}
