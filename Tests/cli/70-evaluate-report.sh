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
