/**
 * What the Hugging Face hub has of a model, and what of that we need.
 *
 * @module
 */

import type { ModelReference } from "./hub_reference.ts";
import { isCommit } from "./hub_reference.ts";
import { type Access, type Answer, ask, requireFound } from "./hub_request.ts";
import { PassingError, patiently } from "./patience.ts";
import { indexName, singleName } from "./shard_index.ts";

/** A model on the hub at one commit. */
export interface HubModel {
  /** The commit. */
  readonly commit: string;
  /** The names of its files. */
  readonly files: ReadonlySet<string>;
}

/** Longest description of a model that is read, in bytes. */
const maxDescriptionBytes = 20_000_000;

/** What goes with the weights, where a model has it. */
const companions: readonly string[] = [
  "config.json",
  "generation_config.json",
  "tokenizer.json",
  "tokenizer_config.json",
  "special_tokens_map.json",
  "added_tokens.json",
  "chat_template.jinja",
  "chat_template.json",
];

/** What makes a repository that of an adapter, where it has no model's weights. */
export const adapterNames: readonly string[] = [
  "adapter_config.json",
  "adapter_model.safetensors",
];

/** What stands in for a `tokenizer.json`. */
const tokenizerParts: readonly string[] = ["vocab.json", "merges.txt"];

/** Asks the hub which commit a revision is, and which files it has. */
export function describeModel(
  access: Access,
  { id, revision }: ModelReference,
): Promise<HubModel> {
  const url = `${access.endpoint}/api/models/${id}/revision/${
    encodeURIComponent(revision)
  }`;
  return patiently(access, async () => {
    await using answer = await ask(access, { url });
    requireFound(answer, `model ${id} with the revision ${revision}`);
    const type = answer.headers.get("content-type") ?? "none";
    if (!/^application\/json\b/.test(type)) {
      // A hotel's sign-in page, say: after signing in all is well.
      throw new PassingError(
        `the server sent ${type} instead of a description of the model`,
      );
    }
    return parseDescription(await readText(answer));
  });
}

/**
 * The files of a model, or of an adapter for one, that a folder needs to be used,
 * the weights last: one file of them, or the index of several. Never a pickle,
 * which can run code.
 */
export function neededFiles({ files }: HubModel): string[] {
  const weights = [singleName, indexName].find((name) => files.has(name));
  if (weights === undefined && adapterNames.every((name) => files.has(name))) {
    const beside = companions.filter((name) => name !== "config.json");
    return [...beside.filter((name) => files.has(name)), ...adapterNames];
  }
  if (!files.has("config.json")) throw new Error("it has no config.json");
  if (weights === undefined) {
    const others = [...files].filter((name) =>
      /^[\w.-]+\.(bin|pt|pth|gguf|h5|msgpack|onnx|safetensors)$/.test(name)
    );
    throw new Error(
      `it has no ${singleName}${
        others.length > 0
          ? `, and ${others.slice(0, 3).join(", ")} cannot be used`
          : ""
      }`,
    );
  }
  const parts = files.has("tokenizer.json") ? [] : tokenizerParts;
  return [
    ...[...companions, ...parts].filter((name) => files.has(name)),
    weights,
  ];
}

/** The description as the hub's JSON has it; what is not asked for may be anything. */
function parseDescription(text: string): HubModel {
  const wrong = (what: string) =>
    new Error(`the server's description of the model has ${what}`);
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new PassingError("the server's description of the model is broken");
  }
  const { sha, siblings } = (json ?? {}) as Record<string, unknown>;
  if (typeof sha !== "string" || !isCommit(sha)) throw wrong("no commit");
  if (!Array.isArray(siblings)) throw wrong("no list of files");
  const names = siblings.map((file: unknown) =>
    (file as Record<string, unknown> | null)?.rfilename
  ).filter((name) => typeof name === "string");
  return { commit: sha, files: new Set(names) };
}

async function readText(answer: Answer): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of answer.body()) {
    text += decoder.decode(chunk, { stream: true });
    if (text.length > maxDescriptionBytes) {
      throw new Error("the server's description of the model has no end");
    }
  }
  return text + decoder.decode();
}
