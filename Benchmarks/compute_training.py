"""A training step: train beside torch, eager and compiled, in float32 and under bfloat16 autocast."""
import json
import math
import pathlib
import subprocess
import tempfile

from compute_common import (
    BIN, ENVIRONMENT, MISTRAL, ROOT, SMOLLM2, TORCH_PYTHON, Failed, Rounds, config, documents, forward_flops, gigabytes, heading, median,
    number, peak, precisions, ratio, run, shapes, table, times)

# name, shape, documents of a step, their length, vocabulary, largest share of torch's memory
JOBS = [("15 M Llama, 16 x 256", "llama-15m", 16, 256, MISTRAL, 0.4), ("SmolLM2's shape, 4 x 512", "smollm2", 4, 512, SMOLLM2, 0.6)]
QUICK = [("15 M Llama, 2 x 256", "llama-15m", 2, 256, MISTRAL, 0.4)]
# What ours is held to.
PEERS = {
    "float32": [("eager", [], 1.3), ("compiled", ["--compile"], 1.1)],
    "bfloat16": [("eager autocast", ["--autocast"], 1.5), ("compiled autocast", ["--autocast", "--compile"], 1.2)]}
WARM_UP = {"llama-15m": 2, "smollm2": 1}


def ours(shape, batch, length, tokenizer, precision, threads, steps):
    # A document of one token more than a segment gives exactly one full segment.
    stream = documents(tokenizer, length + 1, batch * 4)
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile("w+") as log:
        command = [BIN / "train", "--model", config(shape), "--out", pathlib.Path(folder) / "out", "--steps", steps + WARM_UP[shape]]
        command += ["--batch-tokens", batch * length, "--sequence-length", length, "--bos", "never", "--eos", "never", "--threads", threads]
        command += ["--precision", precision] if precision != "float32" else []
        _, memory = run(command + [stream], stdout=log)
        log.seek(0)
        lines = [json.loads(line) for line in log]
    if any(line["tokens"] != batch * length for line in lines):
        raise Failed(f"a step of train has {lines[0]['tokens']} tokens, not {batch * length}")
    return {"tokens_per_s": median([line["tokens_per_s"] for line in lines[WARM_UP[shape] :]]), "peak_memory_bytes": memory,
            "first_loss": lines[0]["loss_nats_per_token"]}


def theirs(shape, batch, length, options, threads, steps, seconds):
    command = [TORCH_PYTHON, ROOT / "Benchmarks/peer_training.py", "--config", config(shape), "--batch", batch, "--sequence-length", length]
    try:
        done = subprocess.run(
            [*map(str, command), *options, "--threads", str(threads), "--steps", str(steps), "--warm-up", str(WARM_UP[shape])],
            capture_output=True, text=True, env=ENVIRONMENT, timeout=seconds)
    except (OSError, subprocess.TimeoutExpired) as error:
        return {"absent": f"not ready within {seconds} s" if isinstance(error, subprocess.TimeoutExpired) else str(error)}
    if done.returncode != 0:
        return {"absent": ([""] + done.stderr.strip().splitlines())[-1][:200]}
    found = json.loads(done.stdout.splitlines()[-1])
    return {"tokens_per_s": found["median_tokens_per_s"], "peak_memory_bytes": found["peak_memory_bytes"],
            "first_loss": found["first_loss_nats_per_token"], "warm_up_s": found["warm_up_s"]}


