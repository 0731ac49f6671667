/**
 * What every chat template may call.
 *
 * @module
 */

/** The functions and constants of every template; no range is longer than `size`. */
export function globalsFor(size: number): [string, unknown][] {
  return [
    ...["true", "True"].map((name): [string, unknown] => [name, true]),
    ...["false", "False"].map((name): [string, unknown] => [name, false]),
    ...["none", "None"].map((name): [string, unknown] => [name, null]),
    ["raise_exception", (message: unknown) => {
      throw new Error(String(message));
    }],
    ["range", (...bounds: number[]) => range(bounds, size)],
    ["strftime_now", (format: string) => formatTime(new Date(), format)],
  ];
}

function range(bounds: readonly number[], size: number): number[] {
  const [start, stop] = bounds.length > 1 ? bounds : [0, bounds[0]];
  const step = bounds[2] ?? 1;
  const length = Math.max(0, Math.ceil((stop - start) / step));
  if (!(length <= size)) throw new Error(`its range has ${length} numbers`);
  return Array.from({ length }, (_, i) => start + i * step);
}

/** The formats of Python's strftime that templates use, in English. */
function formatTime(time: Date, format: string): string {
  const two = (number: number) => String(number).padStart(2, "0");
  const [weekday, month, day, year, clock] = time.toString().split(" ");
  const long = (options: Intl.DateTimeFormatOptions) =>
    time.toLocaleDateString("en-US", options);
  const parts: Record<string, string> = {
    "%": "%",
    Y: year,
    y: year.slice(-2),
    m: two(time.getMonth() + 1),
    d: day,
    b: month,
    B: long({ month: "long" }),
    a: weekday,
    A: long({ weekday: "long" }),
    H: clock.slice(0, 2),
    I: two((time.getHours() + 11) % 12 + 1),
    M: clock.slice(3, 5),
    S: clock.slice(6, 8),
    p: time.getHours() < 12 ? "AM" : "PM",
  };
  return format.replaceAll(/%(.)/g, (code, letter) => {
    if (Object.hasOwn(parts, letter)) return parts[letter];
    throw new Error(`it asks for the time as ${code}, which is not known here`);
  });
}
