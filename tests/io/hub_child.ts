/** Resolves a model, by the server and cache it is given, and says the folder. */

import { resolveModel } from "../../lib/io/hub.ts";

const [reference, endpoint, cache] = Deno.args;
try {
  console.log(
    await resolveModel(reference, {
      endpoint,
      cache,
      backoff: 1,
      onProgress: ({ file, received }) => console.log(`${file} ${received}`),
    }),
  );
} catch (error) {
  console.log((error as Error).message);
}
