/**
 * A profile as a trace that Perfetto and chrome://tracing open.
 *
 * @module
 */

import type { HostSpan, Profile, Slice } from "./profiler.ts";

/** A slice of a track, in the Trace Event Format. */
export interface CompleteEvent {
  /** What it shows. */
  readonly name: string;
  /** Complete: it has a beginning and a length. */
  readonly ph: "X";
  /** What it belongs to. */
  readonly cat: string;
  /** When it began, in microseconds. */
  readonly ts: number;
  /** How long it took, in microseconds. */
  readonly dur: number;
  /** The process. */
  readonly pid: number;
  /** The thread of the process. */
  readonly tid: number;
  /** What a viewer shows of it besides. */
  readonly args?: Readonly<Record<string, number>>;
}

/** What a process or thread is called. */
export interface MetadataEvent {
  /** Whether it names a process or a thread. */
  readonly name: "process_name" | "thread_name";
  /** Metadata. */
  readonly ph: "M";
  /** The process. */
  readonly pid: number;
  /** The thread of the process. */
  readonly tid: number;
  /** The name. */
  readonly args: { readonly name: string };
}

/** The content of a trace file. */
export interface Trace {
  /** Everything it shows. */
  readonly traceEvents: readonly (CompleteEvent | MetadataEvent)[];
  /** What viewers show times in. */
  readonly displayTimeUnit: "ms";
}

/** Where slices are shown: a process and one of its threads. */
interface Track {
  readonly pid: number;
  readonly tid: number;
}

const RECORDING: Track = { pid: 1, tid: 1 };
const WAITING: Track = { pid: 1, tid: 2 };
const GPU: Track = { pid: 2, tid: 1 };

/** A track of what the host did, one of its waiting, one of what the GPU did. */
export function traceOf(
  { slices, spans }: Profile,
  adapter: string,
): Trace {
  const zero = [...slices, ...spans].reduce(
    (least, { start }) => Math.min(least, start),
    Infinity,
  );
  const waits = ({ name }: HostSpan) => name === "await";
  return {
    traceEvents: [
      named("process_name", RECORDING, "host"),
      named("thread_name", RECORDING, "recording and submitting"),
      named("thread_name", WAITING, "waiting"),
      named("process_name", GPU, "GPU"),
      named("thread_name", GPU, adapter),
      ...track(RECORDING, "host", spans.filter((span) => !waits(span)), zero),
      ...track(WAITING, "host", spans.filter(waits), zero),
      ...track(
        GPU,
        "gpu",
        slices.map((slice) => ({ ...slice, name: slice.label })),
        zero,
      ),
    ],
    displayTimeUnit: "ms",
  };
}

/** Slices side by side: viewers drop one that begins before the last has ended. */
function track(
  place: Track,
  cat: string,
  slices: readonly (Timed & Partial<Slice>)[],
  zero: number,
): CompleteEvent[] {
  let free = 0;
  return slices.map(({ name, start, duration, bytes, bound, flops }) => {
    const end = rounded(start + duration - zero);
    const ts = Math.max(free, rounded(start - zero));
    const dur = rounded(Math.max(0, end - ts));
    free = rounded(ts + dur);
    const moved = bytes ?? bound;
    const args = {
      ...(moved !== undefined && { bytes: moved }),
      ...(flops !== undefined && { flops }),
    };
    return {
      name,
      ph: "X",
      cat,
      ts,
      dur,
      ...place,
      ...(moved !== undefined && { args }),
    };
  });
}

/** What has a name, a beginning and a length. */
interface Timed {
  readonly name: string;
  readonly start: number;
  readonly duration: number;
}

function named(
  name: MetadataEvent["name"],
  track: Track,
  what: string,
): MetadataEvent {
  return { name, ph: "M", ...track, args: { name: what } };
}

/** To the nanosecond: what is finer is noise, and takes space. */
function rounded(microseconds: number): number {
  return Math.round(1000 * microseconds) / 1000;
}
