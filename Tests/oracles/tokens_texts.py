"""The texts that tokenizers are compared on: what breaks them, in a fixed order, and some real prose with code.

    texts(sympy_wheel) -> list of str
"""
import ast
import itertools
import random
import zipfile

SPECIALS = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<repo_name>", "<s>", "</s>", "<unk>", "<0x41>", "[INST]", "<jupyter_code>"]
SPACES = "\u0009\u000a\u000b\u000c\u000d\u0020\u0085\u00a0\u1680\u2000\u2003\u2007\u2028\u2029\u202f\u205f\u3000"
NOT_SPACES = "\u180e\u200b\u200c\u200d\u2060\ufeff"


def spaces():
    for count in (1, 2, 3, 4, 5, 7, 8, 15, 16, 17, 31, 33, 64):
        yield " " * count
        yield "a" + " " * count + "b"
        yield "x" + " " * count
        yield " " * count + "."
    for space in SPACES + NOT_SPACES:
        yield f"a{space}b"
        yield f"{space}{space}a {space}1{space} {space}"
    yield from ["\n\n\n", "a\n\nb", "a \n b", "a\r\nb\r\n", "\r\n\r\n  x", "\t\tif x:\n\t\t\treturn", " \n \n ", "a\n ", "end \n", "\u00a0 \u00a0a"]


def controls():
    yield from (f"a{chr(code)}b" for code in list(range(32)) + [127, 128, 159])
    yield from ["\x00", "\x00\x00a", "!\x04!", "a\x04\x06b \x13\x14", "\x1d?\x16?", "...\x1d...", "\x04", "\x04 a", "don\x04't"]


def scripts():
    yield from [
        "e\u0301", "\u00e9", "n\u0303a\u0300", "\u0301", "a\u0301\u0327\u0323b", "\u1112\u1161\u11ab\u1100\u1173\u11af", "\ud55c\uae00", "\u1100", "\u11a8x",
        "\u0645\u0631\u062d\u0628\u0627 \u0628\u0627\u0644\u0639\u0627\u0644\u0645", "\u0627\u0644\u0633\u0651\u064e\u0644\u0627\u0645\u064f", "\u0661\u0662\u0663 \u06f1\u06f2",
        "\u0e2a\u0e27\u0e31\u0e2a\u0e14\u0e35\u0e0a\u0e32\u0e27\u0e42\u0e25\u0e01", "\u0928\u092e\u0938\u094d\u0924\u0947 \u0926\u0941\u0928\u093f\u092f\u093e \u0967\u0968\u0969",
        "\u05e9\u05dc\u05d5\u05dd", "\u039a\u03b1\u03bb\u03b7\u03bc\u03ad\u03c1\u03b1 \u1f71\u03ac", "\u041f\u0440\u0438\u0432\u0435\u0442, \u043c\u0438\u0440!", "\u65e5\u672c\u8a9e\u306e\u30c6\u30b9\u30c8", "\u6570\u5b66\u306f\u697d\u3057\u3044\u3002",
        "\u3400\u4db5 \U00020000\U0002a6d6 \U0002b740 \U00030000 \U00031350", "\uff11\uff12\uff13\uff21\uff22\uff23", "\u2460\u2461 \u00bd \u00b2 \u2167", "\u1e9e\u00df \u0130\u0131", "\ufb01\ufb02",
        "na\u00efve caf\u00e9 \u6570\u5b66 \U0001f600", "\U00010400\U0001d400\U0001d7d8", "\U000e0041\U000e007f", "\ufffd", "\U0010ffff", "\ue000", "\U0001f1e6\U0001f1e7",
    ]
    yield from [
        "\U0001f600", "\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466", "\U0001f3f3\ufe0f\u200d\U0001f308", "\U0001f44d\U0001f3fd!", "a\U0001f600b\U0001f600", "\u2764\ufe0f", "1\ufe0f\u20e3",
        "\U0001f600\U0001f601\U0001f602 \U0001f603", "\u00a9\u00ae\u2122", "\u2026\u201cquoted\u201d \u2018it\u2019s\u2019 \u2014 dash \u2013 \u00ab\u00bb",
    ]
    # Numbers that only the newer of the peer's two Unicode versions knows, or that pattern and digits see differently.
    yield from ["a\U00011de0b 1\U00011de1", "\U00016ff4\U00016ff5x", "x\u0664\u0665", "\u3007\u4e00", "\U0001fbf0\U0001fbf1"]


def digits():
    yield from ("1234567890123456789"[:count] for count in range(1, 20))
    yield from ["a1", "1a", "1 2 3", " 1", "  12", "   123 ", "3.14159", "1,250.75", "$1,250.75", "-1e-10", "0x1F", "2024-11-21T05:10:00Z", "v1.2.3-rc4", "x2y3", "1\n2", "1\t 2", "( 1 )"]


