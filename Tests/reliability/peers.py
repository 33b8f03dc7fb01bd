"""What other readers make of files: run by a Python that has Tests/oracles/requirements-differential.txt.

    peers.py FORMAT [TEXTS.json] < paths        a line of JSON for each path: {"verdict": "accept", "content": …} or {"verdict": "reject", "why": …}
"""
import base64
import json
import os
import resource
import signal
import sys

# Ranks of GPT-2's vocabulary, and how its words are cut.
GPT_2 = 50256, r"""'(?:[sdmt]|ll|ve|re)| ?\p{L}++| ?\p{N}++| ?[^\s\p{L}\p{N}]++|\s++$|\s+(?!\S)|\s"""


def safetensors():
    from safetensors import deserialize

    def read(path):
        with open(path, "rb") as file:
            found = deserialize(file.read())
        return [[name, tensor["dtype"], list(tensor["shape"]), base64.b64encode(bytes(tensor["data"])).decode()] for name, tensor in found]
    return read


def tokenizer_json(texts):
    from tokenizers import Tokenizer

    def read(path):
        with open(path, encoding="utf-8") as file:
            tokenizer = Tokenizer.from_str(file.read())
        return [tokenizer.encode(text, add_special_tokens=False).ids for text in texts]
    return read


def sentencepiece(texts):
    from sentencepiece import SentencePieceProcessor

    def read(path):
        with open(path, "rb") as file:
            model = SentencePieceProcessor(model_proto=file.read())
        return [model.encode(text) for text in texts]
    return read


def tiktoken(texts):
    from tiktoken import Encoding
    from tiktoken.load import load_tiktoken_bpe
    # No copy beside the file.
    os.environ["TIKTOKEN_CACHE_DIR"] = ""

    def read(path):
        """Ids where there are as many ranks as GPT-2's pattern goes with, else the number of ranks."""
        ranks = load_tiktoken_bpe(path)
        if len(ranks) != GPT_2[0]:
            return len(ranks)
        encoding = Encoding("gpt2", pat_str=GPT_2[1], mergeable_ranks=ranks, special_tokens={})
        return [encoding.encode_ordinary(text) for text in texts]
    return read


def tekken(texts):
    from tiktoken import Encoding

    def read(path):
        with open(path, encoding="utf-8") as file:
            root = json.load(file)
        config, specials = root["config"], root["config"]["default_num_special_tokens"]
        kept = root["vocab"][: config["default_vocab_size"] - specials]
        ranks = {base64.b64decode(entry["token_bytes"]): entry["rank"] for entry in kept}
        encoding = Encoding("tekken", pat_str=config["pattern"], mergeable_ranks=ranks, special_tokens={})
        return [[specials + at for at in encoding.encode_ordinary(text)] for text in texts]
    return read


def gguf():
    from gguf import GGUFReader

    def read(path):
        reader = GGUFReader(path)

        def value(key):
            field = reader.get_field("tokenizer.ggml." + key)
            return None if field is None else field.contents()
        tokens = value("tokens")
        return {"size": len(tokens) if tokens is not None else None, "bos": value("bos_token_id"), "eos": value("eos_token_id")}
    return read


FORMATS = {"safetensors": safetensors, "tokenizer-json": tokenizer_json, "sentencepiece": sentencepiece, "tiktoken": tiktoken,
           "tekken": tekken, "gguf": gguf}


def too_long(*_):
    raise TimeoutError("it takes more than 2 s")


def main():
    form = sys.argv[1]
    arguments = [json.loads(open(sys.argv[2]).read())] if len(sys.argv) > 2 else []
    try:
        read = FORMATS[form](*arguments)
    except ImportError as error:
        sys.exit(f"peers.py: {error}")
    # What a library prints of its own must not get among the answers.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    # A count that no file could hold must not take the machine's memory, nor an hour.
    resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))
    signal.signal(signal.SIGALRM, too_long)
    for line in sys.stdin:
        signal.alarm(2)
        try:
            answer = {"verdict": "accept", "content": read(line.rstrip("\n"))}
        except BaseException as error:  # A panic of Rust is no Exception.
            if isinstance(error, KeyboardInterrupt):
                raise
            answer = {"verdict": "reject", "why": f"{type(error).__name__}: {error}"[:300]}
        print(json.dumps(answer), file=answers, flush=True)


main()
