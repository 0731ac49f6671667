import { assertEquals } from "@std/assert";
import { crc32, inflateSync } from "node:zlib";

/** Width, height and a function from a place to its colour. */
export function decodePng(file: Uint8Array) {
  const signature = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
  assertEquals([...file.subarray(0, 8)], signature);
  const view = new DataView(file.buffer, file.byteOffset);
  const chunks = new Map<string, Uint8Array>();
  for (let at = 8; at < file.length;) {
    const length = view.getUint32(at);
    const type = String.fromCharCode(...file.subarray(at + 4, at + 8));
    const sum = crc32(file.subarray(at + 4, at + 8 + length));
    assertEquals(view.getUint32(at + 8 + length), sum, type);
    chunks.set(type, file.subarray(at + 8, at + 8 + length));
    at += 12 + length;
  }
  assertEquals([...chunks.keys()], ["IHDR", "IDAT", "IEND"]);
  const header = chunks.get("IHDR")!;
  assertEquals([...header.subarray(8)], [8, 2, 0, 0, 0]);
  const size = new DataView(header.buffer, header.byteOffset);
  const width = size.getUint32(0), height = size.getUint32(4);
  const rows = inflateSync(chunks.get("IDAT")!);
  assertEquals(rows.length, (3 * width + 1) * height);
  const colour = (x: number, y: number) => {
    const at = (3 * width + 1) * y + 1 + 3 * x;
    return [...rows.subarray(at, at + 3)];
  };
  return { width, height, colour };
}
