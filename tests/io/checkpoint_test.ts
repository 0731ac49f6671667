import { assert, assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import {
  hasCheckpoint,
  loadCheckpoint,
  saveCheckpoint,
} from "../../lib/io/checkpoint.ts";
import {
  readTrainingState,
  writeTrainingState,
} from "../../lib/io/training_state.ts";
import { Random } from "../../lib/random.ts";
import { killLoop } from "./kill_loop.ts";
import { assertWhole, contentAt, wholeStep } from "./run_content.ts";
import { canMount, mountTmpfs } from "./tmpfs.ts";

const width = 37;
const files = [
  "model.safetensors",
  "optimizer.safetensors",
  "training_state.json",
];

async function inFolder(run: (folder: string) => Promise<void>) {
  const folder = Deno.makeTempDirSync();
  try {
    await run(folder);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

function namesIn(folder: string): string[] {
  return [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
}

Deno.test("a checkpoint is read back whole, the latest one", () =>
  inFolder(async (folder) => {
    const out = join(folder, "a", "run");
    assertEquals(hasCheckpoint(out), false);
    await saveCheckpoint(out, contentAt(1, width));
    await saveCheckpoint(out, contentAt(2, width));
    assertEquals(hasCheckpoint(out), true);
    assertEquals(await wholeStep(out, width), 2);
    assertEquals(namesIn(out), files);
  }));

Deno.test("the same step gives the same bytes", () =>
  inFolder(async (folder) => {
    await saveCheckpoint(join(folder, "a"), contentAt(3, width));
    await saveCheckpoint(join(folder, "b"), contentAt(3, width));
    for (const name of files) {
      assertEquals(
        Deno.readFileSync(join(folder, "a", name)),
        Deno.readFileSync(join(folder, "b", name)),
      );
    }
  }));

Deno.test("a checkpoint of format 1 still loads", async () => {
  const golden = new URL("../fixtures/io/checkpoint_1/", import.meta.url);
  await inFolder(async (folder) => {
    for (const name of files) {
      Deno.copyFileSync(new URL(name, golden), join(folder, name));
    }
    using checkpoint = await loadCheckpoint(folder);
    assertEquals(assertWhole(checkpoint, 3), 7);
  });
});

Deno.test("kill -9 at any moment leaves the last step or the next", async () => {
  const { step } = await killLoop(25, 16);
  assert(step >= 25);
});

for (const lasting of [true, false]) {
  const what = lasting ? "process that ends" : "fault";
  Deno.test(`a ${what} at any file operation leaves the last step or the next`, () =>
    inFolder(async (folder) => {
      await saveCheckpoint(folder, contentAt(1, width));
      const found = new Set<string>();
      let failed = true;
      for (let operation = 0; failed; operation++) {
        assert(operation < 200);
        const before = await wholeStep(folder, width);
        {
          using failure = failAt(operation, lasting);
          await saveCheckpoint(folder, contentAt(before + 1, width)).catch(
            () => {},
          );
          failed = failure.happened();
        }
        const after = await wholeStep(folder, width);
        assert(
          after === before || after === before + 1,
          `operation ${operation}`,
        );
        found.add(after === before ? "undone" : "completed");
        assertEquals(namesIn(folder), files);
      }
      assertEquals(found, new Set(["undone", "completed"]));
    }));
}

Deno.test("a save completes an earlier one that counts before it begins", () =>
  inFolder(async (folder) => {
    for (let first = 15; first < 24; first++) {
      for (let second = 2; second < 12; second += 4) {
        await saveCheckpoint(folder, contentAt(1, width));
        for (const [step, operation] of [[2, first], [3, second]]) {
          using _end = failAt(operation, true);
          await saveCheckpoint(folder, contentAt(step, width)).catch(() => {});
        }
        await wholeStep(folder, width);
      }
    }
  }));

Deno.test("every truncation is refused with both lengths", () =>
  inFolder(async (folder) => {
    await saveCheckpoint(folder, contentAt(1, width));
    for (const name of files) {
      const path = join(folder, name);
      const whole = Deno.readFileSync(path);
      for (let i = 0; i < 200; i++) {
        const length = Math.floor(i * whole.length / 200);
        Deno.writeFileSync(path, whole.subarray(0, length));
        const message = name.endsWith(".json")
          ? `Cannot read "${path}": it was altered or cut short`
          : `Cannot resume from "${path}": it is truncated, ${length} of ${whole.length} bytes are left`;
        await assertRejects(() => loadCheckpoint(folder), Error, message);
      }
      Deno.writeFileSync(path, whole);
    }
    assertEquals(await wholeStep(folder, width), 1);
  }));

Deno.test("each of 1,000 flipped bytes is found, and the file named", () =>
  inFolder(async (folder) => {
    await saveCheckpoint(folder, contentAt(1, width));
    const random = new Random(21);
    for (let i = 0; i < 1000; i++) {
      const path = join(folder, files[i % 3]);
      const at = random.integer(Deno.statSync(path).size);
      const mask = 1 + random.integer(255);
      flip(path, at, mask);
      await assertRejects(
        () => loadCheckpoint(folder),
        Error,
        `"${path}": it `,
      );
      flip(path, at, mask);
    }
    assertEquals(await wholeStep(folder, width), 1);
  }));

Deno.test("missing parts, longer files and later formats are named", () =>
  inFolder(async (folder) => {
    const page = join(folder, "training_state.json");
    await assertRejects(
      () => loadCheckpoint(folder),
      Error,
      `Cannot read "${page}": no such file or folder`,
    );
    await saveCheckpoint(folder, contentAt(1, width));
    const model = join(folder, "model.safetensors");
    Deno.writeTextFileSync(model, "x", { append: true });
    await assertRejects(
      () => loadCheckpoint(folder),
      Error,
      `"${model}": it was`,
    );
    Deno.removeSync(model);
    await assertRejects(
      () => loadCheckpoint(folder),
      Error,
      `Cannot resume from "${model}": no such file or folder`,
    );
    const text = Deno.readTextFileSync(page);
    Deno.writeTextFileSync(
      page,
      text.replace('"format_version": 1', '"format_version": 2'),
    );
    await assertRejects(
      () => loadCheckpoint(folder),
      Error,
      `Cannot read "${page}": it has format 2`,
    );
  }));

Deno.test("hostile training states are refused in one line", () =>
  inFolder(async (folder) => {
    const path = join(folder, "training_state.json");
    const pages = ["", "null", "[]", "{}", "1", '"a"', "[".repeat(200_000)];
    pages.push('{"a":'.repeat(100_000) + "1" + "}".repeat(100_000));
    for (const page of pages) {
      Deno.writeTextFileSync(path, page);
      const { message } = await assertRejects(
        () => loadCheckpoint(folder),
        Error,
      );
      assert(
        message.startsWith(`Cannot read "${path}": it was altered`),
      );
    }
  }));

Deno.test("a state that JSON cannot keep is refused before anything is written", () =>
  inFolder(async (folder) => {
    await saveCheckpoint(folder, contentAt(1, width));
    const content = contentAt(2, width);
    for (const state of [{ a: { b: [NaN] } }, { a: { b: [-Infinity] } }]) {
      await assertRejects(
        () => saveCheckpoint(folder, { ...content, state }),
        TypeError,
        "Cannot save state.a.b.0: JSON has no way to say",
      );
    }
    for (const step of [-1, 1.5, NaN]) {
      await assertRejects(
        () => saveCheckpoint(folder, { ...content, step }),
        RangeError,
      );
    }
    assertEquals(namesIn(folder), files);
    assertEquals(await wholeStep(folder, width), 1);
  }));

Deno.test("a folder that cannot be one is named in one line", () =>
  inFolder(async (folder) => {
    const file = join(folder, "file");
    Deno.writeTextFileSync(file, "");
    for (const out of [file, join(file, "run")]) {
      const { message } = await assertRejects(
        () => saveCheckpoint(out, contentAt(1, width)),
        Error,
        `Cannot make the folder "${out}": `,
      );
      assertEquals(message.split("\n").length, 1);
    }
  }));

Deno.test({
  name: "a disk full at any point leaves the previous step",
  ignore: !canMount(),
  fn: () =>
    inFolder(async (folder) => {
      const disk = 512 << 10, wide = 1024; // 96 KiB of tensors a step.
      using _disk = mountTmpfs(folder, disk);
      await saveCheckpoint(folder, contentAt(1, wide));
      const ballast = join(folder, "ballast");
      let used = 0;
      for (const name of files) {
        used += Math.ceil(Deno.statSync(join(folder, name)).size / 4096) * 4096;
      }
      for (let point = 0; point < 20; point++) {
        const free = Math.floor(point / 20 * used / 4096) * 4096;
        Deno.writeFileSync(ballast, new Uint8Array(disk - used - free));
        const { message } = await assertRejects(
          () => saveCheckpoint(folder, contentAt(2, wide)),
          Error,
          "no space left on the disk (it needs ",
        );
        assert(message.startsWith(`Cannot write "${folder}`), message);
        assert(/[1-9][\d,]* bytes, [\d,]+ were free/.test(message), message);
        assertEquals(namesIn(folder), ["ballast", ...files]);
        assertEquals(await wholeStep(folder, wide), 1);
        Deno.removeSync(ballast);
      }
      await saveCheckpoint(folder, contentAt(2, wide));
      assertEquals(await wholeStep(folder, wide), 2);
    }),
});

/** Changes the bits of `mask` in byte `at` of a file. */
function flip(path: string, at: number, mask: number) {
  using file = Deno.openSync(path, { read: true, write: true });
  const byte = new Uint8Array(1);
  file.seekSync(at, Deno.SeekMode.Start);
  file.readSync(byte);
  byte[0] ^= mask;
  file.seekSync(at, Deno.SeekMode.Start);
  file.writeSync(byte);
}

/**
 * Until disposed of, lets `count` file operations happen and makes the next one
 * fail (a write, after writing half), or, if `lasting`, all that follow too, as
 * if the process were gone.
 */
function failAt(
  count: number,
  lasting: boolean,
): Disposable & { happened(): boolean } {
  const { openSync, renameSync, removeSync } = Deno;
  const { writeSync, syncSync } = Deno.FsFile.prototype;
  let left = count;
  const failure = new Error("failure");
  const fails = () => left-- === 0 || (lasting && left < 0);
  function counted<A extends unknown[], R>(
    operation: (this: Deno.FsFile, ...args: A) => R,
  ) {
    return function (this: Deno.FsFile, ...args: A): R {
      if (fails()) throw failure;
      return operation.apply(this, args);
    };
  }
  Object.assign(Deno, {
    openSync: counted(openSync),
    renameSync: counted(renameSync),
    removeSync: counted(removeSync),
  });
  Object.assign(Deno.FsFile.prototype, {
    syncSync: counted(syncSync),
    writeSync(this: Deno.FsFile, bytes: Uint8Array): number {
      if (!fails()) return writeSync.call(this, bytes);
      if (left === -1) writeSync.call(this, bytes.subarray(bytes.length / 2));
      throw failure;
    },
  });
  return {
    happened: () => left < 0,
    [Symbol.dispose]() {
      Object.assign(Deno, { openSync, renameSync, removeSync });
      Object.assign(Deno.FsFile.prototype, { writeSync, syncSync });
    },
  };
}

Deno.test("an adapter's weights have their own name, also where a save was cut", () =>
  inFolder(async (folder) => {
    const weightsName = "adapter_model.safetensors";
    await saveCheckpoint(folder, { ...contentAt(1, width), weightsName });
    const names = [weightsName, ...files.slice(1)];
    assertEquals(namesIn(folder), names);
    // As if the process had died when the state was written, and no more.
    for (const name of names.slice(0, 2)) {
      const path = join(folder, name);
      Deno.renameSync(path, `${path}.next`);
      Deno.writeTextFileSync(path, "of an earlier step");
    }
    {
      using checkpoint = await loadCheckpoint(folder);
      assertEquals(checkpoint.weightsName, weightsName);
      assertEquals(assertWhole(checkpoint, width), 1);
    }
    assertEquals(namesIn(folder), names);
    await saveCheckpoint(folder, { ...contentAt(2, width), weightsName });
    assertEquals(await wholeStep(folder, width), 2);
  }));

Deno.test("a state that names no weights, or two of them, is refused", () =>
  inFolder(async (folder) => {
    await saveCheckpoint(folder, contentAt(1, width));
    const { step, files: named, state } = readTrainingState(folder);
    const [weights, moments] = [
      named["model.safetensors"],
      named["optimizer.safetensors"],
    ];
    const both = {
      "model.safetensors": weights,
      "adapter_model.safetensors": weights,
      "optimizer.safetensors": moments,
    };
    writeTrainingState(folder, { step, files: both, state });
    await assertRejects(
      () => loadCheckpoint(folder),
      Error,
      "it names model.safetensors and adapter_model.safetensors",
    );
    const none = { "optimizer.safetensors": moments };
    writeTrainingState(folder, { step, files: none, state });
    await assertRejects(
      () => loadCheckpoint(folder),
      Error,
      "it does not name model.safetensors",
    );
  }));