class Training:
    def __init__(self, options, job):
        self.options, self.threads, self.misses = options, max(options.threads), []
        self.name, self.shape, self.batch, self.length, self.tokenizer, self.memory = job
        self.steps = 1 if options.quick else 3 if self.shape == "llama-15m" else 2
        self.precisions = [name for name in precisions("train") if name in PEERS]
        self.found, self.absent = {}, {}

    def keep(self, name, one):
        if "absent" in one:
            self.absent[name] = one["absent"]
        else:
            self.found.setdefault(name, []).append(one)

    def benchmark(self, seconds):
        print(f"### {self.name}, {self.threads} thread{'s' * (self.threads > 1)}\n", flush=True)
        rounds = Rounds(1 if self.options.quick else 3, seconds)
        self.verify()
        job = (self.shape, self.batch, self.length)
        for turn in rounds:
            for precision in self.precisions:
                mine = ours(*job, self.tokenizer, precision, self.threads, self.steps)
                self.keep(f"ours {precision}", mine)
                for name, options, _ in PEERS[precision]:
                    if "--compile" in options and (turn > 0 or not self.options.compile):
                        continue
                    one = theirs(*job, options, self.threads, self.steps, 300)
                    self.keep(name, one)
                    if "absent" not in one:
                        self.found.setdefault((precision, name), []).append(mine)
        print(f"{rounds.done} rounds of {self.steps} steps after {WARM_UP[self.shape]}; compiled once\n")
        self.show()
        return self.misses

    def verify(self):
        """A new model's first loss lies near ln V, and is the same in both precisions: the same weights on the same tokens."""
        chance = math.log(shapes()[self.shape][5])
        first = {name: ours(self.shape, self.batch, self.length, self.tokenizer, name, self.threads, 1)["first_loss"] for name in self.precisions}
        said = ", ".join(f"{name} {loss:.5f}" for name, loss in first.items())
        print(f"loss of the first step: {said} nats a token; chance {chance:.5f}\n", flush=True)
        if any(abs(loss / chance - 1) > 0.05 or abs(loss / first["float32"] - 1) > 2e-3 for loss in first.values()):
            self.misses.append(f"{self.name}: first losses {said}")

    def show(self):
        peers = [name for precision in self.precisions for name, _, _ in PEERS[precision]]
        rows = []
        for precision in self.precisions:
            runs = self.found[f"ours {precision}"]
            rate, memory = median([one["tokens_per_s"] for one in runs]), max(one["peak_memory_bytes"] for one in runs)
            work = 3 * rate * forward_flops(self.shape, self.length)
            row = [f"ours {precision}", number(rate), number(work / 1e9), f"{100 * work / peak(self.threads, precision):.0f} %", gigabytes(memory), "-"]
            row += [self.against(precision, peer) for peer in peers]
            eager = self.found.get(PEERS[precision][0][0])
            share = memory / max(one["peak_memory_bytes"] for one in eager) if eager else None
            row.append("-" if share is None else f"{100 * share:.0f} % ({'met' if share <= self.memory else 'NOT'} {100 * self.memory:.0f})")
            rows.append(row)
        for name in peers:
            runs = self.found.get(name)
            if not runs:
                rows.append([name, f"absent: {self.absent.get(name, 'not asked for')}", *["-"] * (5 + len(peers))])
                continue
            rate = median([one["tokens_per_s"] for one in runs])
            rows.append([name, number(rate), number(3 * rate * forward_flops(self.shape, self.length) / 1e9), "-",
                         gigabytes(max(one["peak_memory_bytes"] for one in runs)), number(max(one["warm_up_s"] for one in runs)), *["-"] * (len(peers) + 1)])
        table(["", "tokens/s", "GFLOP/s", "of the peak", "memory, GB", "first steps, s", *(f"/ {peer}" for peer in peers), "of eager's memory"], rows)

    def against(self, precision, peer):
        """Ours to the peer of the same precision, each with the run that followed it."""
        target = next((target for name, _, target in PEERS[precision] if name == peer), None)
        if target is None or (precision, peer) not in self.found:
            return "-"
        mine = [one["tokens_per_s"] for one in self.found[precision, peer]]
        return times(ratio(mine, [one["tokens_per_s"] for one in self.found[peer]]), target)


def benchmark(options):
    heading("Training", "Cross-entropy, AdamW, clipping; median of the steps after the first one or two. GFLOP/s by three forward passes a token.")
    jobs = QUICK if options.quick else JOBS
    return [miss for job in jobs for miss in Training(options, job).benchmark(options.seconds["training"] / len(jobs))]
