/**
 * Which classes were taken for which, as a picture.
 *
 * @module
 */

import { checkConfusion, type Confusion, shortName } from "./confusion.ts";
import { type Area, type Drawing, type Label, textSize } from "./drawing.ts";
import { percent } from "./measures.ts";
import { strokesOf } from "./stroke_font.ts";

/** Extent of the cells together, unless there are few or very many classes. */
const extent = 560;
const largestCell = 96;
/** Cells smaller than this have no names beside them. */
const smallestNamed = 10;
const smallestCell = 4;
const margin = 20;

/** Heights that numbers may have. */
const numberSizes = [18, textSize, 10, 8];
const shareSize = 11;

/**
 * A confusion matrix as a picture: a row for each class, a column for each
 * answer. Colours are as strong as the share of the row; what is right is blue,
 * what is wrong is orange.
 *
 * ```ts
 * import { confusionMatrix, svgOf } from "@shaderloom/shaderloom";
 *
 * const labels = ["ham", "spam"];
 * const picture = confusionMatrix({ labels, counts: [[146, 4], [3, 147]] });
 * const svg = svgOf(picture);
 * ```
 *
 * @throws {RangeError} If counts are not a square with a row for each label.
 */
export function confusionMatrix(confusion: Confusion): Drawing {
  const { labels, counts } = checkConfusion(confusion);
  const classes = labels.length;
  const cell = Math.min(
    largestCell,
    Math.max(Math.floor(extent / classes), smallestCell),
  );
  const names = cell >= smallestNamed ? labels.map(shortName) : [];
  const size = Math.min(textSize, cell);
  const nameWidth = Math.max(0, ...names.map((name) => widthOf(name, size)));
  const turned = nameWidth > cell - 8;
  const left = margin + 24 + nameWidth;
  const top = margin + 24 + (turned ? nameWidth : names.length && size);
  const all = cell * classes;

  const widest = `${Math.max(...counts.map((row) => Math.max(...row)))}`;
  const numberSize =
    numberSizes.find((size) =>
      (size <= textSize || cell >= 64) && widthOf(widest, size) <= cell - 2
    ) ?? numberSizes[numberSizes.length - 1];

  const areas: Area[] = [];
  const texts: Label[] = [];
  names.forEach((text, i) => {
    const middle = cell * (i + 0.5);
    texts.push(
      { at: [left - 8, top + middle + size / 3], text, anchor: "end", size },
      turned
        ? {
          at: [left + middle + size / 3, top - 8],
          text,
          anchor: "start",
          size,
          upwards: true,
        }
        : { at: [left + middle, top - 8], text, anchor: "middle", size },
    );
  });
  counts.forEach((row, i) => {
    const total = row.reduce((sum, n) => sum + n, 0);
    for (let j = 0; j < classes; j++) {
      const at = [left + cell * j, top + cell * i] as const;
      const strength = row[j] / (total || 1);
      const ink = i === j ? "training" : "validation";
      const drawn = { at, width: cell, height: cell, ink, strength } as const;
      if (row[j] > 0) areas.push(drawn);
      texts.push(...cellTexts(drawn, row[j], numberSize));
    }
  });
  const grid = Array.from({ length: classes + 1 }, (_, i) => cell * i);
  return {
    width: Math.ceil(left + all + margin),
    height: Math.ceil(top + all + margin),
    title: "Confusion matrix: actual classes down, predicted classes across",
    areas,
    lines: grid.flatMap((at) => [
      {
        points: [[left + at, top], [left + at, top + all]],
        ink: "grid",
        width: 1,
      },
      {
        points: [[left, top + at], [left + all, top + at]],
        ink: "grid",
        width: 1,
      },
    ]),
    dots: [],
    texts: [
      ...texts,
      { at: [left + all / 2, margin], text: "predicted", anchor: "middle" },
      {
        at: [margin, top + all / 2],
        text: "actual",
        anchor: "middle",
        upwards: true,
      },
    ],
  };
}

/** How many, and what share of the row where there is room for it. */
function cellTexts(
  { at: [x, y], width: cell, strength }: Area,
  n: number,
  size: number,
): Label[] {
  const room = cell >= 64 && n > 0;
  const text = `${n}`;
  const hidden = n === 0 && cell < 32 || widthOf(text, size) > cell - 2;
  if (hidden) return [];
  const middle = x + cell / 2, base = y + cell / 2 + size / 3;
  const look = { anchor: "middle", inverse: strength > 0.55 } as const;
  const share = percent(strength);
  return room
    ? [
      { ...look, at: [middle, base - 8], text, size },
      { ...look, at: [middle, base + 11], text: share, size: shareSize },
    ]
    : [{ ...look, at: [middle, base], text, size }];
}

/** Width of a text in the drawing; fonts of readers may be wider than ours. */
function widthOf(text: string, size: number): number {
  return 1.1 * strokesOf(text, size).width;
}
