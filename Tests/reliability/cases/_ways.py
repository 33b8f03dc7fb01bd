"""The ways in which bytes reach a tool: a file, a pipe, a pipe that gives one byte at a time."""
import functools
import pathlib
import subprocess

import gate as gates


@functools.cache
def one_byte_reads():
    """The path of the library that makes read(2) give one byte."""
    library = pathlib.Path("one_byte_reads.so").absolute()
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", library, gates.ROOT / "Tests/reliability/one_byte_reads.c"], check=True)
    return library


def piped(command, path, one_byte=False):
    """Runs a command with a file's bytes coming through a pipe; the writer may find its reader gone."""
    writer = subprocess.Popen(["cat", path], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    environment = {"LD_PRELOAD": str(one_byte_reads())} if one_byte else None
    try:
        return gates.run(command, stdin=writer.stdout, env=environment)
    finally:
        writer.stdout.close()
        writer.wait()
