/** A contestant whose turns take ten seconds each, or so it says. */

import { lines } from "../../bench/peers/answer.ts";

console.log("Welcome to a library");
console.log(JSON.stringify({ check: [1, 2] }));
for await (const line of lines(Deno.stdin.readable)) {
  console.log("[warning] noise");
  console.log(JSON.stringify({ seconds: 10 * Number(line) }));
}
