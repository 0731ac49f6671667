/**
 * Models from the Hugging Face hub.
 *
 * @module
 */

import { fileError } from "./file_error.ts";
import { downloadModelFiles } from "./hub_download.ts";
import { parseReference } from "./hub_reference.ts";
import type { HubOptions } from "./hub_settings.ts";

/**
 * The folder of a model: `reference` itself if there is such a folder, else the
 * one that {@linkcode downloadModel} makes of `ORG/NAME[@revision]`.
 *
 * `options` may be a function, which is not called for a folder: that needs no
 * network, nor any permission but to read it. Throws one line if it is neither.
 */
export async function resolveModel(
  reference: string,
  options: HubOptions | (() => HubOptions),
): Promise<string> {
  if (isFolder(reference)) return reference;
  return await obtain(
    reference,
    options,
    `Cannot find the model "${reference}": there is no such folder here, and`,
  );
}

/**
 * Brings the model `ORG/NAME[@revision]` from the hub into the cache, where it
 * is not there yet, and returns its folder.
 *
 * Every file is checked against its hash. A download that was cut goes on where
 * it broke off, and processes that want the same file wait for each other.
 * Throws one line saying what is in the way.
 */
export function downloadModel(
  reference: string,
  options: HubOptions,
): Promise<string> {
  return obtain(
    reference,
    options,
    `Cannot download the model "${reference}":`,
  );
}

async function obtain(
  reference: string,
  given: HubOptions | (() => HubOptions),
  failed: string,
): Promise<string> {
  const model = parseReference(reference);
  if (!model) {
    throw new RangeError(
      `${failed} models of the hub are called ORG/NAME or ORG/NAME@REVISION`,
    );
  }
  const options = typeof given === "function" ? given() : given;
  try {
    return await downloadModelFiles(model, options);
  } catch (error) {
    options.signal?.throwIfAborted();
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`${failed} ${reason}`, { cause: error });
  }
}

function isFolder(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotCapable)) return false;
    throw fileError(`look for the folder "${path}"`, error);
  }
}
