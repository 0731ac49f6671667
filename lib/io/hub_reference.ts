/**
 * How a model on the Hugging Face hub is called: `ORG/NAME[@revision]`.
 *
 * @module
 */

/** A model on the hub, at one state of it. */
export interface ModelReference {
  /** Owner and name, such as `openai-community/gpt2`. */
  readonly id: string;
  /** A branch, a tag or a commit; `main` unless told. */
  readonly revision: string;
}

/**
 * The model that a text of the form `ORG/NAME[@revision]` names, or nothing if
 * it has another form.
 */
export function parseReference(text: string): ModelReference | undefined {
  const [id, revision = "main", ...more] = text.split("@");
  const parts = id.split("/");
  const named = parts.length === 2 && parts.every(isName) && more.length === 0;
  return named && isRevision(revision) ? { id, revision } : undefined;
}

/** Whether a text is a whole commit hash, which names one state for good. */
export function isCommit(text: string): boolean {
  return /^[0-9a-f]{40}$/.test(text);
}

/** The hub's own rules, which leave no name that means anything in a path. */
function isName(name: string): boolean {
  return /^[A-Za-z0-9_][\w.-]{0,95}$/.test(name) &&
    !/--|\.\.|[.-]$|\.git$/.test(name);
}

/** Revisions become paths in the cache, so each part must be a plain name. */
function isRevision(revision: string): boolean {
  return revision.length <= 200 &&
    revision.split("/").every((part) =>
      /^\w[\w.+-]*$/.test(part) && !/\.\.|\.$|\.(lock|tmp)$/.test(part)
    );
}
