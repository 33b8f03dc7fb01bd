# The same bytes for any number of threads, file or pipe, and either encoding.
vocabulary=$FIXTURES/vocabularies
ln -s "$INPUTS"/* .
for precision in bfloat16 float32; do
    for threads in 1 2 5; do
        run="--no-provenance --precision $precision --threads $threads"
        teacher-score $run --model teacher --bos always teacher.tokens >scores.$threads
        rm -rf model.$threads
        train $run --model teacher --out model.$threads --steps 3 --loss guided guided.aligned >log.$threads
        evaluate perplexity $run --model teacher --documents corpus.ndjson >report.$threads
        ((threads == 1)) && continue
        same "$precision-scores-threads-$threads" scores.1 scores.$threads
        same "$precision-train-log-threads-$threads" log.1 log.$threads
        same "$precision-train-model-threads-$threads" model.1/model.safetensors model.$threads/model.safetensors
        same "$precision-evaluate-threads-$threads" report.1 report.$threads
    done
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
for precision in bfloat16 float32; do
    for tokens in teacher small; do
        teacher-score --no-provenance --precision $precision --model teacher --bos always $tokens.tokens | stream-cat >$tokens.ndjson
    done
    same "$precision-scores-batches" teacher.ndjson small.ndjson
done
