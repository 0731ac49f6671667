/** Prints lines per folder, and the files that have outgrown one idea. */

import { filesEndingIn, read } from "./source_tree.ts";

/** The most lines a file should have, by its ending. */
const CEILINGS: Readonly<Record<string, number>> = { ".ts": 250, ".wgsl": 150 };

const perFolder = new Map<string, number>();
const tall: string[] = [];

for (const [ending, ceiling] of Object.entries(CEILINGS)) {
  for (const path of filesEndingIn(ending)) {
    const lines = read(path).split("\n").length - 1;
    const folder = path.split("/").slice(0, -1).slice(0, 2).join("/") || ".";
    perFolder.set(folder, (perFolder.get(folder) ?? 0) + lines);
    if (lines > ceiling) tall.push(row(lines, `${path} (at most ${ceiling})`));
  }
}

const total = [...perFolder.values()].reduce((sum, lines) => sum + lines, 0);
const folders = [...perFolder].toSorted().map(([name, n]) => row(n, name));
console.log([...folders, row(total, "in all")].join("\n"));
if (tall.length > 0) console.log(["\nTaller than wanted:", ...tall].join("\n"));

function row(lines: number, what: string): string {
  return `${String(lines).padStart(6)}  ${what}`;
}
