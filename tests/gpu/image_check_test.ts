import { assert, assertEquals } from "@std/assert";
import { Device } from "../../lib/gpu/device.ts";
import { loadsImages } from "../../lib/gpu/image_check.ts";

Deno.test("images give what they hold", async () => {
  using device = await Device.open();
  assert(await loadsImages(device.gpu));
});

Deno.test("images that give zeros for half of the lanes are seen", async () => {
  using device = await Device.open();
  const { gpu } = device;
  const half: Pick<GPUQueue, "submit" | "writeTexture"> = {
    submit: (buffers) => gpu.queue.submit(buffers),
    writeTexture: (to, data: Float32Array<ArrayBuffer>, layout, size) =>
      gpu.queue.writeTexture(to, data.slice().fill(0, 32, 64), layout, size),
  };
  const misloads = new Proxy(gpu, {
    get(_, name: keyof GPUDevice) {
      if (name === "queue") return half;
      const member = gpu[name];
      return typeof member === "function" ? member.bind(gpu) : member;
    },
  });
  assertEquals(await loadsImages(misloads), false);
});
