import { assertEquals, assertThrows } from "@std/assert";
import { IGNORE_INDEX } from "../../lib/data/batch.ts";
import { countedPlaces } from "../../lib/data/counted_targets.ts";
import { checkStarts } from "../../lib/data/starts.ts";

Deno.test("the places of targets that count are in order, filled up to 128", () => {
  const targets = new Uint32Array(300).fill(IGNORE_INDEX);
  for (const place of [299, 0, 17]) targets[place] = place;
  const places = countedPlaces(targets)!;
  assertEquals([...places.slice(0, 4)], [0, 17, 299, 300]);
  assertEquals(new Set(places.slice(3)), new Set([300]));
  assertEquals(places.length, 128);
});

Deno.test("a multiple of 128 targets needs no filling", () => {
  const targets = new Uint32Array(300).fill(IGNORE_INDEX);
  targets.fill(1, 20, 148);
  assertEquals(
    [...countedPlaces(targets)!],
    Array.from({ length: 128 }, (_, i) => 20 + i),
  );
  targets[200] = 1;
  assertEquals(countedPlaces(targets)!.length, 256);
});

Deno.test("places are not named where that saves nothing, or none counts", () => {
  assertEquals(countedPlaces(new Uint32Array(300)), null);
  const some = new Uint32Array(300).fill(IGNORE_INDEX, 0, 40);
  assertEquals(countedPlaces(some), null); // 260 come to 384
  assertEquals(countedPlaces(new Uint32Array(300).fill(IGNORE_INDEX)), null);
  assertEquals(countedPlaces(new Uint32Array(0)), null);
});

Deno.test("documents begin at a token, or where that before them began", () => {
  checkStarts(Uint32Array.of(0, 0, 2, 0, 1, 1), [2, 3]);
  checkStarts(Uint32Array.of(0, 0, 0), [1, 3]);
  const refused: [number[], [number, number], string][] = [
    [[0, 0, 2], [2, 3], "there are 3 starts, expected 2 x 3"],
    [
      [0, 0, 2, 1, 1, 1],
      [2, 3],
      "token 0 of row 1 is of a document that begins at 1, expected 0",
    ],
    [
      [0, 0, 0, 0, 1, 0],
      [2, 3],
      "token 2 of row 1 is of a document that begins at 0, expected 1 or 2",
    ],
    [
      [0, 0, 3],
      [1, 3],
      "token 2 of row 0 is of a document that begins at 3, expected 0 or 2",
    ],
  ];
  for (const [starts, shape, message] of refused) {
    assertThrows(
      () => checkStarts(Uint32Array.from(starts), shape),
      RangeError,
      `Cannot read documents side by side: ${message}`,
    );
  }
});
