"""Prints the commands of a page, each ended by a NUL: of a man page what stands behind '$ ' in literal blocks, of Markdown the blocks of sh.

    examples.py PAGE

In a man page a command goes on to the next '$ ' or the end of the block.
"""
import re
import sys


def of_man(lines):
    command, literal = None, False
    for line in lines:
        if line.startswith(".Bd -literal"):
            literal = True
        elif line.startswith(".Ed"):
            if command is not None:
                yield command
            command, literal = None, False
        elif literal and line.startswith("$ "):
            if command is not None:
                yield command
            command = unescaped(line[2:])
        elif command is not None:
            command += "\n" + unescaped(line)


def unescaped(line):
    for escape, character in (("\\e", "\\"), ("\\&", ""), ("\\(dq", '"'), ("\\(aq", "'")):
        line = line.replace(escape, character)
    return line


def of_markdown(lines):
    block = None
    for line in lines:
        if block is None:
            if re.fullmatch(r"```sh", line):
                block = []
        elif line == "```":
            yield "\n".join(block)
            block = None
        else:
            block.append(line)


path = sys.argv[1]
with open(path, encoding="utf-8") as page:
    lines = page.read().split("\n")
for command in (of_markdown if path.endswith(".md") else of_man)(lines):
    sys.stdout.write(command + "\0")
