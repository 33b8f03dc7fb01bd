# teacher-score: lists of ids, draws and statistics agree with one another, in either encoding, in any order and for any threads.
ln -s "$INPUTS"/* .
score="teacher-score --no-provenance --model teacher --bos always"
lists="--top-k 6 --top-p 0.012 --sampled 5 --statistics --temperature 2"
ends lists 0 "$score $lists teacher.tokens >lists.scores"
ends lists-ndjson 0 "$score $lists --format ndjson teacher.tokens >lists.ndjson"
ends same-in-both 0 "stream-cat --diff lists.scores lists.ndjson"
ends one-thread 0 "$score $lists --threads 1 teacher.tokens >one.scores"
same threads-change-nothing lists.scores one.scores
ends scores-alone 0 "$score teacher.tokens >alone.scores; stream-cat alone.scores | sed 1d | jq -c .log_probs >alone; sed 1d lists.ndjson | jq -c .log_probs | cmp - alone"

# What each list says of the others. METHOD: the fewest ids that reach the mass, of them at most k.
holds lists-agree "python3 - lists.ndjson <<'PYTHON'
import json, math, sys
header, *documents = [json.loads(line) for line in open(sys.argv[1])]
assert header['top_k'] == 6 and header['top_p'] == '0.012' and header['sampled'] == 5 and header['temperature'] == '2.0', header
cut = 0
for d in documents:
    for t, token in enumerate(d['input_ids']):
        ids, logs = d['top_ids'][t], d['top_log_probs'][t]
        assert logs == sorted(logs, reverse=True) and len(set(ids)) == len(ids) == len(logs) and 1 <= len(ids) <= 6
        masses = [math.exp(x) for x in logs]
        # Rounded to 16 bits: within 0.3 %.
        assert abs(sum(masses) / d['kept_masses'][t] - 1) < 3e-3
        assert len(ids) == 6 or d['kept_masses'][t] >= 0.012, (ids, masses)
        assert sum(masses[:-1]) < 0.012 * 1.003
        cut += len(ids) < 6
        if token in ids: assert abs(logs[ids.index(token)] - d['log_probs'][t]) < 2e-3
        drawn, weights = d['sampled_ids'][t], d['sampled_weights'][t]
        assert drawn == sorted(set(drawn)) and abs(sum(weights) - 1) < 1e-6 and all(abs(5 * w - round(5 * w)) < 1e-6 for w in weights)
        assert 0 <= d['entropies'][t] and d['logit_deviations'][t] > 0 and d['power_sums'][t] >= 1
assert cut > 0, 'no list was ended by its mass'
PYTHON"

# A document's draws depend on the seed and its id, not on its company.
ends alone-in-its-stream 0 "grep '\"c\"' corpus.ndjson | tokenize --no-provenance --tokenizer \$FIXTURES/vocabularies/teacher | $score $lists --format ndjson | sed 1d >c.ndjson"
holds company-changes-nothing "grep '\"id\":\"c\"' lists.ndjson | cmp - c.ndjson"
ends another-seed 0 "$score --sampled 5 --seed 1 --format ndjson teacher.tokens | sed 1d | jq -c .sampled_ids >seed1; $score --sampled 5 --format ndjson teacher.tokens | sed 1d | jq -c .sampled_ids >seed0"
holds seeds-differ "! cmp -s seed0 seed1"

# Without a BOS the first token has no context, hence no list.
ends no-context 0 "teacher-score --model teacher --bos never $lists --format ndjson teacher.tokens | sed 1d >without"
holds nothing-without-context "jq -e 'select(.input_ids | length > 0) | (.top_ids[0] == []) and .entropies[0] == null and .kept_masses[0] == null and .sampled_ids[0] == []' without"
# A long document in windows has the lists of one token as often as it has tokens.
ends windows 0 "$score $lists --window 6 --stride 2 --format ndjson teacher.tokens | sed 1d >windows"
holds one-list-a-token "jq -e '(.input_ids | length) == (.top_ids | length)' windows"

for bad in "--top-k 0" "--top-p 0" "--top-p 1.5" "--sampled 0" "--sampled 70000" "--temperature 0 --statistics" "--temperature 2" "--top-p nan"; do
    ends "usage${bad// /_}" 64 "$score $bad teacher.tokens" "see 'teacher-score --help'"
done

# The folder's matrices are float32, those of a bfloat16 export are not.
ends native 0 "teacher-score --no-provenance --model teacher --precision native --format ndjson teacher.tokens | head -1 | jq -r .precision >native"
holds native-is-float32 "grep -qx float32 native"
ends export 0 "train --no-provenance --model teacher --out again --steps 1 --learning-rate 0 --export half --export-precision bfloat16 teacher.tokens >again.log"
ends native-half 0 "teacher-score --no-provenance --model half --precision native --format ndjson teacher.tokens | head -1 | jq -r .precision >native-half"
holds native-half-is-bfloat16 "grep -qx bfloat16 native-half"

# Bytes a token as computed: 4 for the id, 8 of span, 4 of log-probability, 8 + 6 an entry, 4 of mass; splits of documents and hashes aside.
ends storage 0 "head -n 500 long.ndjson | tokenize --no-provenance --tokenizer \$FIXTURES/vocabularies/teacher | $score --top-k 4 >top4.scores; stream-cat --stat top4.scores >top4.stat"
holds storage-as-computed "jq -e '(.column_bytes_per_token - (4 + 8 + 4 + 8 + 4 * 6 + 4)) as \$rest | \$rest > 0 and \$rest < 16 * .documents / .tokens + 0.1 and .top_entries_per_token == 4' top4.stat"
holds storage-is-the-file "python3 -c \"
import json, os
stat = json.load(open('top4.stat'))
size, columns = os.path.getsize('top4.scores'), stat['column_bytes_per_token'] * stat['tokens']
assert columns < size < 1.05 * columns + 14 * stat['documents'], (size, columns)\""
