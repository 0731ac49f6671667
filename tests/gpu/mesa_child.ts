/**
 * Opens two devices, and prints what Mesa was told and what the adapters are.
 *
 * @module
 */

import { Device } from "../../lib/gpu/device.ts";
import { MESA_THREADS, MESA_WIDTH } from "../../lib/gpu/mesa.ts";

using first = await Device.open();
using second = await Device.open();
const settings = [MESA_THREADS, MESA_WIDTH].map((variable) =>
  Deno.permissions.querySync({ name: "env", variable }).state === "granted"
    ? Deno.env.get(variable) ?? "unset"
    : "hidden"
);
console.log(settings.join(" "));
for (const { adapter } of [first, second]) console.log(adapter.name);