def contractions():
    for ending in ("s", "t", "re", "ve", "m", "ll", "d", "S", "T", "RE", "Ve", "M", "LL", "D", "x", "l", "r", "v"):
        yield f"we'{ending} I'{ending}."
    yield from ["'s", " 's", "''s", "'sx", "don't'll", "'", "''", "' s", "it\u2019s", "'re'", "\n's", "1's 2'nd", "l'\u00e9t\u00e9 d'\u00e9t\u00e9"]


def code():
    yield from [
        "def f(x):\n    return x**2", "for (int i = 0; i < n; ++i) {\n\ta[i] += b[i]; // sum\n}", "#!/bin/sh\nset -e\necho \"$1\" | tr -d '\\n'\n", "SELECT * FROM t WHERE a='b';",
        "<html><body class=\"x\">&nbsp;</body></html>", "{\"id\":\"a\",\"text\":\"b\\u00e9\"}", "x_1 = y__2 + __init__", "https://example.org/a?b=c&d=%20e#f", "C:\\Users\\x\\y.txt", "a@b.co",
        "\\frac{\\partial f}{\\partial x} = \\int_0^\\infty e^{-x^2}\\,dx", "$$\\sum_{i=1}^{n} i = \\frac{n(n+1)}{2}$$", "\\begin{align}\n  a &= b \\\\\n  c &\\le d\n\\end{align}", "| a | b |\n|---|---|\n| 1 | 2 |\n",
        "# Title\n\n* item\n    * nested\n\n```python\nprint('x')\n```\n", "!!!???...;;;:::", "((((()))))[[[]]]{{{}}}", "====----____****", "<<<<<<< HEAD", "\\\\\\\\", "\"\"\"\"", "~`|^%$#@&", "->=>!=<=::", "camelCaseXMLHttpRequest2",
    ]


def added():
    for token in SPECIALS:
        yield token
        yield f"a{token}b"
        yield f"a {token} b"
        yield f"{token}{token}"
        yield f" {token}\n{token[:-1]}"
    yield from ["<|im_start|>user\nHi there<|im_end|>\n<|im_start|>assistant\n", "<|im_start", "<|im_start|", "<<|im_end|>>", "<s>a</s><s>b</s>", "< s >", "<S>"]


def blocks():
    block = "\u2581"
    yield from [block, block * 2, f"{block}a", f"a{block}b", f"a {block} b", f" {block}", f"{block} ", f"{block}the {block}cat", f"the{block}cat sat", "\u2580\u2581\u2582", f"{block}\n{block}", f"  {block}{block}  x"]


def odd():
    yield from ["", "a", " ", "\n", "The price is $1,250.75 today.", "Probability of rolling 12", "  two  spaces\n\tand tab", "Hello, world!", "hello HELLO Hello hELLO", "antidisestablishmentarianism", "supercalifragilisticexpialidocious" * 3]
    yield from ["a" * 300, "ab" * 150, "A" * 65, "\u00e9" * 40, "\u6570" * 50, " a" * 60, "\U0001f600" * 20, "-" * 129, "=" * 80, "." * 37, "ha" * 37 + "!", "\n" * 23, "\t" * 19, " \t" * 9, "0" * 50, "x" * 24 + " " + "y" * 25, "zqxjk" * 9]


def mixtures():
    generator = random.Random(20241121)
    parts = [" ", "  ", "\n", "\t", "\u3000", "\u00a0", "the", "Hello", "'s", "'LL", "1", "23", "\u00e9", "e\u0301", "\u6570\u5b66", "\U0001f600", "\u2581", "<s>", "<|im_end|>", "\x04", "\x00", "...", "(x)", "_", "\u0e01", "\u0661", "\U00011de0", "\u200d", "\r\n", "don't", "Wor", "ld"]
    for _ in range(60):
        yield "".join(generator.choice(parts) for _ in range(generator.randint(2, 14)))


def docstrings(wheel, names=("sympy/series/limits.py", "sympy/integrals/integrals.py", "sympy/core/expr.py", "sympy/printing/latex.py"), each=3):
    with zipfile.ZipFile(wheel) as archive:
        for name in names:
            tree = ast.parse(archive.read(name))
            found = [ast.get_docstring(node, clean=False) for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.ClassDef))]
            yield from itertools.islice((text for text in found if text and len(text) > 400), each)


def texts(wheel):
    found = list(itertools.chain(odd(), spaces(), controls(), scripts(), digits(), contractions(), code(), added(), blocks(), mixtures(), docstrings(wheel)))
    return list(dict.fromkeys(found))
