"""Small whole files of every format, for the sweep that cuts each at every byte and flips a bit in every byte.

A format has a title, its bytes, a function that tries a damaged copy and gives its Outcome, and what a cut and a flip may end in.
"""
import dataclasses
import json
import pathlib
import shutil
import typing

import gate as gates
import tensor_stream
from cases import gguf, ndjson, sentencepiece, stream, tiktoken, tokenizer_json

REFUSED = {65}
LOADED = {0, 65}


@dataclasses.dataclass
class Whole:
    title: str
    data: bytes
    attempt: typing.Callable        # of a damaged copy's bytes: an Outcome, and the name that a refusal must have
    flips: set = dataclasses.field(default_factory=lambda: LOADED)
    # Bytes under a sum of the format's own: a flip in one of these must be refused.
    summed: range = range(0)
    # What a whole file gives, where a flip may be "unbroken".
    unbroken: bytes = b""
    # What a cut to so many bytes may be: None where it must be refused, else the output that a whole file of this content gives.
    content: typing.Callable = lambda length: None
    # Where it may be cut and flipped: every `stride`-th byte, and the ends.
    stride: int = 1


def formats():
    yield from models()
    yield from vocabularies()
    yield from lines()
    yield from streams()
    yield from checkpoints()
    yield from shards()
    yield from recipes()


def file(name, *command):
    """A trial that writes the bytes to a file of this name and runs a command on it; FILE stands for it."""
    def attempt(data):
        path = pathlib.Path(name)
        path.write_bytes(data)
        return gates.run([path if word == "FILE" else word for word in command]), path.name
    return attempt


# Models

CONFIG = {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 2, "intermediate_size": 2, "num_attention_heads": 1,
          "num_key_value_heads": 1, "num_hidden_layers": 1, "vocab_size": 8, "rms_norm_eps": 1e-5, "rope_theta": 10000.0, "hidden_act": "silu",
          "max_position_embeddings": 32, "tie_word_embeddings": True, "bos_token_id": 1, "eos_token_id": 2}
RECORDS = b'{"id":"a","input_ids":[1,2,3,4]}\n{"id":"b","input_ids":[5,6,7,0]}\n'
SCORE = ["teacher-score", "--no-provenance", "--threads", "1", "--bos", "never", "--model"]


def trained():
    """A model of two dimensions and eight tokens, and its training, stopped after three of its four steps."""
    # In a folder of its own: vocabularies beside a configuration are the model's, and go into its checkpoints.
    pathlib.Path("alone").mkdir(exist_ok=True)
    pathlib.Path("alone/tiny.json").write_text(json.dumps(CONFIG))
    pathlib.Path("tiny.ndjson").write_bytes(RECORDS)
    for folder in ("run", "run.checkpoints"):
        shutil.rmtree(folder, ignore_errors=True)
    outcome = gates.run(TRAIN)
    assert outcome.status == 0, outcome.message
    shutil.rmtree("whole", ignore_errors=True)
    shutil.move("run.checkpoints", "whole")
    return pathlib.Path("run")


TRAIN = ["train", "--no-provenance", "--threads", "1", "--model", "alone/tiny.json", "--out", "run", "--steps", "4", "--batch-tokens", "8", "--sequence-length", "8",
         "--checkpoint-every", "3", "--keep", "1", "tiny.ndjson"]


def models():
    folder = pathlib.Path("model")
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(trained(), folder)
    (folder / "training-state.safetensors").unlink()
    weights = (folder / "model.safetensors").read_bytes()
    config = (folder / "config.json").read_bytes().rstrip()

    def inside(name):
        def attempt(data):
            shutil.rmtree("broken", ignore_errors=True)
            shutil.copytree(folder, "broken")
            (pathlib.Path("broken") / name).write_bytes(data)
            return scored("broken"), name
        return attempt

    def scored(model):
        """The scores without their header, which has the sum of the model's files."""
        outcome = gates.run([*SCORE, model, "--format", "ndjson", "tiny.ndjson"])
        outcome.out = outcome.out.partition(b"\n")[2]
        return outcome

    # The header has no sum: a flip in a name, a type, a shape or a place is refused, and the rest of it changes no number.
    data = range(8 + int.from_bytes(weights[:8], "little"), len(weights))
    yield Whole("safetensors", weights, inside("model.safetensors"), flips={65, "unbroken"}, summed=data,
                unbroken=scored(folder).out)
    # A changed name of a shard is a file that is not there; one of an architecture, another model.
    yield Whole("config.json", config, inside("config.json"), flips={0, 65, 66})
    yield from indexed(folder, weights)
    yield Whole("GGUF", gguf.File().data, file("m.gguf", *SCORE, "FILE", "tiny.ndjson"))


