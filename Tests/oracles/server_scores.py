"""Compares the scores of a server with those of the same model scored here.

    server_scores.py [--same] SERVER.ndjson LOCAL.ndjson     from stream-cat; --same: two runs of the server

llama.cpp rounds activations to 8 bits where it multiplies them with quantised weights, so log-probabilities differ by about a tenth of a nat;
the bounds are about twice what was measured. Two runs of the server differ in the last bits, with what it had in its cache.
"""
import json
import sys

same = sys.argv[1] == "--same"
server, local = ([json.loads(line) for line in open(path, encoding="utf-8")] for path in sys.argv[-2:])
assert len(server) == len(local), (len(server), len(local))
differences, first, shared, tokens, listed = [], 0, 0, 0, 0
for one, two in zip(server[1:], local[1:]):
    assert one["id"] == two["id"] and one["input_ids"] == two["input_ids"], (one["id"], two["id"])
    for place, (a, b) in enumerate(zip(one["log_probs"], two["log_probs"])):
        tokens += 1
        if a is None:
            # The server hides the first token's score.
            assert place == 0, (one["id"], place)
            continue
        differences.append(abs(a - b))
        mine, theirs = one["top_ids"][place], two["top_ids"][place]
        assert len(set(mine)) == len(mine) <= 5
        if mine:
            listed += 1
            first += mine[0] == theirs[0]
            shared += len(set(mine) & set(theirs)) / len(mine)
mean, most = sum(differences) / len(differences), max(differences)
print(f"{len(differences)} of {tokens} tokens: mean |difference| {mean:.4f}, largest {most:.3f} nats; most probable id equal in "
      f"{100 * first / listed:.1f} %, {100 * shared / listed:.1f} % of the five shared")
if same:
    sys.exit(not most < 1e-3)
sys.exit(not (len(differences) > 80 and mean < 0.2 and most < 2 and first > 0.8 * listed and shared > 0.85 * listed))
