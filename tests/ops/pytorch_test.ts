import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import * as reference from "../reference.ts";
import type { Array64 } from "../reference.ts";

/** A line of pytorch.jsonl, which pytorch.py explains. */
interface Call {
  readonly op: keyof typeof reference;
  readonly inputs: readonly Numbers[];
  readonly arguments: readonly unknown[];
  readonly output: Numbers;
  readonly dy?: readonly number[];
  readonly gradients?: readonly (readonly number[] | null)[];
}

interface Numbers {
  readonly dtype: "f32" | "u32";
  readonly shape: readonly number[];
  readonly data: readonly number[];
}

const lines = Deno.readTextFileSync(
  new URL("pytorch.jsonl", import.meta.url),
).trim().split("\n");

Deno.test("PyTorch was asked about every kind of op", () => {
  assert(lines.length >= 36);
});

for (const [number, line] of lines.entries()) {
  const call: Call = JSON.parse(line);
  const shapes = call.inputs.map(({ shape }) => `[${shape}]`).join(" ");
  Deno.test(`reference ${call.op}() is PyTorch's on ${shapes} (line ${number + 1})`, () => {
    const run = (...inputs: Array64[]) => apply(call, inputs);
    const inputs = call.inputs.map(array);

    const y = run(...inputs);
    assertEquals(y.shape, call.output.shape);
    assertClose(y.data, call.output.data, 1e-13);

    if (call.dy === undefined || call.gradients === undefined) return;
    const dy = { data: Float64Array.from(call.dy), shape: y.shape };
    for (const [input, gradient] of call.gradients.entries()) {
      if (gradient === null) continue;
      const slopes = gradient.map((_, element) =>
        reference.slope(run, inputs, { input, along: element, dy })
      );
      assertClose(slopes, gradient, 1e-8);
    }
  });
}

function apply({ op, arguments: given }: Call, inputs: Array64[]): Array64 {
  const f = reference[op] as (...given: unknown[]) => Array64;
  const value = (argument: unknown): unknown => {
    if (typeof argument === "string") return inputs[Number(argument.slice(1))];
    const plain = argument === null || argument?.constructor !== Object;
    if (plain) return argument;
    const options = Object.entries(argument).map(([name, given]) =>
      typeof given === "string" && given.startsWith("#")
        ? [name, value(given)]
        : [name, given]
    );
    return Object.fromEntries(options);
  };
  return f(...given.map(value));
}

function array({ data, shape }: Numbers): Array64 {
  return { data: Float64Array.from(data), shape };
}

function assertClose(
  actual: ArrayLike<number>,
  expected: readonly number[],
  tolerance: number,
) {
  assertEquals(actual.length, expected.length);
  expected.forEach((value, i) =>
    assertAlmostEquals(actual[i], value, tolerance * (1 + Math.abs(value)))
  );
}
