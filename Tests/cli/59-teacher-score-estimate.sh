# teacher-score --estimate: a sample's cost, and the whole corpus's from it; a disk that is too small.
ln -s "$INPUTS"/* .
tokenize --no-provenance --tokenizer "$FIXTURES/vocabularies/teacher" --batch-tokens 1024 long.ndjson >many.tokens
stream-cat many.tokens >many.ndjson
score="teacher-score --no-provenance --model teacher"
whole=$(wc -l <long.ndjson)

# field NAME CONDITION: of the last report.
field() { holds "$1-$2" "jq -e '.$2' $1.out"; }

ends spread 0 "$score --estimate 100 -o kept.scores many.tokens" "scored 100 documents spread over the corpus, [0-9,]+ tokens, in"
for what in 'sample == "spread"' "documents == $whole" 'sample_documents == 100' 'seconds > 0' 'bytes > 1000000' 'memory_bytes > 1000' \
    'free_bytes > 0' 'fits'; do field spread "$what"; done
holds writes-nothing 'test ! -e kept.scores'

# Bytes and tokens are right: the whole is not more than a hundredth larger or smaller.
near() {
    holds "$1-bytes" "python3 -c 'import sys; told, is_ = map(float, sys.argv[1:]); sys.exit(not abs(told / is_ - 1) < 0.01)' \
        \$(jq .bytes $1.out) \$(stat -c %s $2)"
}
ends whole 0 "$score -o whole.scores many.tokens"
near spread whole.scores
ends lists 0 "$score --estimate 200 --top-k 4 --statistics many.tokens" "bytes a token"
ends whole-lists 0 "$score --top-k 4 --statistics -o lists.scores many.tokens"
near lists lists.scores
ends text 0 "$score --estimate 200 --format ndjson many.ndjson" "the whole corpus, 20,000 documents"
ends whole-text 0 "$score --format ndjson -o text.scores many.tokens"
near text text.scores
ends more-than-there-are 0 "$score --estimate 100 teacher.tokens" "scored 5 documents spread"

# A pipe cannot be read twice: the first documents, and no totals.
ends pipe 0 "$score --estimate 100 <many.tokens -" "how long the corpus is cannot be known"
ends piped 0 "cat many.tokens | $score --estimate 100" "scored 100 first documents"
for what in 'sample == "first"' 'documents == null' 'bytes == null' 'bytes_per_token > 10'; do field piped "$what"; done
ends empty 0 "tokenize --no-provenance --tokenizer $FIXTURES/vocabularies/teacher /dev/null >empty.tokens; $score --estimate 3 empty.tokens" "scored 0 documents"
holds empty-json "jq -e '.sample_tokens == 0 and .bytes > 0' empty.out"
ends none 64 "$score --estimate 0 many.tokens" "at least 1"
ends with-import 64 "teacher-score --import x --estimate 3 many.tokens" "not for --import"

# A small disk is told of before anything is scored: 1 MiB of memory as a file system, in a user's own namespace where the system allows it.
if unshare -rm true 2>/dev/null; then
    mkdir small
    export score
    on_small() { printf 'unshare -rm sh -c "mount -t tmpfs -o size=1m small small && %s"' "$1"; }
    ends small 74 "$(on_small "$score --estimate 20 --top-k 50 -o small/x many.tokens")" "small/x: needs about [0-9,]+ bytes, and [0-9,]+ are free"
    holds small-json "jq -e '.fits == false' small.out"
    ends small-run 74 "$(on_small "$score -o small/x many.tokens")" "small/x: needs at least [0-9,]+ bytes, and [0-9,]+ are free"
    ends small-fits 0 "$(on_small "$score -o small/x teacher.tokens")"
fi
