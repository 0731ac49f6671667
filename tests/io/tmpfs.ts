/**
 * A small disk of its own, where the machine lets us have one.
 *
 * @module
 */

/** A mounted disk. */
export interface SmallDisk extends Disposable {
  /** Refuses writes from now on. */
  makeReadOnly(): void;
}

/** Whether this machine lets us mount disks; tests that need one ask first. */
export function canMount(): boolean {
  const folder = Deno.makeTempDirSync();
  const mounted = run("mount", "-t", "tmpfs", "tmpfs", folder);
  if (mounted) run("umount", folder);
  Deno.removeSync(folder);
  return mounted;
}

/** Mounts a disk of `bytes` bytes on `folder`. */
export function mountTmpfs(folder: string, bytes: number): SmallDisk {
  run("mount", "-t", "tmpfs", "-o", `size=${bytes}`, "tmpfs", folder);
  return {
    makeReadOnly: () => void run("mount", "-o", "remount,ro", folder),
    [Symbol.dispose]: () => void run("umount", folder),
  };
}

function run(command: "mount" | "umount", ...args: string[]): boolean {
  const permission = { name: "run", command: "sh" } as const;
  if (Deno.permissions.querySync(permission).state !== "granted") return false;
  try {
    return new Deno.Command("sh", {
      args: ["-c", `${command} "$@"`, "sh", ...args],
      stdout: "null",
      stderr: "null",
    }).outputSync().success;
  } catch {
    return false;
  }
}
