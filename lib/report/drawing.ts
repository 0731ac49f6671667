/**
 * Areas, lines, dots and texts, and how they look as SVG.
 *
 * @module
 */

import { escapeMarkup } from "./markup.ts";

/** A place: x to the right, y downwards. */
export type Point = readonly [x: number, y: number];

/** What a shape is part of; this decides its colour. */
export type Ink =
  | "grid"
  | "axis"
  | "training"
  | "validation"
  | "second"
  | "third";

/** A filled rectangle. */
export interface Area {
  /** Its corner, top left. */
  readonly at: Point;
  /** Extent in x. */
  readonly width: number;
  /** Extent in y. */
  readonly height: number;
  /** What it is part of. */
  readonly ink: Ink;
  /** How strong its colour is, from 0 to 1. */
  readonly strength: number;
}

/** A line through points. */
export interface Polyline {
  /** The points, in order. */
  readonly points: readonly Point[];
  /** What it is part of. */
  readonly ink: Ink;
  /** How thick it is. */
  readonly width: number;
}

/** A filled circle. */
export interface Dot {
  /** Its middle. */
  readonly at: Point;
  /** What it is part of. */
  readonly ink: Ink;
}

/** A line of text, on its baseline. */
export interface Label {
  /** Where the text starts, has its middle, or ends. */
  readonly at: Point;
  /** What it says. */
  readonly text: string;
  /** Which part of the text `at` means. */
  readonly anchor: "start" | "middle" | "end";
  /** Height of its line; {@linkcode textSize} unless told. */
  readonly size?: number;
  /** Whether it stands on its side and reads upwards. */
  readonly upwards?: boolean;
  /** Whether it has the colour of the ground, to be read on a strong one. */
  readonly inverse?: boolean;
}

/** A picture before it is painted. */
export interface Drawing {
  /** Extent in x. */
  readonly width: number;
  /** Extent in y. */
  readonly height: number;
  /** What it shows, for those who cannot see it. */
  readonly title: string;
  /** Drawn first. */
  readonly areas: readonly Area[];
  /** Drawn over the areas, in this order. */
  readonly lines: readonly Polyline[];
  /** Drawn over the lines. */
  readonly dots: readonly Dot[];
  /** Drawn last. */
  readonly texts: readonly Label[];
}

/** Radius of a dot. */
export const dotRadius = 3;

/** Height of the letters' line. */
export const textSize = 12;

/** Colours on a light ground (distinct also to the colour-blind). */
export const light: Readonly<Record<Ink | "text" | "ground", string>> = {
  ground: "#ffffff",
  text: "#444c56",
  grid: "#e4e7eb",
  axis: "#8b949e",
  training: "#0072b2",
  validation: "#d55e00",
  second: "#00855f",
  third: "#b0528a",
};

/** Colours on a dark ground. */
const dark: Readonly<Record<keyof typeof light, string>> = {
  ground: "#14171c",
  text: "#b6bec8",
  grid: "#2b3138",
  axis: "#6b7480",
  training: "#56b4e9",
  validation: "#e69f00",
  second: "#2cc79a",
  third: "#e29ac3",
};

/**
 * A drawing as SVG: it stands alone or inside a page, stretches to its place,
 * and follows the reader's light or dark setting.
 */
export function svgOf(drawing: Drawing): string {
  const { width, height, title } = drawing;
  const areas = drawing.areas.map(({ at: [x, y], width, height, ...area }) =>
    `<rect class="${area.ink}" x="${round(x)}" y="${round(y)}" width="${
      round(width)
    }" height="${round(height)}" fill-opacity="${
      Math.round(area.strength * 1000) / 1000
    }"/>`
  );
  const lines = drawing.lines.map(({ points, ink, width }) =>
    `<polyline class="${ink}" stroke-width="${width}" points="${
      points.map(([x, y]) => `${round(x)},${round(y)}`).join(" ")
    }"/>`
  );
  const dots = drawing.dots.map(({ at: [x, y], ink }) =>
    `<circle class="${ink}" cx="${round(x)}" cy="${
      round(y)
    }" r="${dotRadius}"/>`
  );
  const texts = drawing.texts.map(svgText);
  return `<svg xmlns="http://www.w3.org/2000/svg" class="chart" role="img" viewBox="0 0 ${width} ${height}" font-family="system-ui, sans-serif" font-size="${textSize}">
<title>${escapeMarkup(title)}</title>
<style>
${rules(light)}
@media (prefers-color-scheme: dark) {
${rules(dark)}
}
.chart polyline { fill: none; stroke-linejoin: round; stroke-linecap: round; }
</style>
<rect class="ground" width="${width}" height="${height}"/>
${[...areas, ...lines, ...dots, ...texts].join("\n")}
</svg>
`;
}

function svgText({ at: [x, y], text, anchor, ...look }: Label): string {
  const attributes = [
    ...look.inverse ? [`class="inverse"`] : [],
    `x="${round(x)}" y="${round(y)}" text-anchor="${anchor}"`,
    ...look.size ? [`font-size="${look.size}"`] : [],
    ...look.upwards ? [`transform="rotate(-90 ${round(x)} ${round(y)})"`] : [],
  ];
  return `<text ${attributes.join(" ")}>${escapeMarkup(text)}</text>`;
}

function rules({ ground, text, ...inks }: typeof light): string {
  return [
    `.chart .ground { fill: ${ground}; }`,
    `.chart text { fill: ${text}; }`,
    `.chart text.inverse { fill: ${ground}; }`,
    ...Object.entries(inks).flatMap(([ink, colour]) => [
      `.chart polyline.${ink} { stroke: ${colour}; }`,
      `.chart circle.${ink}, .chart rect.${ink} { fill: ${colour}; }`,
    ]),
  ].join("\n");
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
