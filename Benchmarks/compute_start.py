"""Start-up: whole processes from nothing to the scores of one short document."""
import tempfile

from compute_common import (
    BIN, LLAMA_PYTHON, ROOT, SMOLLM2, TORCH_PYTHON, Failed, Rounds, documents, gigabytes, heading, median, ratio, run, smollm2_folder, table,
    times)

TARGET = 10
def benchmark(options):
    heading("Start", "Seconds of a whole process that scores one document of 16 tokens, files in the page cache; ratio: the peer's to ours.")
    stream, model, threads = documents(SMOLLM2, 16, 1), smollm2_folder("bfloat16"), max(options.threads)
    peer = [TORCH_PYTHON, ROOT / "Benchmarks/peer_scoring.py", "--warm-up", 0, "--threads", threads]
    llama = [LLAMA_PYTHON, ROOT / "Benchmarks/peer_llama_cpp.py", "--warm-up", 0, "--threads", threads]
    ours = [BIN / "teacher-score", "--bos", "never", "--threads", threads, "--model"]
    commands = {("ours", "Q4_1 file"): [*ours, SMOLLM2, stream]}
    if model:
        commands["ours", "bfloat16 folder"] = [*ours, model, stream]
        commands["transformers float32", "bfloat16 folder"] = [*peer, "--model", model, stream]
        commands["transformers bfloat16", "bfloat16 folder"] = [*peer, "--precision", "bfloat16", "--model", model, stream]
    commands["llama.cpp in Python", "Q4_1 file"] = [*llama, "--model", SMOLLM2, stream]
    found, absent = {}, {} if model else {("transformers", "bfloat16 folder"): f"{TORCH_PYTHON} has no torch and transformers"}
    rounds = Rounds(1 if options.quick else 3, options.seconds["start"])
    for _ in rounds:
        for key, command in commands.items():
            try:
                with tempfile.TemporaryFile() as out:
                    found.setdefault(key, []).append(run(command, stdout=out))
            except Failed as problem:
                if key[0] == "ours":
                    raise
                absent[key] = str(problem).splitlines()[-1][:160]
    print(f"{rounds.done} rounds\n")
    rows = []
    for key, runs in found.items():
        if not runs:
            continue
        seconds = [one[0] for one in runs]
        mine = [one[0] for one in found["ours", key[1]]]
        target = TARGET if key[0].startswith("transformers") else None
        rows.append([*key, f"{median(seconds):.3f}", gigabytes(max(one[1] for one in runs)), "-" if key[0] == "ours" else times(ratio(seconds, mine), target)])
    rows += [[*key, f"absent: {why}", "-", "-"] for key, why in absent.items()]
    table(["", "model", "seconds", "memory, GB", "times ours"], rows)
