import { assertEquals, assertThrows } from "@std/assert";
import { join } from "@std/path";
import {
  makeFolder,
  removeStrayFiles,
  replaceFile,
  replaceFileIfChanged,
} from "../../lib/io/atomic.ts";
import { canMount, mountTmpfs } from "./tmpfs.ts";

function inFolder(run: (folder: string) => void) {
  const folder = Deno.makeTempDirSync();
  try {
    run(folder);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

function namesIn(folder: string): string[] {
  return [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
}

Deno.test("a file is replaced whole, and nothing else stays behind", () =>
  inFolder((folder) => {
    const path = join(folder, "config.json");
    replaceFile(path, "first, and longer than the second");
    replaceFile(path, new TextEncoder().encode("second"));
    assertEquals(Deno.readTextFileSync(path), "second");
    assertEquals(namesIn(folder), ["config.json"]);
  }));

Deno.test("a file is not written again when nothing has changed", () =>
  inFolder((folder) => {
    const path = join(folder, "config.json");
    assertEquals(replaceFileIfChanged(path, "a"), true);
    assertEquals(replaceFileIfChanged(path, "a"), false);
    assertEquals(replaceFileIfChanged(path, "b"), true);
    assertEquals(Deno.readTextFileSync(path), "b");
  }));

Deno.test("only what interrupted writes leave is cleaned away", () =>
  inFolder((folder) => {
    const kept = ["config.json", "model.safetensors", "next", "notes.next"];
    const stray = ["config.json.tmp", "model.safetensors.next"];
    for (const name of [...kept, ...stray]) {
      Deno.writeTextFileSync(join(folder, name), name);
    }
    Deno.mkdirSync(join(folder, "folder.tmp"));
    removeStrayFiles(folder);
    assertEquals(namesIn(folder), [...kept, "folder.tmp"].sort());
  }));

Deno.test("what is in the way is said in one line with the path", () =>
  inFolder((folder) => {
    const file = join(folder, "file");
    Deno.writeTextFileSync(file, "");
    Deno.mkdirSync(join(folder, "taken"));
    const failures: [string, () => void][] = [
      [
        `Cannot write "${join(folder, "absent", "x")}": no such file or folder`,
        () => replaceFile(join(folder, "absent", "x"), ""),
      ],
      [
        `Cannot write "${join(file, "x")}": part of its path is a file`,
        () => replaceFile(join(file, "x"), ""),
      ],
      [
        `Cannot write "${join(folder, "taken")}": it is a folder`,
        () => replaceFile(join(folder, "taken"), ""),
      ],
      [
        `Cannot make the folder "${file}": a file of that name is in the way`,
        () => makeFolder(file),
      ],
      [
        `Cannot make the folder "${join(file, "x")}": part of its path`,
        () => makeFolder(join(file, "x")),
      ],
    ];
    for (const [message, run] of failures) {
      const error = assertThrows(run, Error, message);
      assertEquals(error.message.split("\n").length, 1);
    }
  }));

Deno.test({
  name: "a full disk is reported with the bytes at stake, the old file intact",
  ignore: !canMount(),
  fn: () =>
    inFolder((folder) => {
      using _disk = mountTmpfs(folder, 256 << 10);
      const path = join(folder, "x");
      replaceFile(path, new Uint8Array(80_000));
      const { message } = assertThrows(
        () => replaceFile(path, new Uint8Array(200_000)),
        Error,
        `Cannot write "${path}": no space left on the disk (it needs 200,000 bytes, `,
      );
      const free = Number(message.match(/([\d,]+) were/)?.[1].replace(",", ""));
      assertEquals(free, 262_144 - 81_920); // The disk gives out whole pages.
      assertEquals(Deno.readFileSync(path).length, 80_000);
      assertEquals(namesIn(folder), ["x"]);
    }),
});

Deno.test({
  name: "a read-only folder is reported in one line",
  ignore: !canMount(),
  fn: () =>
    inFolder((folder) => {
      using disk = mountTmpfs(folder, 256 << 10);
      disk.makeReadOnly();
      const path = join(folder, "x");
      const { message } = assertThrows(() => replaceFile(path, "x"), Error);
      assertEquals(
        message,
        `Cannot write "${path}": the file system is read-only`,
      );
    }),
});
