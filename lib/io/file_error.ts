/**
 * What went wrong with a file, in one line for people.
 *
 * @module
 */

/** Why the operating system refused, by its error code. */
const reasons: Readonly<Record<string, string>> = {
  EACCES: "permission denied",
  EEXIST: "a file of that name is in the way",
  EDQUOT: "the disk quota is used up",
  EINVAL: "the system does not accept that name or operation",
  EIO: "the disk reported an input/output error",
  EISDIR: "it is a folder, not a file",
  ELOOP: "its links go round in a circle",
  EMFILE: "too many files are open",
  ENAMETOOLONG: "its name is too long",
  ENOENT: "no such file or folder",
  ENOSPC: "no space left on the disk",
  ENOTDIR: "part of its path is a file, not a folder",
  EPERM: "the system does not permit it",
  EROFS: "the file system is read-only",
};

/**
 * The error to throw when `action` (such as `write "out/config.json"`) failed
 * with `cause`: one line, whatever the cause was.
 */
export function fileError(action: string, cause: unknown): Error {
  return new Error(`Cannot ${action}: ${reasonFor(cause)}`, { cause });
}

/** Whether an error says that a file or folder does not exist. */
export function isMissing(error: unknown): boolean {
  return error instanceof Deno.errors.NotFound;
}

/** Whether there is a file or folder. Throws one line where that cannot be told. */
export function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch (error) {
    if (isMissing(error)) return false;
    throw fileError(`read "${path}"`, error);
  }
}

function reasonFor(cause: unknown): string {
  if (cause instanceof Deno.errors.NotCapable) {
    // Deno's own sentence names the access and the flag that would grant it.
    return cause.message.replace(/^R/, "r");
  }
  const { code, message } = cause as { code?: unknown; message?: unknown };
  return reasons[String(code)] ?? String(message ?? cause).split("\n")[0];
}
