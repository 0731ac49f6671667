/**
 * Runs every test and every documentation example, two files at a time, and ends
 * with the plain line `N passed, N failed`. Arguments go to `deno test`: files,
 * `--filter`. `DENO_JOBS` says how many files at a time.
 *
 * @module
 */

const PERMISSIONS = [
  "--no-prompt",
  "--allow-read",
  "--allow-write",
  "--allow-env",
  "--allow-net=127.0.0.1",
  "--allow-run=deno,sh,/usr/bin/lscpu",
];

const { status, output } = await run([
  "test",
  "--doc",
  "--parallel",
  ...PERMISSIONS,
  ...Deno.args,
]);
const { passed, failed } = count(output);
// Mesa's software driver now and then dies while the process ends, long after
// the last test: said, but no test has failed.
const died = passed > 0 && failed === 0 && status.signal !== null;
if (died) {
  console.error(`warning: ${status.signal} ended the process after its tests`);
}
const failures = status.success || failed > 0 || died ? failed : 1;
if (passed + failures === 0) console.error("error: no test ran");
console.log(`${passed} passed, ${failures} failed`);
Deno.exit(passed > 0 && failures === 0 ? 0 : 1);

/** Runs deno with its output passed on as it comes, and keeps it as text. */
async function run(
  args: string[],
): Promise<{ status: Deno.CommandStatus; output: string }> {
  // Software drivers compile a device's kernels on one thread.
  const env = { DENO_JOBS: Deno.env.get("DENO_JOBS") ?? "2" };
  const child = new Deno.Command("deno", { args, env, stdout: "piped" })
    .spawn();
  const decoder = new TextDecoder();
  let output = "";
  for await (const bytes of child.stdout) {
    output += decoder.decode(bytes, { stream: true });
    for (let at = 0; at < bytes.length;) {
      at += await Deno.stdout.write(bytes.subarray(at));
    }
  }
  return { status: await child.status, output };
}

/**
 * Reads the totals from deno's own summary, its last line of the form
 * `FAILED | 7 passed (2 steps) | 1 failed | 3 ignored (2s)`. A run that broke
 * off has none, and counts as nothing passed.
 */
function count(output: string): { passed: number; failed: number } {
  // deno-lint-ignore no-control-regex
  const plain = output.replace(/\x1b\[[\d;]*m/g, "");
  const summary = /^(?:ok|FAILED) \| (\d+) passed.* \| (\d+) failed/gm;
  const [, passed, failed] = [...plain.matchAll(summary)].at(-1) ??
    [null, 0, 0];
  return { passed: Number(passed), failed: Number(failed) };
}
