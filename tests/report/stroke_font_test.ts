import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { strokesOf } from "../../lib/report/stroke_font.ts";

const printable = Array.from(
  { length: 95 },
  (_, i) => String.fromCharCode(32 + i),
);

Deno.test("every printable character of ASCII has a shape of its own", () => {
  const shapes = new Map<string, string>();
  for (const character of printable) {
    const { strokes } = strokesOf(character, 9);
    assertEquals(strokes.length > 0, character !== " ", character);
    const shape = JSON.stringify(strokes);
    assertEquals(shapes.get(shape), undefined, character);
    shapes.set(shape, character);
    for (const [x, y] of strokes.flat()) {
      assert(x >= 0 && y >= -6 && y <= 2, `${character} at ${x}, ${y}`);
    }
  }
});

Deno.test("a text is as wide as its strokes, and grows with its size", () => {
  const text = printable.join("");
  const { strokes, width } = strokesOf(text, 9);
  const right = Math.max(...strokes.flat().map(([x]) => x));
  assert(Math.abs(right - width) < 1e-9);
  assert(Math.abs(strokesOf(text, 18).width - 2 * width) < 1e-9);
});

Deno.test("marks are left out; letters of other scripts are boxes", () => {
  assertEquals(strokesOf("é", 9), strokesOf("e", 9));
  assertEquals(strokesOf("好", 9), strokesOf("д", 9));
  assertNotEquals(strokesOf("好", 9), strokesOf(" ", 9));
});
