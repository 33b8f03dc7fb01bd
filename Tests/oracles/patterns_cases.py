"""Patterns of well-known tokenizers, and of every feature that the reader of patterns knows."""

GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
ENDINGS = "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
LLAMA3 = ENDINGS + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
QWEN2 = LLAMA3.replace("{1,3}", "")
UPPER, LOWER = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]", r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"
REST = r"| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
TEKKEN = rf"[^\r\n\p{{L}}\p{{N}}]?{UPPER}*{LOWER}+|[^\r\n\p{{L}}\p{{N}}]?{UPPER}+{LOWER}*|\p{{N}}" + REST
O200K = (rf"[^\r\n\p{{L}}\p{{N}}]?{UPPER}*{LOWER}+{ENDINGS}?|[^\r\n\p{{L}}\p{{N}}]?{UPPER}+{LOWER}*{ENDINGS}?"
         r"|\p{N}{1,3}") + REST
HAN = r"[\p{Han}&&[^\p{Ll}]]+"
KIMI = (r"[\p{Han}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]*[\p{Ll}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]+" + ENDINGS
        + r"?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]+[\p{Ll}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]*" + ENDINGS
        + r"?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")
DEEPSEEK3 = (r"""[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*"""
             r"|\s*[\r\n]+|\s+(?!\S)|\s+")
EXAONE = (ENDINGS + r"|[^\r\n\p{L}\p{N}]?(?:\p{L}\p{M}*(?: \p{L}\p{M}*)*)+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]?|\s*[\r\n]|\s+(?!\S)|\s+")
JAIS2 = (ENDINGS + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s{512}(?!\S)|\s{256}(?!\S)|\s{128}(?!\S)"
         r"|\s{64}(?!\S)|\s{32}(?!\S)|\s{16}(?!\S)|\s{8}(?!\S)|\s{4}(?!\S)|\s{1,2}(?!\S)|\s{1}")
BAILING = r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+"

