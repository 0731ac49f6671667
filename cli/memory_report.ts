/**
 * What training takes of memory, beside what there is.
 *
 * @module
 */

import type { Device } from "../lib/gpu/device.ts";
import { formatBytes, MEMORY_ADVICE } from "../lib/gpu/error.ts";
import type { MemoryPlan } from "../lib/train/plan.ts";

/** What a machine allows. */
export interface Allowance {
  /** The adapter's name. */
  readonly adapter: string;
  /** Bytes of one binding. */
  readonly binding: number;
  /** Bytes of one buffer. */
  readonly buffer: number;
  /** Bytes of the memory that a software adapter takes its own from, if known. */
  readonly memory:
    | { readonly total: number; readonly available: number }
    | null;
}

/** A plan, or why there can be none. */
export type Planned = MemoryPlan | RangeError;

/** Training with one flag changed. */
export interface Alternative {
  /** The flag and its value. */
  readonly flag: string;
  /** What training would then take. */
  readonly planned: Planned;
}

/** What the device allows, and what the system has if it may be asked. */
export function allowanceOf({ adapter, gpu: { limits } }: Device): Allowance {
  return {
    adapter: adapter.name,
    binding: limits.maxStorageBufferBindingSize,
    buffer: limits.maxBufferSize,
    memory: adapter.software ? systemMemory() : null,
  };
}

/** Why training surely cannot work, in a line; null if it may. */
export function misfit(
  planned: Planned,
  { adapter, memory }: Allowance,
): string | null {
  if (planned instanceof RangeError) {
    return planned.message.replace(`; ${MEMORY_ADVICE}`, "");
  }
  if (memory === null || planned.reserved <= memory.total) return null;
  return `it takes ${formatBytes(planned.reserved)}, and ${adapter} has ${
    formatBytes(memory.total)
  }`;
}

/** What training takes, what there is, and what would change it. */
export function memoryReport(
  planned: Planned,
  allowance: Allowance,
  alternatives: readonly Alternative[],
): string[] {
  const trouble = misfit(planned, allowance);
  return [
    ...planned instanceof RangeError ? [] : figures(planned, allowance),
    trouble === null ? "it fits, as far as is known" : `too much: ${trouble}`,
    ...alternatives.length > 0 ? ["", "what would change it:"] : [],
    ...rows(alternatives.map(({ flag, planned }) => [
      flag,
      planned instanceof RangeError ? "-" : formatBytes(planned.reserved),
      misfit(planned, allowance) === null ? "" : "too much",
    ])),
  ];
}

/** The plan, if it may fit; throws a line that says why not, and what would help. */
export async function requireFit(
  planned: Planned,
  allowance: Allowance,
  alternatives: () => Promise<readonly Alternative[]>,
): Promise<MemoryPlan> {
  const trouble = misfit(planned, allowance);
  if (trouble === null) return planned as MemoryPlan;
  const help = remedies(await alternatives(), allowance);
  throw new Error(
    `Cannot train: ${trouble.replace(/^Cannot/, "cannot")}${
      help ? `; ${help}` : ""
    } (see --dry-run)`,
  );
}

/** The flags that would make it fit, with what they lead to, in a line. */
function remedies(
  alternatives: readonly Alternative[],
  allowance: Allowance,
): string {
  return alternatives
    .filter(({ planned }) => misfit(planned, allowance) === null)
    .map(({ flag, planned }) =>
      `${flag} takes ${formatBytes((planned as MemoryPlan).reserved)}`
    )
    .join(", ");
}

function figures(
  plan: MemoryPlan,
  { binding, buffer, memory }: Allowance,
): string[] {
  return [
    "memory of a step:",
    ...rows([
      ["parameters", formatBytes(plan.parameters)],
      ["gradients", formatBytes(plan.gradients)],
      ["optimizer", formatBytes(plan.optimizer)],
      ["activations", formatBytes(plan.activations), "at the peak"],
      ["other", formatBytes(plan.other)],
      ["peak", formatBytes(plan.peak), "in use at once"],
      ["textures", formatBytes(plan.images), "beside them, at most"],
      [
        "held",
        formatBytes(plan.reserved),
        `${
          memory === null
            ? ""
            : `of ${formatBytes(memory.total)}, ${
              formatBytes(memory.available)
            } of them free; `
        }with what waits to be used again`,
      ],
      [
        "largest binding",
        formatBytes(plan.largestBinding),
        `of ${formatBytes(binding)}`,
      ],
      [
        "largest buffer",
        formatBytes(plan.largestBuffer),
        `of ${formatBytes(buffer)}`,
      ],
    ]),
  ];
}

function rows(cells: readonly (readonly [string, string, string?])[]) {
  const widths = [0, 1].map((column) =>
    Math.max(...cells.map((row) => row[column]!.length))
  );
  return cells.map(([name, value, note = ""]) =>
    `  ${name.padEnd(widths[0])}  ${value.padStart(widths[1])}  ${note}`
      .trimEnd()
  );
}

/** What Deno says of the system, where that was allowed. */
function systemMemory(): Allowance["memory"] {
  const asked = { name: "sys", kind: "systemMemoryInfo" } as const;
  if (Deno.permissions.querySync(asked).state !== "granted") return null;
  const { total, available } = Deno.systemMemoryInfo();
  return { total, available };
}
