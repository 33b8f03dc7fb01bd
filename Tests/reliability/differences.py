r"""Where we and another reader differ on purpose, and why ours is right: used by R08-differential.

(format, who accepts, pattern in our message, pattern in the peer's, why). Who: "peer" where we refuse what it accepts, "we" where it refuses
what we accept, "content" where both accept and read different things (there is none).
"""
TABLES = "two entries with one place, or one entry with two: which of them a text meets would be chance"
DIFFERENCES = [
    # Python's json.
    ("ndjson", "peer", r"\\\\u0000", "", r"a key with \u0000 is refused: C strings end there, and two keys could pass for one"),
    # safetensors.
    ("safetensors", "peer", r"expected '\{' at byte 8", "", "its README says that a header begins with '{'; its reader skips white space"),
    ("safetensors", "peer", r"unknown field", "", "a field beside type, shape and place may say something else of the bytes"),
    # tokenizers. It checks syntax when it loads, not what a file means.
    ("tokenizer-json", "peer", r"have one id, \d+$|is there twice|but its place makes it", "", TABLES),
    ("tokenizer-json", "peer", r"has no id between|no 'id' between", "", "ids with long gaps: tables would be as long as a number in the file says"),
    ("tokenizer-json", "peer", r"outside the byte-level alphabet", "", "such a token can never be met, and has no bytes to decode to"),
    ("tokenizer-json", "peer", r"'byte_fallback' is true, but (there are \d+ byte tokens|'.*' is no token)", "", "bytes without a token would be dropped in silence"),
    ("tokenizer-json", "peer", r"token \d+ is empty|is empty$", "", "an empty token can never be met"),
    ("tokenizer-json", "peer", r"which is no token$", "", "what stands for unknown characters is no token: they would be dropped in silence"),
    ("tokenizer-json", "peer", r"field '.*' is not known|is not known$", "", "a field that is passed over may have been meant to change the text"),
    ("tokenizer-json", "peer", r"no object with a 'type'", "", "a component without its type is taken for one that its fields happen to fit"),
    ("tokenizer-json", "peer", r"which is not supported|is not supported", "", "a setting that we do not have is refused, not passed over"),
    ("tokenizer-json", "we", "", r"missing field `", "a field that is absent has its usual value; a rule of an added token does not hold"),
    ("tokenizer-json", "we", "", r"floating point `-0\.0`, expected", "-0 is the integer 0; it takes it for a floating-point number"),
    ("tokenizer-json", "we", "", r"recursion limit exceeded", "values nested deeper than 128 where nothing is read of them"),
    ("tokenizer-json", "we", "", r"PyDecoderWrapper", "a decoder's fields that change nothing when decoding are not asked for"),
    # sentencepiece.
    ("sentencepiece", "peer", r"must be (bytes|a varint|a 32-bit float), found", "", "a field of another type than the format's is passed over as if it were not there"),
    ("sentencepiece", "peer", r"the file may be cut", "", "every field has a default: a file cut between two of them would load as another"),
    ("sentencepiece", "peer", r"is not UTF-8$", "", "strings of the format are UTF-8, and no text could hold such a piece"),
    ("sentencepiece", "we", "", r"precompiled_charsmap is invalid", "units of a trie that no rule leads to are never read; it looks at all of them"),
    ("sentencepiece", "we", "", r"piece must not include null", "a piece may hold a zero byte, as a text may: lengths say where both end"),
    # tiktoken, whose base64 passes over letters that are none, and whose int takes signs and underscores.
    ("tiktoken", "peer", r"rank \d+ is there twice|there twice, with the ranks|rank \d+ is there, but not \d+", "", TABLES),
    ("tiktoken", "peer", r"is no token: expected all 256 bytes", "", "without one of the bytes encoding fails at the first text that has it"),
    ("tiktoken", "peer", r"not a vocabulary: this is data of an unknown kind", "", "a first line whose token is no base64 does not tell a file of ranks from any other"),
    ("tiktoken", "peer", r"^empty, expected a vocabulary", "", "an empty file: no ranks, no tokens, no text that could be encoded"),
    ("tiktoken", "peer", r"the rank is no number|the rank is not below", "", "a rank in any other spelling, or larger than any vocabulary"),
    ("tiktoken", "peer", r"the token is not base64|the token is empty", "", "letters that are no base64 are dropped in silence, and another token remains"),
    # A tekken.json as our script for the peer reads it, which asks for what it needs alone.
    ("tekken", "peer", r"has not the rank|is there twice|is not base64, or empty|special_tokens: ", "", TABLES),
    ("tekken", "peer", r"is no token: expected all 256 bytes", "", "without one of the bytes encoding fails at the first text that has it"),
    ("tekken", "peer", r"not valid JSON|do not fit the \d+ tokens", "", "Python's json takes halves of surrogates; sizes that do not fit are not asked for"),
    # gguf-py reads metadata and does not ask what they mean together.
    ("gguf", "peer", r"but \d+ are left|of unknown type|cannot stand in", "", "numpy ends a slice where the file ends and says nothing"),
    ("gguf", "peer", r"an empty key", "", "names of the format are words with dots between them: nothing could ask for this one"),
    ("gguf", "peer", r"a boolean of value", "", "a truth value that is neither"),
    ("gguf", "peer", r"has offset \d+, expected \d+", "", "tensors follow each other; it maps each where its entry says, over another or past a gap"),
    ("gguf", "peer", r"holds a NUL byte", "", "names end at a zero byte for every reader in C"),
    ("gguf", "peer", r"'tokenizer\.ggml\.|token \d+ has the type|piece \d+ |entries but|unknown piece|byte pieces|vocabulary model '.*' is not supported|there is no vocabulary in it", "",
     "it reads what a vocabulary is made of, and not whether the parts make one"),
]
