/**
 * Tuned choices as a text to keep, worth something only where they were made.
 *
 * @module
 */

/** What choices depend on. */
export interface Origin {
  /** The runtime and its version. */
  readonly runtime: string;
  /** The adapter. */
  readonly adapter: Pick<GPUAdapterInfo, "vendor" | "device" | "description">;
}

const VERSION = 1;

/**
 * The choices in a text, by class of shapes. A text that is damaged, of another
 * adapter or another runtime holds none, and `log` is told so.
 */
export function readChoices(
  text: string | null,
  origin: Origin,
  log: (line: string) => void,
): Map<string, string> {
  if (text === null) return new Map();
  let file: unknown;
  try {
    file = JSON.parse(text);
  } catch {
    file = null;
  }
  const problem = problemOf(file, origin);
  if (problem !== null) {
    log(`kept choices are not used: ${problem}`);
    return new Map();
  }
  return new Map(Object.entries((file as { choices: object }).choices));
}

/** The text that {@linkcode readChoices} reads. */
export function writeChoices(
  choices: ReadonlyMap<string, string>,
  { runtime, adapter }: Origin,
): string {
  const content = {
    version: VERSION,
    runtime,
    adapter: identity(adapter),
    choices: Object.fromEntries([...choices].toSorted()),
  };
  return `${JSON.stringify(content, null, 2)}\n`;
}

/** A short name for an origin, fit for a file. */
export function originName({ runtime, adapter }: Origin): string {
  let hash = 0x811c9dc5; // FNV-1a
  for (const byte of new TextEncoder().encode(runtime + identity(adapter))) {
    hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  }
  return hash.toString(16).padStart(8, "0");
}

function identity({ vendor, device, description }: Origin["adapter"]): string {
  return [vendor, device, description].join("/");
}

/** Why a file's choices do not hold here, or null. */
function problemOf(file: unknown, { runtime, adapter }: Origin): string | null {
  if (typeof file !== "object" || file === null) return "they are damaged";
  const found = file as Record<string, unknown>;
  const { choices } = found;
  if (found.version !== VERSION) return "they are of another version";
  if (found.adapter !== identity(adapter)) return "they are of another adapter";
  if (found.runtime !== runtime) return "they are of another runtime";
  const sound = typeof choices === "object" && choices !== null &&
    Object.values(choices).every((choice) => typeof choice === "string");
  return sound ? null : "they are damaged";
}
