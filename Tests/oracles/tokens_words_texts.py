"""Texts for the cutting of words: marks, digits, scripts, code and strings that look like tokens."""
import random

WRITTEN = [
    "", "a", " ", "\n", "  two  spaces\n\tand tab", " leading", "trailing ", "a  .", "a \n b", "a\r\nb\r\n\r\n  c\r\n", "\r\r\n\n",
    " \n \n", "x\n\n\n\ny", "end of line \n", "\t\tif x:\n\t\t\treturn\n", "    four\n        eight\n", "mixed \t \t tabs", "\u3000\u3000全角 空白",
    "a\u00a0b\u2003c\u3000d", "a \u00a0 b", "zero\u200bwidth\ufeffmarks\u2060here", "soft\u00adhyphen",
    "it's we'll I'VE 'S 's", "don't DON'T can't CAN'T", "they're THEY'RE we've WE'VE I'm I'M he'd HE'D she'll SHE'LL", "'tis 'twas 'n'",
    "'''''''s", "rock'n'roll o'clock", "’s ’t it’s we’ll", "'s't're've'm'll'd", "' s ' t", "x'", "'", "''", "'re", "'r", "'l", "'lx",
    "The price is $1,250.75 today.", "1234567890 12.5e-7", "0x1F 0b1010 1_000_000", "v1.2.3-rc4", "²³¹ ½ Ⅻ ①", "١٢٣ ۴۵۶ १२३ ๑๒๓ １２３",
    "3.14159265358979323846", "a1b2c3", "1 2 3", "1  2   3", "1st 2nd 3rd", "𝟏𝟐𝟑 𝟘", "㉈ ㊿ ⑳", "10^100", "2024-01-31T23:59:59Z",
    "def f(x):\n    return x**2", "for (int i = 0; i < n; ++i) { a[i] += b[i]; }", "#include <stdio.h>\n#define X 1\n", "SELECT * FROM t WHERE a='b';",
    "<div class=\"x\">&nbsp;</div>", "{\"key\": [1, 2.5, null, true]}", "if (a && b || !c) return ~d ^ e;", "lambda *a, **k: (a, k)",
    "https://example.org/a/b?c=d&e=f#g", "user@example.org", "C:\\Users\\x\\y", "$HOME/.cache/*", "--option=value -x", "snake_case camelCase PascalCase",
    "!!! ??? ... --- === *** ///", "→ ⇒ ≤ ≥ ≠ ∑ ∫ √ ∞ ∂", "“curly” ‘quotes’ «guillemets» „low“", "—–-‐‑", "€£¥₹₿", "©®™℠",
    "\\frac{a}{b} $x^2$ \\begin{align} \\alpha_{i,j} &= \\sum_{k=0}^{n} \\beta_k \\\\ \\end{align}", "$$\\int_0^\\infty e^{-x}\\,dx$$", "\\\\ \\\\\\",
    "日本語のテスト", "我能吞下玻璃而不伤身体。", "한국어 시험", "\u1112\u1161\u11ab\u1100\u116e\u11a8", "カタカナ ｶﾀｶﾅ ひらがな", "中文English混合123", "，。！？「」",
    "𠀀𠀁𪜀 㐀㐁 﨑 ㍻ ﬁ", "𰻝𰻞 䲜", "नमस्ते दुनिया", "क्षत्रिय ज्ञान", "สวัสดีชาวโลก", "ภาษาไทย ๑๒๓", "مرحبا بالعالم", "ٱلسَّلَامُ عَلَيْكُمْ", "שלום עולם", "שָׁלוֹם",
    "Привет, мир! Ёлка", "Γειά σου Κόσμε", "Xin chào thế giới", "Türkçe İstanbul ıI", "Straße ẞ", "naïve café 数学", "Łódź Żółć", "ဗမာစာ", "ខ្មែរ", "ქართული", "Հայերեն",
    "አማርኛ", "தமிழ்", "తెలుగు", "ಕನ್ನಡ", "ᏣᎳᎩ", "𐌰𐌱𐌲", "𓀀𓂀", "e\u0301 é", "a\u0308\u0323 ạ̈", "Z\u0351\u036b\u0343a\u0334l\u0360g\u034fo\u0353", "\u0301alone", " \u0301", "q\u0307\u0323 q\u0323\u0307",
    "Å Å Å", "Ω Ω", "\u212b\u2126\u212a", "가 가", "ﬀ ﬃ ﬆ", "①②③", "👨‍👩‍👧‍👦 🏳️‍🌈", "😀😁😂🤣", "👍🏽👍🏿", "🇩🇪🇯🇵🇺🇸", "❤️ ❤", "1️⃣2️⃣", "🧑🏻‍🚀x", "a😀b", "☃ ☃️",
    "\u0000", "a\u0000b", "\u0000\u0001\u0004\u0006\u0013z", "\u0004\u0006\u0013\u0014\u0016\u001d", "a\u0004b c\u0006 \u0013d", "th\u0016e \u001dth\u0014e", "\u007f\u0080\u009f", "\x1b[31mred\x1b[0m", "\u0007\u0008",
    "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e", "\ue000\uf8ff", "\U000f0000 \U0010fffd", "\ufffd\ufffe\uffff", "\U0001fffe\U0010ffff", "\u0378 \u05ff", "\ufdd0", "\u00f1\u00f2 \u00f8", "\u0140\u0180\U00040000\U000c0000",
    "▁", "▁▁", "▁▁▁", "▁x ▁▁ y", "x▁", " ▁ x", "▁ x", "x ▁y", "a▁b", "▁\n▁", "Ġ Ċ Ġa", "ĠĠĠ", "Ã©", "##ing", "<0x0A> <0xE2>", "<0x41>",
    "<|im_end|>", "<|im_start|>user\nhi<|im_end|>\n", "<|im_end|>hello<|im_start|> <s> </s> <unk>", "<|endoftext|>", "a<|endoftext|>b", " <|endoftext|> ", "<|endoftext|><|endoftext|>",
    "<|endoftext|", "|endoftext|>", "<|ENDOFTEXT|>", "<|<|endoftext|>|>", "<s>", "</s>", "<unk>", "<s>[INST] hi [/INST]</s>", "<repo_name>x<file_sep>y", "<gh_stars> <issue_start><jupyter_code>", "<pad>",
    "a" * 1000, "supercalifragilisticexpialidocious" * 6, "ab" * 200, "é" * 150, "日" * 150, "😀" * 60, "=" * 200, "-" * 79, "." * 33, "#" * 100, "\n" * 70, "\t" * 50, "\r\n" * 20,
    " " * 257 + "x" + " " * 100, "abc " * 80, "0" * 120, "'" * 40, "\u0301" * 30, "\u0000" * 20, "\u3000" * 20, "▁" * 40, "x" + "\u00a0" * 9 + "y", "The quick brown fox jumps over the lazy dog. " * 4,
    "Pneumonoultramicroscopicsilicovolcanoconiosis Donaudampfschifffahrtsgesellschaftskapitän", "Llanfairpwllgwyngyllgogerychwyrndrobwllllantysiliogogogoch",
]


def random_texts(count, seed=20):
    """Up to 32 characters of many blocks each, spaces and ▁ among them."""
    source = random.Random(seed)
    blocks = [(32, 127), (0x20, 0x21), (0xA0, 0x500), (0x600, 0xE00), (0x1100, 0x1200), (0x2000, 0x2100), (0x3040, 0x3100), (0x1F300, 0x1F700), (0x2581, 0x2582), (0, 32)]
    for _ in range(count):
        yield "".join(chr(source.randrange(*source.choice(blocks))) for _ in range(source.randrange(1, 33)))
