"""Work spread over two processes, each in a folder of its own: a gate starts thousands of tools."""
import json
import os
import pathlib
import queue
import sys
import threading
import traceback

WORKERS = 2


def spread(items, work):
    """Yields (what work(item) returns) for the items of the generator that items() makes: JSON values, in no order.

    Each process makes the generator anew and takes every second item of it, so that no process holds them all. An exception ends the gate.
    """
    children, lines = [], queue.SimpleQueue()
    for number in range(WORKERS):
        reader, writer = os.pipe()
        sys.stdout.flush()
        child = os.fork()
        if child == 0:
            os.close(reader)
            os._exit(_work(number, items, work, os.fdopen(writer, "w")))
        os.close(writer)
        children.append((child, os.fdopen(reader)))
    # All are read at once: none waits in a full pipe for another to end.
    for _, reader in children:
        threading.Thread(target=_collect, args=(reader, lines), daemon=True).start()
    working = WORKERS
    while working:
        line = lines.get()
        if line is None:
            working -= 1
        else:
            yield json.loads(line)
    if any([os.waitpid(child, 0)[1] for child, _ in children]):
        sys.exit("a worker failed")


def _collect(reader, lines):
    for line in reader:
        lines.put(line)
    lines.put(None)


def _work(number, items, work, out):
    try:
        folder = pathlib.Path(f"worker{number}")
        folder.mkdir(exist_ok=True)
        os.chdir(folder)
        for at, item in enumerate(items()):
            if at % WORKERS == number:
                print(json.dumps(work(item)), file=out, flush=True)
        out.close()
        return 0
    except BaseException:
        traceback.print_exc()
        return 1
