import { assertAlmostEquals, assertEquals } from "@std/assert";
import { scoreAnswer } from "../../lib/text/answer_scores.ts";

// What torchmetrics makes of it; see tests/fixtures/instructions/make_fixtures.py.
const cases: {
  readonly answer: string;
  readonly expected: string;
  readonly exactMatch: number;
  readonly f1: number;
}[] = JSON.parse(
  await Deno.readTextFile(
    new URL("../fixtures/instructions/answers.json", import.meta.url),
  ),
);

for (const { answer, expected, exactMatch, f1 } of cases) {
  const about = `${JSON.stringify(answer)} for ${JSON.stringify(expected)}`;
  Deno.test(`${about} is worth what SQuAD's script says`, () => {
    const scores = scoreAnswer(answer, expected);
    assertEquals(scores.exactMatch, exactMatch);
    assertAlmostEquals(scores.f1, f1, 1e-6); // theirs is in single precision
    assertEquals(scoreAnswer(expected, answer), scores);
  });
}
