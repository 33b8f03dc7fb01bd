# evaluate perplexity: its report and its refusals.
ln -s "$INPUTS"/* .
ends report 0 "evaluate perplexity --no-provenance --bos always --documents --model teacher corpus.ndjson >report"
holds keys "python3 -c \"
import json, math
*documents, total = [json.loads(line) for line in open('report')]
assert len(documents) == 5, documents
assert total['bytes'] == sum(len(json.loads(line)['text'].encode()) for line in open('corpus.ndjson')), total
bits = total['bits_per_byte']
assert 0 < bits < 20, total
# An untrained model is about as good as the uniform one.
assert abs(total['nats_per_token'] - math.log(264)) < 0.5, total\""
# The student's vocabulary is smaller than the teacher's: the model of the one cannot read the tokens of the other.
train --no-provenance --model "$FIXTURES/vocabularies/student/config.json" --out small --steps 1 student.tokens >small.log
ln -s "$FIXTURES/vocabularies/teacher" vocabulary
golden wrong-vocabulary 65 "evaluate perplexity --model small --tokenizer vocabulary corpus.ndjson"
golden empty 0 "evaluate perplexity --no-provenance --model teacher </dev/null | sed -E 's/[0-9a-f]{64}/SHA/'"
# Several models on the same text: what each gives alone, also from a pipe; and a table.
head -c 100000 long.ndjson | sed '$d' >more.ndjson
for name in teacher reference; do
    ends "alone-$name" 0 "evaluate perplexity --no-provenance --documents --model $name corpus.ndjson more.ndjson >alone-$name"
done
ends both 0 "cat corpus.ndjson more.ndjson | evaluate perplexity --no-provenance --documents --model teacher --model reference >both"
holds side-by-side "python3 -c \"
import json
lines = {name: [json.loads(line) for line in open(name)] for name in ('both', 'alone-teacher', 'alone-reference')}
both, pairs = lines['both'], list(zip(lines['alone-teacher'], lines['alone-reference']))
assert len(both) == 2 * len(pairs) > 200
for i, pair in enumerate(pairs):
    for mine, alone in zip(both[2 * i:2 * i + 2], pair):
        assert 'model_sha256' in mine and {**mine, **alone} == mine, (mine, alone)\""
ends table 0 "evaluate perplexity --table --documents --model teacher --model reference corpus.ndjson >table"
holds table-rows "[[ \$(wc -l <table) == 13 ]] && grep -q '^reference *total *[0-9]' table && head -n 1 table | grep -q '  bytes  scored bytes  tokens'"
ends verbose 0 "evaluate perplexity --verbose --model teacher corpus.ndjson >report" "^evaluate: teacher: 5 documents, [0-9]+ tokens, [0-9.]+ s$"
ends tokenizers 64 "evaluate perplexity --model teacher --model reference --tokenizer teacher corpus.ndjson" "1 times --tokenizer for 2 times"
# Rolling windows: every byte has a score, words are counted as Python splits them.
ends rolling 0 "evaluate perplexity --no-provenance --documents --windows rolling --window 7 --model teacher corpus.ndjson >rolling"
holds rolling-figures "python3 -c \"
import json, math, re
*documents, total = [json.loads(line) for line in open('rolling')]
texts = [json.loads(line)['text'] for line in open('corpus.ndjson')]
assert [d['words'] for d in documents] == [len(re.split(r'\\s+', text)) for text in texts], documents
assert total['scored_tokens'] == total['tokens'] and total['scored_bytes'] == total['bytes'], total
assert math.isclose(total['word_perplexity'], math.exp(total['nats'] / sum(d['words'] for d in documents)))
assert math.isclose(total['byte_perplexity'], 2 ** total['bits_per_byte'])
assert total['windows'] == 'rolling' and 'stride' not in total, total\""
ends rolling-stride 64 "evaluate perplexity --windows rolling --stride 3 --model teacher corpus.ndjson" "--stride does not go with"
