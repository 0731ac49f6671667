import {
  assert,
  assertEquals,
  assertLess,
  assertMatch,
  assertRejects,
  assertThrows,
} from "@std/assert";
import { join } from "@std/path";
import { downloadModel } from "../../lib/io/hub.ts";
import { Random } from "../../lib/random.ts";
import { cut, partOf, weights } from "./fake_hub.ts";
import { assertWhole, large, largeFiles, withHub } from "./hub_cases.ts";

Deno.test("a download that is cut at 50 places goes on from each", () =>
  withHub(async (server, options) => {
    const random = new Random(50);
    const { length } = server.files.get(large)!;
    const places = Array.from({ length: 50 }, () => random.integer(length))
      .sort((a, b) => a - b);
    let cuts = 0;
    server.store.behave = (request, usual) => {
      const [, from = "0"] =
        /bytes=(\d+)-/.exec(request.headers.get("range") ?? "") ?? [];
      if (cuts === places.length) return usual();
      return cut(usual(), Math.max(1, places[cuts++] - Number(from)));
    };
    const folder = await downloadModel("org/tiny", options);
    await assertWhole(server, folder);
    const starts = server.store.asked.map(({ headers }) =>
      Number(/bytes=(\d+)-/.exec(headers.get("range") ?? "")?.[1] ?? 0)
    );
    assertEquals(starts.length, 51);
    // What has come is never asked for again.
    assertEquals(starts, starts.toSorted((a, b) => a - b));
    assert(starts.slice(1).every((start, i) => start >= places[i] - 1));
    assert(
      server.store.asked.slice(1).every(({ headers }) =>
        headers.get("if-range")
      ),
    );
  }));

Deno.test("a download that was given up goes on the next time", () =>
  withHub(async (server, options) => {
    const stop = new AbortController();
    const { length } = server.files.get(large)!;
    server.store.behave = (_, usual) => cut(usual(), length >> 1);
    await assertRejects(
      () =>
        downloadModel("org/tiny", {
          ...options,
          signal: stop.signal,
          onProgress: ({ file, received, total }) => {
            const enough = file === large && received > total / 3;
            if (enough) stop.abort(new Error("enough"));
          },
        }),
      Error,
      "enough",
    );
    const [part] = largeFiles(options);
    assertMatch(part, /\.incomplete$/);

    server.store.asked.length = 0;
    server.store.behave = (_, usual) => usual();
    await assertWhole(server, await downloadModel("org/tiny", options));
    assertEquals(server.store.asked.length, 1);
    const range = server.store.asked[0].headers.get("range");
    assert(
      Number(/bytes=(\d+)-/.exec(range ?? "")?.[1]) > length / 4,
      `${range}`,
    );
  }));

Deno.test("a server that ignores ranges starts again, and is not believed for long", () =>
  withHub(async (server, options) => {
    const whole = server.files.get(large)!;
    let times = 0;
    const always = () =>
      new Response(whole, {
        headers: { "content-length": String(whole.length) },
      });
    server.store.behave = () => {
      times++;
      return times < 5 ? cut(always(), 40_000 * times) : always();
    };
    await assertWhole(server, await downloadModel("org/tiny", options));

    const other = { ...options, cache: join(options.cache, "other") };
    times = 0;
    server.store.behave = () => {
      times++;
      return cut(always(), 10_000);
    };
    await assertRejects(
      () => downloadModel("org/tiny", other),
      Error,
      "the connection",
    );
    assertLess(times, 10);
  }));

