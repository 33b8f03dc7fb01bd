"""Files that are broken in one known way each, by format, with the verdict that each must meet.

A module of a format has cases(), a generator of Case; try_case(case, gate), which writes the case into the current folder, runs the tools
that read such a file, and says why the outcome is wrong, or None; seeds(), pairs of a name and the bytes of a small good file, to be
damaged at random; and try_file(path), which feeds one file to a tool that must end with 0 or 65, and says why not, or None.
"""
import dataclasses
import importlib
import pathlib
import typing


@dataclasses.dataclass
class Case:
    """One file, or one folder, and what must become of it."""
    name: str
    must: str                   # "reject" (65 and one message), "accept" (0), "either"
    data: typing.Any            # bytes, text, a list of bytes one after another, or a function that writes the path it is given
    pattern: str = ""           # found in the first line of the message
    at: int | None = None       # the byte that the message names; None where no single byte is at fault
    file: str = ""              # what the file is called; empty for the format's usual name
    more: typing.Any = None     # what the format's own try_case needs beside

    def write(self, path):
        """Writes the file at `path`, and returns it."""
        path = pathlib.Path(path)
        if callable(self.data):
            self.data(path)
            return path
        with open(path, "wb") as out:
            for part in self.data if isinstance(self.data, list) else [self.data]:
                out.write(part.encode() if isinstance(part, str) else part)
        return path


def formats():
    """Pairs of a format's title and its module, loaded when asked for."""
    names = [("safetensors", "safetensors"), ("GGUF", "gguf"), ("tokenizer.json", "tokenizer_json"), ("SentencePiece", "sentencepiece"),
             ("tiktoken", "tiktoken"), ("NDJSON", "ndjson"), ("stream", "stream")]
    return [(title, importlib.import_module(f"cases.{name}")) for title, name in names]
