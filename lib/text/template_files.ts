/**
 * A chat template among the files of a model folder.
 *
 * @module
 */

import type { ChatTemplate } from "./chat_template.ts";
import { JsonCursor } from "./json_cursor.ts";
import { answerEnd } from "./prompt_style.ts";
import type { Tokenizer } from "./tokenizer.ts";

/**
 * The descriptions of a model folder, by the names of their files, with a
 * template of one source in them: chat_template.jinja, and the token that ends
 * an answer in tokenizer_config.json and generation_config.json.
 *
 * @throws {SyntaxError} On a description that is not JSON.
 */
export function withChatTemplate(
  files: ReadonlyMap<string, string>,
  { template, tokenizer }: {
    readonly template: ChatTemplate;
    readonly tokenizer: Tokenizer;
  },
): Map<string, string> {
  const all = new Map(files);
  all.delete("chat_template.json");
  all.set("chat_template.jinja", template.sources.default);

  const fields = (name: string) =>
    JsonCursor.parse(files.get(name) ?? "{}", name).object();
  const { chat_template: _, ...config } = fields("tokenizer_config.json");
  all.set(
    "tokenizer_config.json",
    format({
      tokenizer_class: "PreTrainedTokenizerFast",
      clean_up_tokenization_spaces: false,
      ...config,
      ...template.tokens,
    }),
  );

  const end = answerEnd(template, tokenizer);
  const generation = fields("generation_config.json");
  const { eos_token_id: named = [] } = generation;
  const ends = [...new Set([named, end].flat())];
  all.set(
    "generation_config.json",
    format({
      ...generation,
      eos_token_id: ends.length === 1 ? ends[0] : ends,
    }),
  );
  return all;
}

function format(json: unknown): string {
  return `${JSON.stringify(json, null, 2)}\n`;
}
