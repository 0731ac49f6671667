/**
 * The form of a Hugging Face tokenizer.json, as far as it is written here.
 *
 * @module
 */

/** A step as published, which goes by its type; what else it has depends on that. */
export interface StepJson {
  /** The step's name. */
  readonly type: string;
}

/** A tokenizer.json: a BPE of bytes or characters. */
export interface TokenizerJson {
  /** The only version there is. */
  readonly version: "1.0";
  /** Never written. */
  readonly truncation: null;
  /** Never written. */
  readonly padding: null;
  /** The tokens that are found in the text itself, by id. */
  readonly added_tokens: readonly AddedTokenJson[];
  /** What is done to a text first; null is nothing. */
  readonly normalizer: StepJson | null;
  /** How the text is cut into words; null leaves it whole. */
  readonly pre_tokenizer: StepJson | null;
  /** Which special tokens stand around a text; null is none. */
  readonly post_processor: StepJson | null;
  /** How token texts become text. */
  readonly decoder: StepJson;
  /** The vocabulary and the merges. */
  readonly model: BpeModelJson;
}

/** A token that is found in the text itself. */
export interface AddedTokenJson {
  /** Its id. */
  readonly id: number;
  /** Its text. */
  readonly content: string;
  /** Whether it may not stand inside a word. */
  readonly single_word: boolean;
  /** Whether it takes in the white space before it. */
  readonly lstrip: boolean;
  /** Whether it takes in the white space after it. */
  readonly rstrip: boolean;
  /** Whether it is looked for after normalization. */
  readonly normalized: boolean;
  /** Whether it is a control token. */
  readonly special: boolean;
}

/** How a text is cut into words before merging. */
export type PreTokenizerJson = ByteLevelJson | {
  /** First a pattern, then bytes. */
  readonly type: "Sequence";
  /** The steps, in order. */
  readonly pretokenizers: readonly [SplitJson, ByteLevelJson];
};

/** Writes bytes as printable characters; with `use_regex` cuts as GPT-2 does. */
export interface ByteLevelJson {
  /** The step's name. */
  readonly type: "ByteLevel";
  /** Always false. */
  readonly add_prefix_space: false;
  /** Concerns offsets, which are not computed here. */
  readonly trim_offsets: boolean;
  /** Whether GPT-2's split pattern is applied. */
  readonly use_regex: boolean;
}

/** Cuts at the matches of a pattern. */
export interface SplitJson {
  /** The step's name. */
  readonly type: "Split";
  /** The regular expression, in Oniguruma's dialect. */
  readonly pattern: { readonly Regex: string };
  /** Always "Isolated": each match and each gap is a word. */
  readonly behavior: "Isolated";
  /** Always false. */
  readonly invert: false;
}

/** A byte-pair model. */
export interface BpeModelJson {
  /** The model's name. */
  readonly type: "BPE";
  /** Never written. */
  readonly dropout: null;
  /** The token for characters that have none. */
  readonly unk_token: string | null;
  /** Never written. */
  readonly continuing_subword_prefix: null;
  /** Never written. */
  readonly end_of_word_suffix: null;
  /** Whether neighbours without a token share one for the unknown. */
  readonly fuse_unk: boolean;
  /** Whether characters without a token become the tokens of their bytes. */
  readonly byte_fallback: boolean;
  /** Whether a word that is a token needs no merges to become it. */
  readonly ignore_merges: boolean;
  /** Token texts and their ids. */
  readonly vocab: Readonly<Record<string, number>>;
  /** Pairs of token texts, first merged first, as "left right" where neither has a space. */
  readonly merges: readonly (string | readonly [string, string])[];
}

/** The parts in which tokenizers differ. */
export interface TokenizerParts {
  /** Token texts and their ids; added tokens may be left out. */
  readonly vocab: Iterable<readonly [string, number]>;
  /** The tokens that are found in the text itself, by id. */
  readonly addedTokens: readonly AddedTokenJson[];
  /** How token texts become text. */
  readonly decoder: StepJson;
  /** What is done to a text first; nothing by default. */
  readonly normalizer?: StepJson | null;
  /** How the text is cut; it is left whole by default. */
  readonly preTokenizer?: StepJson | null;
  /** Which special tokens stand around a text; none by default. */
  readonly postProcessor?: StepJson | null;
  /** Pairs in the order of merging; none by default. */
  readonly merges?: readonly (readonly [string, string])[];
  /** Whether a word that is a token needs no merges; false by default. */
  readonly ignoreMerges?: boolean;
  /** What becomes of characters without a token; nothing by default. */
  readonly unknown?: UnknownJson;
}

/** What becomes of characters without a token. */
export type UnknownJson = Pick<
  BpeModelJson,
  "unk_token" | "fuse_unk" | "byte_fallback"
>;

/** Puts the parts of a tokenizer into Hugging Face's form. */
export function tokenizerForm(parts: TokenizerParts): TokenizerJson {
  const { addedTokens, merges = [], unknown = KNOWN } = parts;
  const added = addedTokens.map(({ content, id }) => [content, id] as const);
  return {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: addedTokens,
    normalizer: parts.normalizer ?? null,
    pre_tokenizer: parts.preTokenizer ?? null,
    post_processor: parts.postProcessor ?? null,
    decoder: parts.decoder,
    model: {
      type: "BPE",
      dropout: null,
      unk_token: unknown.unk_token,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: unknown.fuse_unk,
      byte_fallback: unknown.byte_fallback,
      ignore_merges: parts.ignoreMerges ?? false,
      vocab: Object.fromEntries(inOrder([...parts.vocab, ...added])),
      merges: merges.map(([left, right]) =>
        `${left}${right}`.includes(" ") ? [left, right] : `${left} ${right}`
      ),
    },
  };
}

// All bytes have tokens.
const KNOWN: UnknownJson = {
  unk_token: null,
  fuse_unk: false,
  byte_fallback: false,
};

/** The step that writes bytes as characters, with or without GPT-2's pattern. */
export function byteLevelForm(useRegex: boolean): ByteLevelJson {
  return {
    type: "ByteLevel",
    add_prefix_space: false,
    trim_offsets: true,
    use_regex: useRegex,
  };
}

function inOrder(
  tokens: Iterable<readonly [string, number]>,
): (readonly [string, number])[] {
  return [...tokens].sort(([, a], [, b]) => a - b);
}
