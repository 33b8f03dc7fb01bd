#!/usr/bin/env python3
"""The tiny models of family_reference.py as GGUF, written by llama.cpp's own converter, without a vocabulary.

    venv/bin/python Tests/oracles/family_gguf.py LLAMA_CPP Tests/fixtures/families

LLAMA_CPP is a source tree of llama.cpp with `conversion/` and `gguf-py/` (made with the one in llama_cpp_python 0.3.36, vendor/llama.cpp).
Writes NAME/model.gguf in float32 for every family that has an architecture of its own there. What the converter expects and transformers
5 does not write is given here; its feed-forward width of GPT-2, always 4 · n_embd, is replaced by the model's.
"""
import json
import pathlib
import shutil
import sys
import tempfile

sys.path[:0] = [sys.argv[1] + "/gguf-py", sys.argv[1]]
import gguf  # noqa: E402
from conversion import get_model_class  # noqa: E402
from conversion.base import ModelBase  # noqa: E402

NAMES = ["llama", "qwen3", "qwen2", "glm", "glm4", "gpt2", "gpt_neox", "mamba"]


def convert(folder, name):
    with tempfile.TemporaryDirectory() as scratch:
        source = pathlib.Path(scratch)
        config = json.loads((folder / name / "config.json").read_text())
        rope = config.get("rope_parameters") or {}
        if name == "gpt2":
            config["n_ctx"] = config["n_positions"]
        (source / "config.json").write_text(json.dumps(config))
        shutil.copy(folder / name / "model.safetensors", source)
        hparams = ModelBase.load_hparams(source, False)
        if name == "gpt_neox":
            hparams["rotary_pct"] = rope["partial_rotary_factor"]
        kind = get_model_class(config["architectures"][0])
        kind = type(kind.__name__, (kind,), {"set_vocab": lambda self: None, "model_arch": kind.model_arch})
        model = kind(source, gguf.LlamaFileType.ALL_F32, folder / name / "model.gguf", hparams=hparams)
        if name == "gpt2":
            model.gguf_writer.add_feed_forward_length = lambda length, inner=config["n_inner"]: gguf.GGUFWriter.add_feed_forward_length(
                model.gguf_writer, inner)
        model.write()


if __name__ == "__main__":
    for name in NAMES if len(sys.argv) < 4 else sys.argv[3:]:
        convert(pathlib.Path(sys.argv[2]), name)
