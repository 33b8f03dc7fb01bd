# Broken pipes on either side: 141 for the writer whose reader has gone, 65 for the reader whose writer was killed.
vocabulary=$FIXTURES/vocabularies
ln -s "$INPUTS"/* .
tokenize --no-provenance --tokenizer "$vocabulary/teacher" --batch-tokens 1024 long.ndjson >long.teacher.tokens
teacher-score --no-provenance --model teacher long.teacher.tokens >long.scores
# NAME COMMAND whose output is longer than any pipe.
while IFS='|' read -r name command; do
    ends "$name-head" 141 "$command | head -n 1 >/dev/null; exit \${PIPESTATUS[0]}"
    # Also where whoever starts it ignores SIGPIPE, as Python does.
    ends "$name-head-ignoring" 141 "trap '' PIPE; $command | head -n 1 >/dev/null; exit \${PIPESTATUS[0]}"
done <<TEXT
tokenize|tokenize --format ndjson --tokenizer $vocabulary/student long.ndjson
align|align --format ndjson long.tokens long.scores
teacher-score|teacher-score --format ndjson --model teacher long.teacher.tokens
sample|sample --allow-same-model --ratio 1 --teacher long.scores --reference long.scores long.ndjson
train|train --model teacher --out left --steps 100000 --batch-tokens 64 --sequence-length 64 teacher.tokens
evaluate|evaluate perplexity --documents --model teacher long.ndjson
stream-cat|stream-cat long.tokens
TEXT

# killed NAME LEFT RIGHT: the left side dies without a chance to say so, while it waits for the rest of its corpus.
killed() {
    local name=$1 left right status
    mkfifo "$name.pipe"
    rm -rf left && mkdir left
    { head -n 15000 long.ndjson; sleep 2; } | bash -c "exec $2" >"$name.pipe" 2>/dev/null &
    left=$!
    bash -c "exec $3" <"$name.pipe" >"$name.out" 2>"$name.err" &
    right=$!
    sleep 0.7
    kill -KILL "$left" || fail "$name" "the left side had ended by itself"
    wait "$left" 2>/dev/null
    wait "$right"
    status=$?
    if [[ $status == 65 ]] && grep -qE '<stdin>: .*(expected .*stream ends|ends without|empty)' "$name.err"; then
        pass "$name"
    else
        fail "$name" "expected 65, found $status: $(head -c 300 "$name.err")"
    fi
    only "$name-leaves-nothing"
}
teacher="tokenize --no-provenance --tokenizer $vocabulary/teacher"
student="tokenize --no-provenance --tokenizer $vocabulary/student"
killed killed-into-teacher-score "$teacher" "teacher-score --model teacher -o left/out"
killed killed-into-train "$teacher" "train --model teacher --out left/model --steps 1000000"
killed killed-into-stream-cat "$teacher" "stream-cat -o left/out"
killed killed-into-align-teacher "$teacher" "align -o left/out long.tokens -"
killed killed-into-sample "$teacher" "sample --allow-same-model --ratio 1 -o left/out --teacher long.scores --reference long.scores -"
killed killed-into-align-student "$student" "align -o left/out - long.scores"
