#!/usr/bin/env python3
"""Compute beside its peers: products, scoring, training, start. Verified first, then timed, ours and the peers alternating in one run.

    venv/bin/python Benchmarks/peer_compute.py [--quick] [--only products,kernels,scoring,training,start] [--threads 1,2] [--minutes 12]

(`make bench` builds, makes the venv and runs all.) Prints one table a part, in Markdown; ratios are medians of ratios of runs that followed
one another, with the target beside them where there is one. A peer that cannot run is said to be absent. Ends with 1 when a verification
fails; a target that is not met ends nothing. A part adds no round that would end beyond its share of --minutes, so that all end within
about that on a quiet machine; torch.compile's first run takes minutes more, and what it made is kept in the cache.
"""
import argparse
import os
import platform
import sys
import time

sys.dont_write_bytecode = True
import compute_products
import compute_scoring
import compute_start
import compute_training
from compute_common import BIN, FOLDER, Failed, output

# Shares of the time.
PARTS = {"products": 0.14, "kernels": 0.08, "scoring": 0.3, "training": 0.42, "start": 0.06}
BENCHMARKS = {
    "products": compute_products.benchmark, "kernels": compute_products.kernels, "scoring": compute_scoring.benchmark,
    "training": compute_training.benchmark, "start": compute_start.benchmark}


def machine():
    model = next((line.partition(":")[2].strip() for line in open("/proc/cpuinfo", encoding="utf-8") if line.startswith("model name")), "?")
    version = output([BIN / "teacher-score", "--version"]).strip().splitlines()
    return [f"{model}, {os.cpu_count()} processors, {platform.system()} {platform.release()}", *version]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="one small round of everything, to see that it works")
    parser.add_argument("--only", default=",".join(PARTS), metavar="PARTS", help="some of " + ", ".join(PARTS))
    parser.add_argument("--no-compile", dest="compile", action="store_false", help="without torch.compile")
    parser.add_argument("--threads", default=f"1,{min(2, os.cpu_count())}" if os.cpu_count() > 1 else "1", help="(default: %(default)s)")
    parser.add_argument("--minutes", type=float, default=12, help="that all parts may take (default: %(default)s)")
    options = parser.parse_args()
    chosen = options.only.split(",")
    if unknown := [name for name in chosen if name not in PARTS]:
        parser.error(f"--only: there is no {unknown[0]}; parts are {', '.join(PARTS)}")
    options.threads = [int(word) for word in options.threads.split(",")]
    options.compile = options.compile and not options.quick
    options.seconds = {name: 60 * options.minutes * share for name, share in PARTS.items()}
    FOLDER.mkdir(parents=True, exist_ok=True)
    began, misses = time.perf_counter(), []
    print("\n".join(f"- {line}" for line in machine()), flush=True)
    for name in PARTS:
        if name in chosen:
            try:
                misses += BENCHMARKS[name](options) or []
            except Failed as problem:
                print(f"{name}: FAILED: {problem}\n", flush=True)
                misses.append(name)
    print(f"{(time.perf_counter() - began) / 60:.1f} minutes" + "".join(f"\nWRONG: {miss}" for miss in misses))
    sys.exit(1 if misses else 0)


if __name__ == "__main__":
    main()
