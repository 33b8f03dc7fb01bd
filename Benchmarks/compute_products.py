"""Matrix products beside torch.matmul, and every kernel beside the machine's measured peak and memory."""
import re

from compute_common import BIN, TORCH_PYTHON, Failed, Peer, Rounds, heading, median, number, output, ratio, table, times

LINE = re.compile(r"linear (forward|backward) (\d+) x (\d+) x (\d+) .* (\d+) GFLOP/s, (\d+) % of peak")
TARGET = {"float32": None, "bfloat16": 1.0}


def ours(threads, precision, name):
    """The lines of compute-bench, which verifies first and ends with 1 when a value is wrong."""
    return output([BIN / "compute-bench", threads, *([name] if name else []), precision]).splitlines()


def products(lines):
    """{(rows, inputs, outputs): [forward, backward]} in FLOP/s and shares of the peak."""
    found = {}
    for line in lines:
        if match := LINE.match(line):
            shape = tuple(map(int, match.group(2, 3, 4)))
            found.setdefault(shape, []).append((float(match[5]) * 1e9, int(match[6])))
    if not found:
        raise Failed("compute-bench printed no product")
    return found


def benchmark(options):
    heading("Products", "GFLOP/s, forward / backward (two products); share of the 2,048³ product in float32 or bfloat16 of the same run; ours / torch's.")
    torch = Peer(TORCH_PYTHON, "peer_products.py")
    if torch.absent:
        print(f"torch: absent: {torch.absent}\n", flush=True)
    rates, shares, theirs = {}, {}, {}
    rounds = Rounds(1 if options.quick else 2, options.seconds["products"])
    for _ in rounds:
        for threads in options.threads:
            for precision in ("float32", "bfloat16"):
                found = products(ours(threads, precision, "linear"))
                answer = torch.ask(threads=threads, precision=precision, shapes=list(found), seconds=0.05 if options.quick else 0.4)
                for place, (shape, both) in enumerate(found.items()):
                    for way, (rate, share) in enumerate(both):
                        key = (precision, shape, threads, way)
                        rates.setdefault(key, []).append(rate)
                        shares.setdefault(key, []).append(share)
                        if answer:
                            theirs.setdefault(key, []).append(answer["flops"][place][way])
    torch.close()
    print(f"{rounds.done} rounds\n")
    rows = []
    for precision, shape in dict.fromkeys(key[:2] for key in rates):
        row = [precision, " x ".join(f"{size:,}" for size in shape)]
        for threads in options.threads:
            keys = [(precision, shape, threads, way) for way in (0, 1)]
            row.append(" / ".join(number(median(rates[key]) / 1e9) for key in keys))
            row.append(" / ".join(f"{median(shares[key]):.0f}" for key in keys) + " %")
            row.append(" / ".join(number(median(theirs[key]) / 1e9) for key in keys) if theirs else "absent")
            row.append(" / ".join(times(ratio(rates[key], theirs[key]), TARGET[precision]) for key in keys) if theirs else "-")
        rows.append(row)
    table(["numbers", "rows x inputs x outputs"] + [f"{name}, {threads}" for threads in options.threads for name in ("ours", "of the peak", "torch", "ratio")], rows)
    against_float32(options, rates)


def against_float32(options, rates):
    """bfloat16 as a multiple of our own float32."""
    rows = []
    for shape in dict.fromkeys(key[1] for key in rates):
        row = [" x ".join(f"{size:,}" for size in shape)]
        for threads in options.threads:
            row.append(" / ".join(times(ratio(rates["bfloat16", shape, threads, way], rates["float32", shape, threads, way]), 1.9) for way in (0, 1)))
        rows.append(row)
    table(["ours, bfloat16 / float32"] + [f"{threads} thread{'s' * (threads > 1)}" for threads in options.threads], rows)


def kernels(options):
    heading("Kernels", "compute-bench: GFLOP/s and shares of the peak, GB/s of arrays read or written once; best of several runs, each verified first.")
    if options.quick:
        print("(not with --quick)\n", flush=True)
        return
    for threads in options.threads:
        print("```\n" + "\n".join(ours(threads, "float32", None)) + "\n```\n", flush=True)
