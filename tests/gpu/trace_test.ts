import { assert, assertEquals } from "@std/assert";
import { traceOf } from "../../lib/gpu/trace.ts";
import { traceProblems } from "../trace_format.ts";

const PROFILE = {
  slices: [
    { label: "a.run", start: 1200.5, duration: 30.25, bound: 64, flops: 7 },
    { label: "b.run", start: 1240, duration: 10.00049, bound: 32, bytes: 16 },
  ],
  spans: [
    { name: "encode", start: 1000, duration: 150 },
    { name: "submit", start: 1150, duration: 5 },
    { name: "await", start: 1160, duration: 200 },
  ],
} as const;

Deno.test("a trace follows the Trace Event Format", () => {
  const trace = JSON.parse(JSON.stringify(traceOf(PROFILE, "Some GPU")));
  assertEquals(traceProblems(trace), []);
});

Deno.test("a trace has a track for the host and one for the GPU, from 0 on", () => {
  const { traceEvents } = traceOf(PROFILE, "Some GPU");
  const names = traceEvents.filter(({ ph }) => ph === "M")
    .map(({ name, pid, args }) => [name, pid, args!.name]);
  assertEquals(names, [
    ["process_name", 1, "host"],
    ["thread_name", 1, "recording and submitting"],
    ["thread_name", 1, "waiting"],
    ["process_name", 2, "GPU"],
    ["thread_name", 2, "Some GPU"],
  ]);
  const slices = traceEvents.filter((event) => event.ph === "X");
  assertEquals(
    slices.map(({ name, pid, ts, dur }) => [name, pid, ts, dur]),
    [
      ["encode", 1, 0, 150],
      ["submit", 1, 150, 5],
      ["await", 1, 160, 200],
      ["a.run", 2, 200.5, 30.25],
      ["b.run", 2, 240, 10],
    ],
  );
  assertEquals(slices[3].args, { bytes: 64, flops: 7 });
  assertEquals(slices[4].args, { bytes: 16 });
});

Deno.test("slices of a track never overlap, whatever the clock says", () => {
  const slices = [[0, 10], [9, 5], [11, 2], [20, 5]].map((
    [start, duration],
  ) => ({ label: "a.run", start, duration, bound: 4 }));
  const trace = traceOf({ slices, spans: [] }, "Some GPU");
  assertEquals(traceProblems(trace), []);
  assertEquals(
    trace.traceEvents.flatMap((event) =>
      event.ph === "X" ? [[event.ts, event.dur]] : []
    ),
    [[0, 10], [10, 4], [14, 0], [20, 5]],
  );
});

Deno.test("an empty profile is a trace too", () => {
  const trace = traceOf({ slices: [], spans: [] }, "Some GPU");
  assertEquals(traceProblems(trace), []);
});

Deno.test("the check of traces finds what is wrong with them", () => {
  const sound = { name: "x", ph: "X", ts: 1, dur: 2, pid: 1, tid: 1 };
  const wrong: unknown[] = [
    null,
    {},
    { traceEvents: {} },
    { traceEvents: [{ ...sound, ts: "1" }] },
    { traceEvents: [{ ...sound, dur: -1 }] },
    { traceEvents: [{ ...sound, dur: undefined }] },
    { traceEvents: [{ ...sound, name: 3 }] },
    { traceEvents: [{ ...sound, ph: "Z" }] },
    { traceEvents: [{ ...sound, pid: 1.5 }] },
    { traceEvents: [{ name: "process_name", ph: "M", pid: 1, tid: 1 }] },
    { traceEvents: [sound, { ...sound, ts: 2 }] }, // overlaps, is not nested
  ];
  assertEquals(traceProblems({ traceEvents: [sound] }), []);
  for (const trace of wrong) {
    assert(traceProblems(trace).length > 0, JSON.stringify(trace));
  }
});
