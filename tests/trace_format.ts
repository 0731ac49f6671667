/**
 * The Trace Event Format, as far as our traces use it.
 *
 * After "Trace Event Format" (Google, 2016): a JSON object with `traceEvents`;
 * complete events "X" have `ts` and `dur` in microseconds; metadata events "M"
 * name processes and threads in `args.name`.
 *
 * @module
 */

/** What would keep a viewer from showing a trace as it is meant. */
export function traceProblems(trace: unknown): string[] {
  const events = (trace as { traceEvents?: unknown } | null)?.traceEvents;
  if (!Array.isArray(events)) return ["traceEvents is no array"];
  const problems: string[] = [];
  for (const [i, event] of events.entries()) {
    const { name, ph, ts, dur, pid, tid, args } = event;
    const expect = (holds: boolean, what: string) => {
      if (!holds) problems.push(`event ${i}: ${what}`);
    };
    expect(typeof name === "string" && name !== "", "name is no text");
    expect(Number.isInteger(pid) && Number.isInteger(tid), "pid or tid");
    if (ph === "X") {
      expect(Number.isFinite(ts) && ts >= 0, "ts is no time");
      expect(Number.isFinite(dur) && dur >= 0, "dur is no time");
    } else if (ph === "M") {
      expect(name === "process_name" || name === "thread_name", "metadata");
      expect(typeof args?.name === "string", "args.name is no text");
    } else expect(false, `ph is ${ph}`);
  }
  return problems.length > 0 ? problems : overlaps(events);
}

interface Event {
  readonly name: string;
  readonly ph: string;
  readonly ts: number;
  readonly dur: number;
  readonly pid: number;
  readonly tid: number;
}

/** Slices of a track must lie beside or within each other. */
function overlaps(events: readonly Event[]): string[] {
  const problems: string[] = [];
  const tracks = Map.groupBy(
    events.filter(({ ph }) => ph === "X"),
    ({ pid, tid }) => `${pid}.${tid}`,
  );
  for (const track of tracks.values()) {
    const open: number[] = []; // the ends of the slices around
    for (const { name, ts, dur } of track.toSorted((a, b) => a.ts - b.ts)) {
      while (open.length > 0 && open.at(-1)! <= ts + 0.001) open.pop();
      if (open.length > 0 && ts + dur > open.at(-1)! + 0.001) {
        problems.push(`${name} at ${ts} overlaps what began before it`);
      }
      open.push(ts + dur);
    }
  }
  return problems;
}
