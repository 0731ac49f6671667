/**
 * Letters drawn with a pen, for pictures that cannot rely on any font.
 *
 * @module
 */

import type { Point } from "./drawing.ts";

/**
 * The strokes of each character on a grid: x from 0, y from 0 (top of `b`) over
 * 2 (top of `a`) and 6 (baseline) to 8 (bottom of `p`), two digits a point.
 * Curves are quadratic splines that the points pull; a point given twice is a
 * corner. A stroke that ends with `o` is closed.
 */
const glyphs: Readonly<Record<string, string>> = {
  "!": "0004 0606",
  '"': "0002 2022",
  "#": "1016 3036 0242 0444",
  "$": "4241010343450504 2026",
  "%": "00202202o 5016 44646646o",
  "&": "560100303203063654",
  "'": "0002",
  "(": "200327",
  ")": "002307",
  "*": "2024 0143 4103",
  "+": "2226 0444",
  ",": "0607",
  "-": "0333",
  ".": "0606",
  "/": "0640",
  "0": "00404606o",
  "1": "1120202026",
  "2": "010040430606464646",
  "3": "0100404313 1343460605",
  "4": "363030300404040444",
  "5": "400000000303031242460605",
  "6": "31300006464202040404",
  "7": "0040404016",
  "8": "00404303o 03434606o",
  "9": "15164640000444424242",
  ":": "0303 0606",
  ";": "0303 0607",
  "<": "4204 0446",
  "=": "0343 0545",
  ">": "0244 4406",
  "?": "010040432324 2626",
  "@": "22424525o 42456560000757",
  A: "0620 2046 1434",
  B: "0006 00303303 03434606",
  C: "414000064645",
  D: "0006 00404606",
  E: "0006 0040 0333 0646",
  F: "0006 0040 0333",
  G: "41400006464343 2343",
  H: "0006 4046 0343",
  I: "0020 1016 0626",
  J: "30360604",
  K: "0006 4004 1346",
  L: "0006 0646",
  M: "0600 0024 2440 4046",
  N: "0600 0046 4640",
  O: "00505606o",
  P: "0006 00404303",
  Q: "00505606o 3456",
  R: "0006 00404303 2346",
  S: "4140000343460605",
  T: "0040 2026",
  U: "00064640",
  V: "0026 2640",
  W: "0016 1630 3056 5660",
  X: "0046 4006",
  Y: "0023 4023 2326",
  Z: "0040 4006 0646",
  "[": "2000 0007 0727",
  "\\": "0046",
  "]": "0020 2027 2707",
  "^": "0220 2042",
  _: "0747",
  "`": "0011",
  a: "02424606o 4246",
  b: "02424606o 0006",
  c: "434202064645",
  d: "02424606o 4046",
  e: "04444444420206464545",
  f: "3010121616 0232",
  g: "02424606o 42480807",
  h: "0006 04024246",
  i: "0206 0000",
  j: "121808 1010",
  k: "0006 3204 0436",
  l: "0006",
  m: "0206 04023236 34326266",
  n: "0206 04024246",
  o: "02424606o",
  p: "02424606o 0208",
  q: "02424606o 4248",
  r: "0206 040232",
  s: "434202044446060505",
  t: "101636 0232",
  u: "02064642 4246",
  v: "0226262642",
  w: "021616163333335656565662",
  x: "0246 4206",
  y: "0226 4208",
  z: "0242424206060646",
  "{": "20101303 03131727",
  "|": "0008",
  "}": "00101323 23131707",
  "~": "05123643",
  "…": "0606 2626 4646",
};

/** Stands for a character without a glyph. */
const box = "0040 4046 4606 0600";

/** Grid units between a baseline and the next. */
const lineUnits = 9;

/** Grid units between two characters. */
const gap = 2;

/** Grid units of a space. */
const spaceUnits = 3;

/**
 * The strokes of `text`, its lines `size` high, from x = 0 on a baseline of
 * y = 0, and the width of all. Marks over letters are left out; a character
 * without a glyph is a box.
 */
export function strokesOf(
  text: string,
  size: number,
): { readonly strokes: readonly (readonly Point[])[]; readonly width: number } {
  const unit = size / lineUnits;
  const strokes: Point[][] = [];
  let left = 0;
  for (const character of text.normalize("NFD").replace(/\p{M}/gu, "")) {
    const isSpace = /\s/.test(character);
    const glyph = isSpace ? "" : glyphs[character] ?? box;
    const parts = glyph.split(" ").map(parse);
    const right = Math.max(
      0,
      ...parts.flatMap(({ points }) => points).map(xOf),
    );
    for (const { points, closed } of parts) {
      if (points.length === 0) continue;
      strokes.push(
        smooth(points, closed)
          .map(([x, y]): Point => [(left + x) * unit, (y - 6) * unit]),
      );
    }
    left += (isSpace ? spaceUnits - gap : right) + gap;
  }
  return { strokes, width: Math.max(0, left - gap) * unit };
}

function parse(stroke: string): { points: Point[]; closed: boolean } {
  const points = (stroke.match(/\d\d/g) ?? []).map((pair): Point => [
    Number(pair[0]),
    Number(pair[1]),
  ]);
  return { points, closed: stroke.endsWith("o") };
}

function xOf([x]: Point): number {
  return x;
}

/** Cuts the corners three times. (Chaikin, 1974.) */
function smooth(points: readonly Point[], closed: boolean): Point[] {
  let curve = [...points];
  for (let round = 0; round < 3; round++) {
    const ring = closed ? [...curve, curve[0]] : curve;
    const cut = ring.slice(1).flatMap((b, i): Point[] => [
      between(ring[i], b, 1 / 4),
      between(ring[i], b, 3 / 4),
    ]);
    curve = closed ? cut : [ring[0], ...cut, ring[ring.length - 1]];
  }
  return closed ? [...curve, curve[0]] : curve;
}

function between([ax, ay]: Point, [bx, by]: Point, t: number): Point {
  return [ax + (bx - ax) * t, ay + (by - ay) * t];
}
