"""The texts of `make check-exact`: those of tokens_texts.py, more that break split patterns and normalisers, and 26 languages.

    nasty() -> list of str      own(added) -> list of str, texts around a vocabulary's own added tokens      handbook() -> list of str
"""
import itertools
import json
import random

import tokens_texts
from exact_assets import CACHE

LONG = 100_000
ENDINGS = ["s", "t", "re", "ve", "m", "ll", "d"]


def words():
    """100 kB each."""
    generator = random.Random(5)
    letters = "etaoinshrdlucmfwyp"
    yield "a" * LONG
    yield "ab" * (LONG // 2)
    yield "\u00e9" * (LONG // 2)
    yield "\u6570" * (LONG // 3)
    yield "".join(generator.choice(letters) for _ in range(LONG))
    yield "".join(generator.choice(letters).upper() if generator.random() < 0.5 else generator.choice(letters) for _ in range(LONG // 5))
    yield "7" * (LONG // 5)
    yield " " * (LONG // 5)
    yield "\n" * (LONG // 5)
    yield "=-" * (LONG // 10)
    yield "e\u0301" * (LONG // 15)
    yield "\U0001f600" * (LONG // 20)


def contractions():
    for quote in "'\u2019":
        for ending in ENDINGS:
            for form in dict.fromkeys([ending, ending.upper(), ending.capitalize(), ending[:-1] + ending[-1].upper()]):
                yield f"it{quote}{form} IT{quote}{form}X {quote}{form}{quote}{form}"
    # U+017F and U+212A fold to s and k.
    yield from ["it'\u017f", "'\u017f'\u017f", "IT'\u017fX \u017f\u212a", "a'\u212a", "'l\u017f 'L\u017fL", "we'\u0131 'd\u0307", "x'S's'S", "1's 2'S 3'll", "\n'll \t'RE"]


def cases():
    yield from [
        "camelCase PascalCase XMLHttpRequest HTTPServer2Go iPhone eBay McDonald's", "HELLOworld HELLOWorld helloWORLD hEllO", "aB Ab AB ab aBc ABc abC", "I'M I'm i'M DON'T Don't",
        "\u01c5ungla \u01c4UNGLA \u01c6ungla \u01c8 \u01cb \u01f2", "\u02b0A A\u02b0 a\u02b0B \u02b0\u02b1", "\u00aa\u00ba \u0294\u0295 \u1d2c\u2c7c", "\u65e5A\u672ca", "A\u0301B\u0301 a\u0301b\u0301 A\u0301b\u0301", "\u0410\u0411\u0432\u0433 \u0430\u0411 \u0410\u0430",
        "stra\u00dfe STRASSE \u1e9e \u0130stanbul \u0131I\u0130i", "\u03a3\u03a3 \u03c3\u03c2 \u038c\u03a3\u039f\u03a3", "\u0660A\u0661b", "a_B_c __A__ A_1", "snake_case_HERE kebab-CASE-here", "\U0001d400\U0001d41a\U0001d7ce \U00010400\U00010428", "\u24b6\u24d0 \u2160\u2170",
        "A/B a/b //a /\n/ a/\n", "!/\r\n//\n", "...\n\n/x", "don't/can't", "\u0e33\u0e01\u0e33 \u0eb3", "\u1100\u1161A \uac00a",
    ]


def spaces():
    for count in (2, 3, 6, 9, 13, 21, 24, 25, 40, 63, 65, 81, 127, 128, 129, 256, 300):
        yield "x" + " " * count + "y"
        yield "\n" + " " * count + "if"
        yield " " * count + "\n"
        yield "\t" * count + "x"
        yield "\n" * count + "x"
    for space in tokens_texts.SPACES:
        yield f"a{space * 2}b"
        yield f"{space}\n{space}a"
        yield f" {space}"
        yield f"{space} "
        yield f"\n{space}\n\n{space}"
    yield from ["a \r\n \r\n b", " \r", "\r", "\r\r", "\r\n", "\n\r", "a\n \n", "a \n", "a\u2028\u2029b", "  a  ", "\u3000a\u3000", " \u00a0 ", "a\u0085\u0085b", "x \t y", "x\t y", "x \t\n y", "tail   ", "tail\n\n", "tail \n \n  "]


def numbers():
    yield from ("9" * count + "x" for count in (21, 30, 33, 64, 100))
    yield from ["1234 12345 123456 1234567", "0.1.22.333.4444", "1,234,567.89", "\u0661\u0662\u0663\u0664\u0665", "\uff11\uff12\uff13\uff14", "\u00b2\u00b3\u00b9\u00bc\u00bd\u00be", "x\u00b2+y\u00b3", "\u0be7\u0be8\u0be9 \u0f21", "\u2460\u2461\u2462\u2463", "\u3007\u4e00\u4e8c\u4e09", "1a2b3c4d", "1 1 11 111", "12\u0663\u09ea5",
                "\u00e9\u00b2\u00e9", "\u2460a\u24ea1", "\U0001d7ce\U0001d7cf12", "1\u0301 12\u0301", "1_000_000 0b1010", "+49 (0)30 1234-5678", "\u4e001\u4e8c22\u4e09333"]


def normalised():
    """What NFC, NFKC, lower case and the maps of SentencePiece change, alone and among others."""
    yield from [
        "cafe\u0301 caf\u00e9 cafe\u0301s", "A\u030a \u00c5 \u212b", "\u1112\u1161\u11ab \ud55c \u1112\u1161", "\u0344 \u0308\u0301", "q\u0307\u0323 q\u0323\u0307", "\u0958 \u0915\u093c", "\ufb1d \u05d9\u05b4", "\u2126 \u03a9 \u212a K", "\uf900 \u8c48 \ufa0e", "\u0f73 \u0f71\u0f72", "\U0001d15e \U0001d157\U0001d165",
        "\ufb01 \ufb03 \u01c4 \u2122 \u2120", "\u2026 \u2025 \u2024", "\u00bd \u00b2 x\u2082", "\uff21\uff22\uff23 \uff41 \uff01\uff1f", "\uff76\uff9e \uff8a\uff9f \u30ab\u3099 \u304b\u3099", "\u3392 \u33a5 \u3231", "\u00a0a\u00a0\u2003b", "\u00ad \u200b \u200c \u200d \ufeff", "\ufdfa \ufdfb", "\u1fbf \u00b4 \u00a8", "\u0149 \u0130 \u1e9b\u0323",
        "a\u0301\u0302\u0303", "\u0301a", " \u0301", "e\u0301\u0323 e\u0323\u0301", "o\u031b\u0309 \u1edf", "Vi\u1ec7t Vie\u0323\u0302t", "\u0915\u094d\u0937 \u0995\u09cb \u0995\u09c7\u09be", "\u0b95\u0bca \u0b95\u0bc6\u0bbe", "\u1025\u102e \u1026", "\u0627\u0653 \u0622", "\uac00\u11a8 \uac01", "\u110b\u1165\u11ab\u1106\u116e\u11ab\u110c\u1161",
        "x\x01\x02y \x0b\x0c", "a\tb\nc\rd", "\u2028\u2029", "\x7f\x80\x9f", "\u0000\u0001", "na\u00efve\u2014cafe\u0301\u2026\u00bd", "\U0001f1e9\U0001f1ea e\u0301 \U0001f469\u200d\U0001f52c", "\uff5e \u301c ~ \u223c", "\u2010\u2011\u2012\u2013\u2212", "\u2018\u2019\u201c\u201d", "\u4e2d\u6587 \u4e2dx\u6587",
        "H\u00c9LLO W\u00d6RLD \u0410\u0411\u0412", "\u0390 \u1fd3", "\U0002f800 \u4e3d", "\u1e69 s\u0323\u0307 s\u0307\u0323", "   leading and trailing   ", "\u3000\u3000x\u3000", "a   b    c", "\u2581\u2581a\u2581 b", "\u2581 \u2581", " \u2581a",
    ]


def strange():
    yield from [
        "\u3400\u4dbf\U00020000\U0002a6df\U0002a700\U0002b739\U0002b820\U0002ceb0\U0002ebf0\U00030000\U000323af", "\ufffe\uffff\U0001fffe", "\ue000\uf8ff\U000f0000\U0010ffff", "\u061c\u200e\u200f\u202a\u202e\u2066\u2069", "\U000e0001\U000e0020\U000e007f", "\ufe0f\ufe0e\u20e3", "\u180e\u2060\u2064",
        "\U0001f9d1\U0001f3fb\u200d\U0001f91d\u200d\U0001f9d1\U0001f3ff", "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f", "\U0001f468\u200d\u2695\ufe0f\U0001f3c3\u200d\u2640\ufe0f", "\u261d\U0001f3fd\u270c\ufe0f", "a\u200db\u200cc", "\x1b[0;31mred\x1b[0m\x07", "\\x00\\u0000", "\x00\x00\x00 \x00a\x00", "\U00010348\U00012000\U00013000", "\u0378\u0379 \U000e0fff", "\U0001fa77\U0001fae8\U0001fac6", "\U00016e40\U00016e60 \ua7cb\ua7da", "\U00011f02\U00011f50 \U0001e4d0",
        "\\documentclass{article}\n\\usepackage{amsmath}\n\\begin{document}\n$E=mc^2$ \\textbf{x}\\\\\n\\end{document}\n", "\\left(\\frac{a_{1}^{2}}{\\sqrt[3]{b}}\\right)^{\\!\\top}", "\\(x\\) \\[y\\] $$z$$", "\\mathbb{R}^{n\\times m}\\ni\\mathbf{A}", "\\'e \\\"o \\c{c} \\~n",
        "fn main() { println!(\"{:?}\", vec![1u8; 3]); }", "std::vector<std::pair<int,int>>&& v;", "let x: &'static str = r#\"raw\"#;", "public static void main(String[] args) throws IOException {", "@decorator\nasync def f(*, a: int | None = None) -> dict[str, Any]: ...", "#define MAX(a,b) ((a)>(b)?(a):(b))\n", "if(a&&b||!c)d+=e<<2;//x\n", "\tcase 'a':\n\t\tbreak;\n", "{{#each items}}{{this}}{{/each}}", "SELECT\t*\r\nFROM\t`t`;", "`~!@#$%^&*()_+-=[]{}|;':\",./<>?", "a=>b??c?.d!==e", "<!DOCTYPE html>\n<!-- x -->\n<br/>", "x+++++y-----z", "\"\"\"doc\"\"\" '''doc''' ```code```", "0x7fff_ffff 1e-9f 0o17 100_000L", "\r\n\tint\r\n",
        "[UNK][CLS][SEP][MASK]", "a [MASK] b", "<mask> <pad> <extra_id_0>", "<0x0A><0xFF> <0x00>", "##ing a##b", "</s><s>", "\u0120the \u010a \u0100", "Ġhello", "<|begin_of_text|><|eot_id|>", "<\uff5cbegin\u2581of\u2581sentence\uff5c>a<\uff5cend\u2581of\u2581sentence\uff5c>", "[gMASK]<sop><|user|>\nhi", "<start_of_turn>user\n<end_of_turn>", "<fim_prefix>a<fim_suffix>b<fim_middle>", "<|fim_prefix|><|fim_middle|>", "<think>\n</think>", "<tool_call></tool_call>", "[INST] x [/INST]", "[TOOL_CALLS]", "\n\nHuman: hi\n\nAssistant:", "<|startoftranscript|><|en|><|0.00|>",
    ]


def mixtures(count=150):
    generator = random.Random(77)
    pools = ["abc ABC'sdtrevml.,!?-_()<|>/", " \t\n\r\u00a0\u2003\u3000\u200b\u0085", "0123456789\u0661\u00b2\u2167\u0967", "\u00e9\u0301\u0327\u4e00\u6570\u3042\ud55c\u1112\u1161\u0e01\u0e31\u0915\u094d\u0627\u064b", "\U0001f600\U0001f468\u200d\ufe0f\u2581", "\x00\x04\x06\x1d\x7f", "\u01c5\u02b0\u017f\u212a\ufb01\uff21"]
    pieces = ["the", " the", "ing", "'ll", "'RE", "return", "    ", "\n\n", "\u2581\u2581", "...", "Hello", "WORLD", "e\u0301"]
    for _ in range(count):
        parts = []
        for _ in range(generator.randint(1, 30)):
            if generator.random() < 0.3:
                parts.append(generator.choice(pieces))
            else:
                pool = generator.choice(pools)
                parts.append("".join(generator.choice(pool) for _ in range(generator.randint(1, 4))))
        yield "".join(parts)


def nasty():
    found = itertools.chain(tokens_texts.texts(CACHE / "sympy.whl"), contractions(), cases(), spaces(), numbers(), normalised(), strange(), mixtures(), words())
    return list(dict.fromkeys(found))


def own(added, limit=60):
    """Texts around added tokens, given by their contents."""
    found = []
    step = max(1, len(added) // limit)
    for content in added[::step]:
        found += [content, f"a{content}b", f"x {content} y", f"\n{content}{content}\n", f"  {content}  ", content[:-1], content.upper()]
    found.append(" x ".join(added))
    return list(dict.fromkeys(text for text in found if text))


def handbook():
    with open(CACHE / "all/handbook.ndjson", encoding="utf-8") as lines:
        return [json.loads(line)["text"] for line in lines]


if __name__ == "__main__":
    print(len(nasty()), sum(len(text.encode()) for text in nasty()), len(handbook()))