def indexed(folder, weights):
    """The same weights in two shards with an index."""
    record, = tensor_stream.parse(weights)
    names = [name for name in record.header if name != "__metadata__"]
    split = pathlib.Path("split")
    shutil.rmtree(split, ignore_errors=True)
    split.mkdir()
    (split / "config.json").write_bytes((folder / "config.json").read_bytes())
    places = {}
    for shard, part in (("a.safetensors", names[:4]), ("b.safetensors", names[4:])):
        header, data = {}, b""
        for name in part:
            body = record.tensor(name)
            header[name] = {**record.header[name], "data_offsets": [len(data), len(data) + len(body)]}
            data += body
            places[name] = shard
        (split / shard).write_bytes(tensor_stream.Record(header, data).bytes())
    index = json.dumps({"metadata": {"total_size": len(record.data)}, "weight_map": places}).encode()

    def attempt(data):
        (split / "model.safetensors.index.json").write_bytes(data)
        return gates.run([*SCORE, split, "tiny.ndjson"]), "model.safetensors.index.json"

    yield Whole("index.json", index, attempt, flips={0, 65, 66})


# Vocabularies

def vocabularies():
    pathlib.Path("text.ndjson").write_text('{"text":"ab abc a"}\n')

    def vocabulary(title, name, data, stride=1):
        return Whole(title, data, file(name, "tokenize", "--tokenizer", "FILE", "text.ndjson"), stride=stride)

    yield vocabulary("tokenizer.json", "tokenizer.json", tokenizer_json.tokenizer_json(added_tokens=[tokenizer_json.word("<s>", 4)]).encode())
    yield vocabulary("SentencePiece", "tokenizer.model", sentencepiece.model())
    # Its split pattern is known by the number of its ranks alone, so that one that works cannot be small.
    whole = tiktoken.whole_ranks(50256).rstrip(b"\n")
    yield vocabulary("tiktoken", "gpt2.tiktoken", whole, stride=len(whole) // 500)
    # Nothing in it but what is read.
    tekken = json.loads(tiktoken.tekken([("<unk>", 0), ("<s>", 1)]))
    for entry in tekken["vocab"]:
        del entry["token_str"]
    yield vocabulary("tekken.json", "tekken.json", json.dumps(tekken, separators=(",", ":")).encode())
    # A file of ranks that is too small for a pattern is refused all the same, but a cut or a flip for another reason than the whole.
    yield small_ranks()


def small_ranks():
    """The 256 bytes and a pair: all of it is read, and then it is refused for its number. A cut, at the end of a line too, has another."""
    data = tiktoken.ranks() + tiktoken.line(b"ab", 256).rstrip(b"\n")
    attempt = file("small.tiktoken", "tokenize", "--tokenizer", "FILE", "text.ndjson")

    def read(damaged):
        outcome, name = attempt(damaged)
        if outcome.status == 65 and "257 ranks" in outcome.message:
            outcome.status = 0
        return outcome, name
    return Whole("tiktoken, small", data, read)


# Lines

def lines():
    corpus = ndjson.GOOD + '{"text":"Gr\u00f6\u00dfe \U0001f600","x":[1.5,null]}\n'.encode() + b'{"id":7,"text":"a\\u00e9"}\n'

    def held(data, command):
        """What a cut behind a record gives: a whole file of the records before it."""
        def content(length):
            part = data[:length]
            ends = part.endswith(b"\n") or data[length : length + 1] == b"\n"
            return gates.run(command, stdin=part).out if ends or not part else None
        return content

    tokenize = [*ndjson.COMMAND]
    yield Whole("NDJSON corpus", corpus, file("corpus.ndjson", *tokenize, "FILE"), content=held(corpus, tokenize))
    show = ["stream-cat", "--no-provenance"]
    for name in ("tiny.scores", "tiny.aligned"):
        records = gates.run([*show, gates.FIXTURES / name]).out
        allowed = held(records, show)
        yield Whole(f"NDJSON records {name}", records, file("records.ndjson", *show, "FILE"),
                    content=lambda length, allowed=allowed: allowed(length) if length else None)


# Streams

def streams():
    for name in ("tiny.tokens", "tiny.scores", "tiny.aligned", "full.scores"):
        yield Whole(f"stream {name}", (gates.FIXTURES / name).read_bytes(), file(name, "stream-cat", "--check", "FILE"), flips=REFUSED)


# Saved states

def checkpoints():
    trained()
    checkpoint, = pathlib.Path("whole").iterdir()

    def inside(name):
        def attempt(data):
            for folder in ("run", "run.checkpoints"):
                shutil.rmtree(folder, ignore_errors=True)
            shutil.copytree("whole", "run.checkpoints")
            (pathlib.Path("run.checkpoints") / checkpoint.name / name).write_bytes(data)
            return gates.run([*TRAIN, "--resume"]), name
        return attempt

    for path in sorted(checkpoint.iterdir()):
        yield Whole(f"checkpoint {path.name}", path.read_bytes(), inside(path.name), flips=REFUSED)
    yield partial()


def partial():
    """What --resume of teacher-score has written: a torn tail is cut off, and the scores are those of an unbroken run."""
    pathlib.Path("many.ndjson").write_bytes(b"".join(b'{"id":"%d","input_ids":[1,2,3,4]}\n' % at for at in range(6)))
    command = [*SCORE, "model", "--batch-tokens", "4", "--resume", "-o", "out.scores", "many.ndjson"]
    for path in pathlib.Path(".").glob("out.scores*"):
        path.unlink()
    assert gates.run(command).status == 0
    unbroken = pathlib.Path("out.scores").read_bytes()
    torn = tensor_stream.join(tensor_stream.parse(unbroken)[:-2])

    def attempt(data):
        pathlib.Path("out.scores").unlink(missing_ok=True)
        pathlib.Path("out.scores.partial").write_bytes(data)
        outcome = gates.run(command)
        if outcome.status == 0:
            outcome.out = pathlib.Path("out.scores").read_bytes()
        return outcome, "out.scores.partial"

    return Whole("scores to resume", torn, attempt, flips={65, "unbroken"}, content=lambda length: unbroken, unbroken=unbroken)


# Token shards

def shards():
    for name in ("u16", "i32"):
        idx, body = ((gates.FIXTURES / f"megatron/{name}.{ending}").read_bytes() for ending in ("idx", "bin"))

        def attempt(data, damaged, idx=idx, body=body):
            pathlib.Path("shard.idx").write_bytes(data if damaged == "idx" else idx)
            pathlib.Path("shard.bin").write_bytes(data if damaged == "bin" else body)
            return gates.run(["stream-cat", "--no-provenance", "shard.idx"]), "shard."

        yield Whole(f"Megatron {name}.idx", idx, lambda data, attempt=attempt: attempt(data, "idx"))
        yield Whole(f"Megatron {name}.bin", body, lambda data, attempt=attempt: attempt(data, "bin"))


def recipes():
    recipe = b'{"steps": 1, "loss": "cross-entropy", "learning-rate": 0.001, "_note": "a"}'
    yield Whole("recipe", recipe, file("recipe.json", "train", "--no-provenance", "--model", "alone/tiny.json", "--out", "recipe.out", "--threads", "1",
                                       "--recipe", "FILE", "--preview", "tiny.ndjson"), flips={0, 64, 65})
