# The same bytes for any number of threads, file or pipe, and either encoding.
vocabulary=$FIXTURES/vocabularies
ln -s "$INPUTS"/* .
for threads in 1 2 5; do
    teacher-score --no-provenance --model teacher --bos always --threads $threads teacher.tokens >scores.$threads
    train --no-provenance --model teacher --out model.$threads --steps 3 --threads $threads --loss guided guided.aligned >log.$threads
    evaluate perplexity --no-provenance --model teacher --threads $threads --documents corpus.ndjson >report.$threads
    ((threads == 1)) && continue
    same "scores-threads-$threads" scores.1 scores.$threads
    same "train-log-threads-$threads" log.1 log.$threads
    same "train-model-threads-$threads" model.1/model.safetensors model.$threads/model.safetensors
    same "evaluate-threads-$threads" report.1 report.$threads
done
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
train --no-provenance --model teacher --out from.ndjson --steps 3 --loss guided guided.ndjson >log.ndjson
same train-encodings log.1 log.ndjson
tokenize --no-provenance --tokenizer "$vocabulary/teacher" --batch-tokens 1 corpus.ndjson >small.tokens
teacher-score --no-provenance --model teacher --bos always small.tokens >small.scores
stream-cat teacher.scores >a.ndjson
stream-cat small.scores >b.ndjson
same scores-batches a.ndjson b.ndjson
