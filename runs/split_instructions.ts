/**
 * Divides instructions as the book does, 85, 5 and 10 of 100, into files of their
 * own, and writes texts to pretrain on: those to learn from, without any form,
 * and stories.
 *
 *     deno run --allow-read --allow-write runs/split_instructions.ts instructions.json FOLDER
 *
 * @module
 */

import { join } from "node:path";
import { divideExamples, Random, stories } from "../mod.ts";

interface Row {
  readonly instruction: string;
  readonly input: string;
  readonly output: string;
}

const [file, folder] = Deno.args;
const rows: Row[] = JSON.parse(Deno.readTextFileSync(file));
const random = new Random(123);
const parts = divideExamples(rows, { train: 0.85, validation: 0.05, random });
const write = (name: string, text: string) =>
  Deno.writeTextFileSync(join(folder, name), text);

Deno.mkdirSync(folder, { recursive: true });
for (const [name, part] of Object.entries(parts)) {
  write(`${name}.json`, JSON.stringify(part, null, 2));
}
const texts = parts.train.map(({ instruction, input, output }) =>
  [instruction, input, output].filter((text) => text !== "").join("\n")
);
write("instructions.txt", texts.join("\n\n"));
write("stories.txt", stories());
