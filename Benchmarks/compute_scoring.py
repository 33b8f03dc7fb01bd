"""Scoring SmolLM2 from its GGUF file: teacher-score beside transformers and llama.cpp on the same documents."""
import json
import tempfile

from compute_common import (
    BIN, LLAMA_PYTHON, SMOLLM2, TORCH_PYTHON, Peer, Rounds, documents, forward_flops, gigabytes, heading, median, number, peak, precisions,
    ratio, run, smollm2_folder, table, times)

TARGETS = {("float32", "transformers float32"): 1.3, ("bfloat16", "transformers bfloat16"): 1.5}
QUANTISED = 1.5


def score(stream, threads, precision, out):
    command = [BIN / "teacher-score", "--model", SMOLLM2, "--bos", "never", "--threads", threads]
    # The option may be missing in an older tool.
    command += ["--precision", precision] if precision != "float32" else []
    return run(command + ["--format", "ndjson", "-o", out, stream])


def ours(stream, threads, precision, tokens, started):
    """A run's figures. `started`: seconds of a run over a document of 16 tokens, taken off for the steady speed."""
    with tempfile.NamedTemporaryFile(suffix=".ndjson") as out:
        seconds, memory = score(stream, threads, precision, out.name)
        scores = [value for line in open(out.name, encoding="utf-8") for value in json.loads(line).get("log_probs", []) if value is not None]
    return {"whole": tokens / seconds, "tokens_per_s": tokens / max(1e-3, seconds - started), "peak_memory_bytes": memory,
            "mean_nll_nats_per_token": -sum(scores) / len(scores)}


class Scoring:
    def __init__(self, options):
        self.options, self.misses, self.peaks = options, [], {}
        self.precisions = precisions("teacher-score")
        # Folders, not the GGUF file: unpacking that in Python takes memory that scoring does not.
        self.peers = {
            f"transformers {name}": Peer(
                TORCH_PYTHON, "peer_scoring.py", "--model", smollm2_folder(name) or SMOLLM2, "--precision", name, "--serve")
            for name in ("float32", "bfloat16")}
        self.peers |= {
            "llama.cpp": Peer(LLAMA_PYTHON, "peer_llama_cpp.py", "--model", SMOLLM2, "--serve")}
        for name, peer in self.peers.items():
            if peer.absent:
                print(f"{name}: absent: {peer.absent}\n", flush=True)
        self.start = documents(SMOLLM2, 16, 1)

    def targets(self, precision, peer):
        return TARGETS.get((precision, peer), QUANTISED if peer == "llama.cpp" and precision != "float32" else None)

    def benchmark(self):
        lengths = [(512, 2), (1_024, 1)] if self.options.quick else [(512, 4), (1_024, 2)]
        for length, count in lengths:
            share = self.options.seconds["scoring"] / len(lengths)
            self.one_length(length, documents(SMOLLM2, length, count), length * count, share)
        for peer in self.peers.values():
            peer.close()
        return self.misses

    def one_length(self, length, stream, tokens, seconds):
        print(f"### Documents of {length:,} tokens\n", flush=True)
        rounds = Rounds(1 if self.options.quick else 3, seconds)
        batch = self.verify(length, stream, tokens)
        found = {}
        for _ in rounds:
            for threads in self.options.threads:
                for precision in self.precisions:
                    if precision in ("float32", "bfloat16"):
                        self.peaks.setdefault((threads, precision), []).append(peak(threads, precision))
                    with tempfile.NamedTemporaryFile() as out:
                        started, _ = score(self.start, threads, precision, out.name)
                    found.setdefault((f"ours {precision}", threads), []).append(ours(stream, threads, precision, tokens, started))
                for name, peer in self.peers.items():
                    more = {"batch_tokens": batch, "verify": False} if name == "llama.cpp" else {}
                    if answer := peer.ask(documents=str(stream), threads=threads, **more):
                        found.setdefault((name, threads), []).append(answer)
        print(f"{rounds.done} rounds of {tokens:,} tokens\n")
        self.show(length, found)

    def verify(self, length, stream, tokens):
        """Mean NLL of each, before anything is timed. Returns llama.cpp's better batch."""
        threads = max(self.options.threads)
        means = {f"ours {name}": ours(stream, threads, name, tokens, 0)["mean_nll_nats_per_token"] for name in self.precisions}
        rates = {}
        for name, peer in self.peers.items():
            for size in (512, 2_048) if name == "llama.cpp" else (None,):
                more = {"batch_tokens": size, "verify": size == 512} if size else {}
                if answer := peer.ask(documents=str(stream), threads=threads, **more):
                    rates[size] = answer["tokens_per_s"]
                    means.setdefault(name, answer["mean_nll_nats_per_token"])
        bounds = [(f"ours {name}", "ours float32", 2e-3) for name in self.precisions[1:]]
        bounds += [("ours float32", "transformers float32", 1e-4)] + [(f"ours {name}", "llama.cpp", 1e-3) for name in self.precisions]
        rows = []
        for mine, other, bound in bounds:
            if other in means:
                difference = means[mine] / means[other] - 1
                wrong = abs(difference) > bound
                # llama.cpp rounds its inputs to 8 bits: what float32 and bfloat16 differ from it is its own error, and said only.
                binding = other != "llama.cpp" or mine not in ("ours float32", "ours bfloat16")
                if wrong and binding:
                    self.misses.append(f"{mine} against {other}, documents of {length}")
                rows.append([mine, other, f"{means[mine]:.6f}", f"{means[other]:.6f}", f"{100 * difference:+.4f} %",
                             f"{100 * bound:g} %" + (" " + ("NOT" if wrong else "met") if binding or not wrong else " no")])
        table(["mean NLL, nats a token", "against", "", "", "difference", "bound"], rows)
        batches = {size: rate for size, rate in rates.items() if size}
        if batches:
            print("llama.cpp's batches: " + ", ".join(f"{size:,}: {number(rate)} tokens/s" for size, rate in batches.items()) + "\n", flush=True)
        return max(batches, key=batches.get) if batches else 512

    def show(self, length, found):
        peers = list(self.peers)
        rows = []
        for threads in self.options.threads:
            for name, at in found:
                if at != threads:
                    continue
                runs = found[name, at]
                rates = [one["tokens_per_s"] for one in runs]
                mine = name.startswith("ours ")
                precision = name.removeprefix("ours ")
                work = median(rates) * forward_flops("smollm2", length)
                share = f"{100 * work / median(self.peaks[threads, precision]):.0f} %" if mine and (threads, precision) in self.peaks else "-"
                row = [str(threads), name, number(median(rates)), number(median([one["whole"] for one in runs])) if mine else "-",
                       number(work / 1e9), share, gigabytes(max(one["peak_memory_bytes"] for one in runs))]
                for peer in peers:
                    other = [one["tokens_per_s"] for one in found.get((peer, at), [])]
                    row.append(times(ratio(rates, other), self.targets(precision, peer)) if mine and other else "-")
                rows.append(row)
        table(["threads", "", "tokens/s", "whole process", "GFLOP/s", "of the peak", "memory, GB", *(f"/ {peer}" for peer in peers)], rows)


def benchmark(options):
    heading("Scoring SmolLM2", "Log-probability of every token, from the Q4_1 file. Ours: whole processes; tokens/s without the start (a run over "
            "16 tokens, taken off), beside it with the start. Peers are loaded and warm; transformers has the file's\nweights from folders in float32 and bfloat16.")
    return Scoring(options).benchmark()