Deno.test("ranges that are not what was asked for are not used", () =>
  withHub(async (server, options) => {
    const bytes = server.files.get(large)!;
    const { length } = bytes;
    const ranges = [
      (from: number) => `bytes ${from + 1}-${length - 1}/${length}`,
      (from: number) => `bytes ${from - 1}-${length - 1}/${length}`,
      (from: number) => `bytes 0-${length - 1}/${length + 0 * from}`,
      (from: number) => `bytes ${from}-${length - 2}/${length}`,
      (from: number) => `bytes ${from}-${length}/${length + 1}`,
      (from: number) => `bytes ${from}-${length - 1}/${length + 1}`,
      (from: number) => `bytes */${length + 0 * from}`,
      () => "lines 1-2/3",
      () => "",
    ];
    for (const [i, range] of ranges.entries()) {
      const cache = join(options.cache, `${i}`);
      let cuts = 0;
      server.store.behave = (request, usual) => {
        const asked = request.headers.get("range");
        if (!asked) return cuts++ === 0 ? cut(usual(), 1000) : usual();
        const from = Number(/\d+/.exec(asked)![0]);
        // Wrong bytes, so that using them shows.
        const headers = { "content-range": range(from), etag: '"x"' };
        return new Response(bytes.slice(7, 7 + length - from), {
          status: 206,
          headers,
        });
      };
      const folder = await downloadModel("org/tiny", { ...options, cache });
      await assertWhole(server, folder);
    }
  }));

Deno.test("content that changes under way does not get through", () =>
  withHub(async (server, options) => {
    const good = server.files.get(large)!;
    const other = weights(50_000, 99);
    // A part of the other first, which its server then no longer has.
    let times = 0;
    server.store.behave = (request) =>
      times++ === 0
        ? cut(partOf(other, request, { etag: '"other"' }), 60_000)
        : partOf(good, request, { etag: '"good"' });
    await assertWhole(server, await downloadModel("org/tiny", options));
    assertEquals(times, 2);

    // The same, but the server forgets to look at the condition.
    const careless = { ...options, cache: join(options.cache, "careless") };
    times = 0;
    server.store.behave = ({ headers }) => {
      const range = headers.get("range");
      const request = new Request("http://x", {
        headers: range ? { range } : {},
      });
      return times++ === 0
        ? cut(partOf(other, request), 60_000)
        : partOf(good, request);
    };
    await assertRejects(
      () => downloadModel("org/tiny", careless),
      Error,
      "model.safetensors is not what the hub says: its hash is",
    );
    assertEquals(largeFiles(careless), []);
    await assertWhole(server, await downloadModel("org/tiny", careless));
  }));

Deno.test("a part of something else that lay there is started again", () =>
  withHub(async (server, options) => {
    const folder = await downloadModel("org/tiny", options);
    const blob = Deno.realPathSync(join(folder, large));
    const { length } = server.files.get(large)!;
    for (const size of [1000, length, length + 5]) {
      Deno.removeSync(blob);
      Deno.writeFileSync(`${blob}.incomplete`, new Uint8Array(size));
      await assertWhole(server, await downloadModel("org/tiny", options));
    }
  }));

Deno.test("what has another hash is deleted and refused", () =>
  withHub(async (server, options) => {
    server.store.behave = (request) => partOf(weights(50_000, 2), request);
    await assertRejects(
      () => downloadModel("org/tiny", options),
      Error,
      'Cannot download the model "org/tiny": model.safetensors is not what',
    );
    assertEquals(largeFiles(options), []);

    // Small files are checked as well.
    const small = { ...options, cache: join(options.cache, "small") };
    server.hub.behave = (request, usual) =>
      request.method === "GET" && request.url.endsWith("/small/config.json")
        ? new Response('{"model_type":"evil"}')
        : usual();
    await assertRejects(
      () => downloadModel("org/tiny", small),
      Error,
      "config.json is not what the hub says",
    );
    const model = join(small.cache, "models--org--tiny");
    assertEquals([...Deno.readDirSync(join(model, "blobs"))], []);
    assertThrows(
      () => Deno.statSync(join(model, "refs")),
      Deno.errors.NotFound,
    );
    assertThrows(
      () => Deno.statSync(join(model, "snapshots")),
      Deno.errors.NotFound,
    );
  }));