# Read by Oniguruma's rules, as tokenizer.json files are.
RUBY = {
    "gpt2": GPT2, "llama3": LLAMA3, "qwen2": QWEN2, "tekken": TEKKEN, "o200k": O200K, "kimi-k2": KIMI, "exaone": EXAONE, "jais2": JAIS2,
    "bailing": BAILING, "deepseek3": DEEPSEEK3, "deepseek digits": r"\p{N}{1,3}", "deepseek han": "[一-龥぀-ゟ゠-ヿ]+",
    "qwen3.5": ENDINGS + r"|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
    "deepseek-llm 1": r"[\r\n]", "deepseek-llm 2": r"\s?[!-/:-~！-／：-～‘-‟　-。]+", "deepseek-llm 3": r"\s+$", "deepseek-llm 4": r"[一-龥ࠀ-一가-퟿]+",
    "deepseek-coder": r"\s?\p{P}+", "falcon": r"[\p{P}\$\+<=>\^~\|`]+", "falcon digits": "[0-9][0-9][0-9]", "bloom": r" ?[^(\s|.,!?…。，、।۔،)]+",
    "command-r": r"\p{N}", "superbpe": r"(?=(\d{3})+(?!\d))", "tiny-aya": r"\d{1,3}(?=(?:\d{3})*\b)", "chameleon": r"[\p{P}!-/:-@\[-`{-~]",
    "chameleon image": r"(IMGIMG)((A|B|C|D|E|F|G|H|I){1,4})Z", "chameleon spaces": r"([\t\n]|    |  )", "laguna": r"[^\n]+|[\n]+",
    "youtu": r"[가-힣ㄱ-ㆎ]+|[！…“”‘’—：；，、-〿︰-﹏]+|[ㄅ-ㄯ]+|[一-龥぀-ゟ゠-ヿ]+", "clip": r"<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+",
    "o200k-look": r"[^\r\n\p{L}\p{N}]?((?=[\p{L}])([^a-z]))*((?=[\p{L}])([^A-Z]))+(?:'[sS]|'[tT]|'[rR][eE])?|\p{N}{1,3}|\s+(?!\S)|\s+",
    "afmoe digits": r"\d{1,3}(?=(?:\d{3})*(?!\d))|\d{1,3}",
    # Features.
    "empty": "", "star": "x*", "star star": "(?:x*)*y", "lookahead": "(?=b)", "not lookahead": r"a(?!b)|\s(?! )", "lookbehind": r"(?<=a)b|(?<= )\S",
    "not lookbehind": r"(?<!\p{L})\p{L}", "behind alternatives": r"(?<=a|bc|\s\s)\w", "behind start": r"(?<=^)\w", "boundary": r"\b\w", "no boundary": r"\B.",
    "line start": r"^.", "line end": r".$", "line ends": r"$", "line starts": "^", "text start": r"\A.", "text end": r".\z", "last newline": r".\Z", "dot": ".", "dot all": "(?m:.)+", "dot line": ".+",
    "lazy": r"\w+?", "lazy to": r"\w+?\s", "lazy interval": r"\w{2,4}?", "lazy star": r"a.*?b", "lazy alternatives": r"(?:a|bc)+?c", "possessive": r"\w++", "possessive interval": r"\d{1,2}+",
    "possessive fails": r"\w++a|\w", "atomic": r"(?>a|ab)c|(?>\w+)\b", "atomic loop": r"(?>(?:a|b)+)c|.", "fixed optional": "a{2}?", "at most": "a{,2}", "at least": r"\s{2,}", "no interval": "a{|a{x}|{",
    "fold": "(?i)hello|k+", "fold class": "(?i)[a-z]+", "fold not class": "(?i)[^k-s]+", "fold property": r"(?i)\p{Lu}+", "fold rest": "a(?i)b|c",
    "fold off": "(?i:h(?-i)E|l)l", "fold long s": "(?i)'s|'K", "extended": r"(?x) \p{L}+  # letters" + "\n | [ ]", "comment": "a(?#no)b?", "named": r"(?<word>\w+)",
    "nested class": r"[a-c[x-z]\d]+", "and": r"[\w&&[^\d_]]+", "and not": r"[^\p{L}&&\p{Ll}]+", "and chain": r"[a-z&&c-x&&[^m]]+", "brackets": r"[]a]|[\[\]]", "dashes": "[-a]|[a-]|[a-c-e]", "bracket names": "[[:alpha:]]+|[[:punct:]]|[[:digit:][:space:]]",
    "word property": r"\p{word}+|\p{punct}", "word in class": r"[\w]+|[^\w\s]+|\W", "bracket word": "[[:word:]]+|[[:cntrl:][:blank:]]", "bracket negated": "[[:^alpha:]]+", "escapes": r"\t|\n|\r|\x20|\u00e9|\x{1F600}|\x41", "more escapes": r"\v|\f|\a|\e|\0|[\b]", "punctuation": r"\.|\-|\'|\"|\/|\\|\#", "classes": r"\d+|\w+|\s+", "not classes": r"\D+|\W+|\S+", "hex": r"\h+|\H", "line break": r"\R",
    "not property": r"\P{L}+|\p{^N}", "category letters": r"\p{L}\p{M}*", "alphabetic": r"\p{Alphabetic}+", "names": r"\p{Lowercase_Letter}+|\p{upper case letter}|\p{white_space}", "scripts": r"\p{Hiragana}+|\p{Katakana}+|\p{Hangul}+|\p{Thai}+|\p{Devanagari}+|\p{Hebrew}+|\p{Arabic}+|\p{Cyrillic}+|\p{Greek}+",
    "scripts 2": r"\p{Latin}+|\p{Han}+|\p{Common}+|\p{Inherited}+", "emoji": r"\p{Emoji}+|\p{Extended_Pictographic}", "groups": "(a(b(c|d)?)?)+|((x)|y)*z", "alternatives": "ab|a|abc|b|", "loop of nothing": "(?:|a)*b|(?:a?){3}|(?:a?b?)*c",
    "look in loop": r"(?:\w(?=\w))+", "look fails": r"(?:(?!ab)\w)+", "behind in loop": r"(?:\w(?<!e))+", "nested looks": r"\w(?=\w*(?<=e)\s)", "interval loop": "(?:ab|a|b){2,3}", "controls": r"[\x00-\x1f]+|\x7f", "not newline": r"[^\r\n]+", "marks": r"[\p{Mn}\p{Mc}]|\p{Sk}|\p{Sc}|\p{Sm}", "other": r"\p{C}|\p{Z}", "punctuation classes": r"\p{Ps}|\p{Pe}|\p{Pi}|\p{Pf}|\p{Pd}|\p{Pc}|\p{Po}",
}

# Read by fancy-regex's rules, as tiktoken does. All match some of every place, as tiktoken does not tell where it matched.
RUST = {
    "gpt2": r"""'(?:[sdmt]|ll|ve|re)| ?\p{L}++| ?\p{N}++| ?[^\s\p{L}\p{N}]++|\s++$|\s+(?!\S)|\s""",
    "cl100k": r"""'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s""",
    "o200k": O200K, "llama3": LLAMA3, "kimi": KIMI, "tekken": TEKKEN,
    "line flags": r"(?m)^.|.$|\s|(?s)..", "anchors": r"^.|.$|(?s).", "dot all": r"(?s)..|(?s).", "interval possessive": r"\w{2,3}+\w|(?s).", "interval lazy": r"\w{2}?|[\s\S]", "fold rest": "a(?i)b|c|(?s).", "fold property": r"(?i)\p{Lu}+|(?s).", "fold sharp": "(?i)ß|ss|(?s).", "script": r"\p{Script=Han}+|\p{sc=Greek}+|\pL+|(?s).", "word": r"\w+|\b.|(?s).", "braces": r"\u{e9}|\x{4e00}|\xe9|(?s).",
    "fold nested": r"(?i)[^k[^\x00-\x7f]]+|(?s).",
}
