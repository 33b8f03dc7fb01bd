# The same bytes from a file or a pipe, in either encoding. For threads, batches and orders see the gate R23.
vocabulary=$FIXTURES/vocabularies
ln -s "$INPUTS"/* .
tokenize --no-provenance --tokenizer "$vocabulary/teacher" <corpus.ndjson |
    teacher-score --no-provenance --model teacher --bos always |
    align --no-provenance student.tokens - >piped.aligned
same pipeline piped.aligned guided.aligned
tokenize --no-provenance --format ndjson --tokenizer "$vocabulary/teacher" corpus.ndjson >teacher.tokens.ndjson
ends tokenize-encodings 0 "stream-cat --diff teacher.tokens teacher.tokens.ndjson"
teacher-score --no-provenance --format ndjson --model teacher --bos always teacher.tokens.ndjson >teacher.scores.ndjson
ends teacher-score-encodings 0 "stream-cat --diff teacher.scores teacher.scores.ndjson"
stream-cat student.tokens >student.tokens.ndjson
align --no-provenance --format ndjson student.tokens.ndjson teacher.scores.ndjson >guided.ndjson
ends align-encodings 0 "stream-cat --diff guided.aligned guided.ndjson"
train --no-provenance --model teacher --out from.tensors --steps 3 --loss guided guided.aligned >log.tensors
train --no-provenance --model teacher --out from.ndjson --steps 3 --loss guided guided.ndjson >log.ndjson
same train-encodings log.tensors log.ndjson
same train-encodings-model from.tensors/model.safetensors from.ndjson/model.safetensors
