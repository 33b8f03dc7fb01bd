"""A file system in which what was not synced may be lost: replays the record of a program (recording.c) and gives the states after a crash.

What survives a crash:
  of a file    what it held when it was last synced; of every later write all, nothing, or some sectors of 512 bytes (the rest is zeros, or
               what was there before); the file's length with or without them
  of a folder  the entries when it was last synced; of every later creation, removal and rename any subset, each by itself whole
"""
import os
import pathlib
import subprocess

SECTOR = 512


def build_recorder(source):
    """The library, compiled here."""
    subprocess.run(["cc", "-O1", "-shared", "-fPIC", "-o", "recording.so", source, "-ldl"], check=True)
    return os.path.abspath("recording.so")


def recorded(command, root, library, record, log=None, **more):
    """Runs a command in `root` under the recorder; its status and the calls: (name, words, bytes)."""
    environment = {**os.environ, **more, "LD_PRELOAD": library, "RECORD": record, "RECORD_ROOT": os.path.abspath(root)}
    with open(log or os.devnull, "ab") as out:
        done = subprocess.run([str(word) for word in command], cwd=root, env=environment, stdout=out, stderr=subprocess.PIPE)
    return done, list(calls(record))


def calls(record):
    with open(record, "rb") as file:
        while line := file.readline():
            name, *words = line.decode().rstrip("\n").split("\t")
            yield name, words[:-1], file.read(int(words[-1])) if name == "write" else b""


class File:
    def __init__(self, data=b""):
        self.synced = data
        self.later = []

    def now(self):
        return changed(self.synced, self.later)

    def sync(self):
        self.synced, self.later = self.now(), []


class Folder:
    def __init__(self):
        self.synced = {}
        self.later = []  # of each operation: the names that it sets, and to what; None for nothing

    def now(self):
        return entries(self.synced, self.later)

    def sync(self):
        self.synced, self.later = self.now(), []


def entries(before, operations):
    found = dict(before)
    for operation in operations:
        for name, node in operation.items():
            if node is None:
                found.pop(name, None)
            else:
                found[name] = node
    return found


def changed(data, operations):
    data = bytearray(data)
    for kind, at, bytes_ in operations:
        if kind == "truncate":
            data = data[:at].ljust(at, b"\0")
        else:
            data = data.ljust(at, b"\0")
            data[at:at + len(bytes_)] = bytes_
    return bytes(data)


class Disk:
    """The files under a root, begun with what stands there, all of it synced."""

    def __init__(self, root):
        self.root = Folder()
        self.open = {}
        for path, folders, files in os.walk(root):
            at = self.folder(os.path.relpath(path, root))
            at.synced = {name: Folder() for name in folders}
            at.synced.update({name: File(pathlib.Path(path, name).read_bytes()) for name in files})

    def folder(self, path):
        node = self.root
        for part in path.split("/"):
            if part == "..":
                return self.root
            if part != ".":
                node = node.now()[part]
        return node

    def place(self, path):
        folder, _, name = path.rpartition("/")
        return self.folder(folder or "."), name

    def apply(self, call):
        name, words, data = call
        if name == "open":
            self.opens(*words)
        elif name == "write":
            self.open[words[0]].later.append(("write", int(words[1]), data))
        elif name == "truncate":
            self.open[words[0]].later.append(("truncate", int(words[1]), b""))
        elif name == "sync":
            self.open[words[0]].sync()
        elif name == "close":
            self.open.pop(words[0], None)
        elif name == "mkdir":
            folder, entry = self.place(words[0])
            folder.later.append({entry: Folder()})
        elif name in ("unlink", "rmdir"):
            folder, entry = self.place(words[0])
            folder.later.append({entry: None})
        elif name in ("rename", "exchange"):
            self.moves(*words, swap=name == "exchange")

    def opens(self, descriptor, path, created, truncated, _):
        if path == "." or path.endswith(".."):
            self.open[descriptor] = self.root
            return
        folder, name = self.place(path)
        if created == "1":
            folder.later.append({name: File()})
        node = self.open[descriptor] = folder.now()[name]
        if truncated == "1" and created == "0":
            node.later.append(("truncate", 0, b""))

    def moves(self, one, other, swap):
        (first, name), (second, new) = self.place(one), self.place(other)
        node = first.now()[name]
        back = second.now()[new] if swap else None
        if first is second:
            first.later.append({name: back, new: node})
        else:
            first.later.append({name: back})
            second.later.append({new: node})

    def crashed(self, random):
        """A state after a crash at this moment: paths and what they hold, None for a folder."""
        mode = random.choice(["nothing", "all", "some", "some", "some", "some"])
        found = {}

        def fall(folder, path):
            for name, node in entries(folder.synced, kept(folder.later, mode, random)).items():
                if isinstance(node, Folder):
                    if path + name not in found:
                        found[path + name] = None
                        fall(node, f"{path}{name}/")
                else:
                    found[path + name] = changed(node.synced, torn(node.later, mode, random))
        fall(self.root, "")
        return found


def kept(operations, mode, random):
    if mode != "some":
        return operations if mode == "all" else []
    share = random.choice([0.1, 0.5, 0.9])
    return [operation for operation in operations if random.random() < share]


def torn(operations, mode, random):
    """Of every write all, nothing, its beginning, or some of its sectors; its length may be that of all of it."""
    if mode != "some":
        return operations if mode == "all" else []
    left = []
    for kind, at, data in operations:
        fate = random.choice(["all", "nothing", "beginning", "sectors"])
        if kind == "truncate" or fate == "all":
            if fate != "nothing":
                left.append((kind, at, data))
        elif fate == "beginning":
            left.append((kind, at, data[:max(0, random.randrange(len(data) + SECTOR) // SECTOR * SECTOR - at % SECTOR)]))
        elif fate == "sectors":
            if random.random() < 0.7:
                left.append(("write", at + len(data) - 1, b"\0"))
            first = at
            while first < at + len(data):
                end = min(first // SECTOR * SECTOR + SECTOR, at + len(data))
                if random.random() < 0.5:
                    left.append((kind, first, data[first - at:end - at]))
                first = end
    return left


def put(state, root):
    """Writes a state to an empty folder."""
    for path, data in sorted(state.items()):
        if data is None:
            os.makedirs(f"{root}/{path}", exist_ok=True)
        else:
            pathlib.Path(root, path).write_bytes(data)
