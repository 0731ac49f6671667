/**
 * The form of a Hugging Face tokenizer.json, as far as it is written here.
 *
 * @module
 */

/** A tokenizer.json: byte-level BPE, or characters as a BPE without merges. */
export interface TokenizerJson {
  /** The only version there is. */
  readonly version: "1.0";
  /** Never written. */
  readonly truncation: null;
  /** Never written. */
  readonly padding: null;
  /** The special tokens, by id. */
  readonly added_tokens: readonly AddedTokenJson[];
  /** Never written. */
  readonly normalizer: null;
  /** How the text is cut into words; null leaves it whole. */
  readonly pre_tokenizer: PreTokenizerJson | null;
  /** Never written. */
  readonly post_processor: null;
  /** How token texts become text. */
  readonly decoder: ByteLevelJson | { readonly type: "Fuse" };
  /** The vocabulary and the merges. */
  readonly model: BpeModelJson;
}

/** A special token. */
export interface AddedTokenJson {
  /** Its id. */
  readonly id: number;
  /** Its text. */
  readonly content: string;
  /** Always false: it may stand inside a word. */
  readonly single_word: false;
  /** Always false: white space before it is kept. */
  readonly lstrip: false;
  /** Always false: white space after it is kept. */
  readonly rstrip: false;
  /** Always false: it is looked for in the text as it is. */
  readonly normalized: false;
  /** Always true: it is a control token. */
  readonly special: true;
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
  /** Never written. */
  readonly unk_token: null;
  /** Never written. */
  readonly continuing_subword_prefix: null;
  /** Never written. */
  readonly end_of_word_suffix: null;
  /** Never true. */
  readonly fuse_unk: false;
  /** Never true. */
  readonly byte_fallback: false;
  /** Whether a word that is a token needs no merges to become it. */
  readonly ignore_merges: boolean;
  /** Token texts and their ids. */
  readonly vocab: Readonly<Record<string, number>>;
  /** Pairs of token texts, first merged first, as "left right". */
  readonly merges: readonly string[];
}

/** The parts in which our tokenizers differ. */
export interface TokenizerParts {
  /** Token texts and their ids, without the special tokens. */
  readonly vocab: Iterable<readonly [string, number]>;
  /** Special tokens and their ids. */
  readonly specialTokens: ReadonlyMap<string, number>;
  /** How the text is cut. */
  readonly preTokenizer: PreTokenizerJson | null;
  /** How token texts become text. */
  readonly decoder: TokenizerJson["decoder"];
  /** Pairs in the order of merging; none by default. */
  readonly merges?: readonly (readonly [string, string])[];
  /** Whether a word that is a token needs no merges; false by default. */
  readonly ignoreMerges?: boolean;
}

/** Puts the parts of a tokenizer into Hugging Face's form. */
export function tokenizerForm(parts: TokenizerParts): TokenizerJson {
  const { vocab, specialTokens, merges = [], ignoreMerges = false } = parts;
  return {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: inOrder(specialTokens).map(([content, id]) => ({
      id,
      content,
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
      special: true,
    })),
    normalizer: null,
    pre_tokenizer: parts.preTokenizer,
    post_processor: null,
    decoder: parts.decoder,
    model: {
      type: "BPE",
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: ignoreMerges,
      vocab: Object.fromEntries(inOrder([...vocab, ...specialTokens])),
      merges: merges.map(([left, right]) => `${left} ${right}`),
    },
  };
}

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
