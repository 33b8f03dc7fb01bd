"""Runs a command as a child of this small process: a process's peak memory counts what its parent held when it was started.

    python3 -I -S tokenizing_wall.py RESULT COMMAND [ARGUMENT ...]     RESULT gets "seconds status peak": of resident memory, in bytes
"""
import os
import sys
import time


def main():
    result, *command = sys.argv[1:]
    start = time.perf_counter()
    child = os.posix_spawnp(command[0], command, os.environ)
    _, status, usage = os.wait4(child, 0)
    with open(result, "w", encoding="ascii") as out:
        out.write(f"{time.perf_counter() - start} {os.waitstatus_to_exitcode(status)} {usage.ru_maxrss * 1024}")


if __name__ == "__main__":
    main()
