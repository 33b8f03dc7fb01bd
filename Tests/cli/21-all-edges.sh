# What every tool does at the edges of its input and output: absent, closed, cut, another kind. Full and limited outputs, and pipes:
# Tests/reliability, R13 and R20 to R22.
vocabulary=$FIXTURES/vocabularies/student
ln -s "$INPUTS"/* .
# NAME COMMAND, reading standard input; %s stands for more options.
commands=(
    "tokenize|tokenize --no-provenance --tokenizer $vocabulary %s|corpus.ndjson"
    "align-student|align --no-provenance %s - teacher.scores|student.tokens"
    "align-teacher|align --no-provenance %s student.tokens -|teacher.scores"
    "teacher-score|teacher-score --no-provenance --model teacher %s|teacher.tokens"
    "sample-teacher|sample --no-provenance --scores-only --teacher - --reference reference.scores %s|teacher.scores"
    "sample-reference|sample --no-provenance --ratio 1 --teacher teacher.scores --reference - %s teacher.tokens|reference.scores"
    "train|train --no-provenance --model teacher --out left/model --steps 1 %s|teacher.tokens"
    "evaluate|evaluate perplexity --no-provenance --model teacher %s|corpus.ndjson"
    "stream-cat|stream-cat %s|student.tokens"
)
mkdir left
for entry in "${commands[@]}"; do
    IFS='|' read -r name command input <<<"$entry"
    tool=${command%% *}
    plain=$(printf "$command" "")
    ends "$name-whole" 0 "$plain <$input >$name.whole"
    rm -rf left && mkdir left
    ends "$name-closed-input" 66 "$plain <&-" "^$tool: <stdin>: cannot read: the descriptor is closed"
    ends "$name-folder-input" 66 "$plain <." "^$tool: <stdin>: cannot read: this is a folder"
    if [[ $input != corpus.ndjson ]]; then
        ends "$name-empty-input" 65 "$plain </dev/null" "^$tool: <stdin>: empty"
        ends "$name-cut-input" 65 "head -c -20 $input | $plain" "^$tool: <stdin>: .*expected"
        ends "$name-corpus" 65 "$plain <corpus.ndjson" "^$tool: <stdin>"
        ends "$name-gzip" 65 "gzip -c $input | $plain" "gzip"
    else
        ends "$name-tensor-stream" 65 "$plain <student.tokens" "tensor stream"
        ends "$name-cut-input" 65 "head -c -20 $input | $plain" "^$tool: <stdin>:5: "
        ends "$name-gzip" 65 "gzip -c $input | $plain" "gzip"
    fi
    if [[ $name == train ]]; then
        only train-leaves-nothing
        continue
    fi
    with_output=$(printf "$command" "-o left/out")
    ends "$name-file" 0 "$with_output <$input"
    same "$name-file-bytes" "$name.whole" left/out
    only "$name-file-alone" out
    ends "$name-file-cut-input" 65 "head -c -20 $input | $with_output" "^$tool: <stdin>"
    only "$name-file-cut-input-leaves-nothing"
    ends "$name-file-no-folder" 73 "$(printf "$command" "-o absent/out") <$input" "^$tool: absent/out: cannot create: folder 'absent' does not exist"
    ends "$name-stopped" 143 "{ cat $input; sleep 3; } | { $with_output & sleep 0.5; kill -TERM \$!; wait \$!; }"
    only "$name-stopped-leaves-nothing"
done
ends tokenize-absent 66 "tokenize --tokenizer $vocabulary absent" "^tokenize: absent: cannot open: No such file"
ends tokenize-absent-vocabulary 66 "tokenize --tokenizer absent corpus.ndjson" "^tokenize: absent"
ends align-absent 66 "align student.tokens absent" "^align: absent: cannot open: No such file"
ends teacher-score-absent 66 "teacher-score --model teacher absent" "^teacher-score: absent: cannot open: No such file"
ends teacher-score-absent-model 66 "teacher-score --model absent teacher.tokens" "^teacher-score: absent"
ends sample-absent 66 "sample --teacher teacher.scores --reference reference.scores absent" "^sample: absent: cannot open: No such file"
ends train-absent 66 "train --model teacher --out left/m --steps 1 absent" "^train: absent: cannot open: No such file"
ends evaluate-absent 66 "evaluate perplexity --model teacher absent" "^evaluate: absent: cannot open: No such file"
ends stream-cat-absent 66 "stream-cat absent" "^stream-cat: absent: cannot open: No such file"

# An output that is an input too is refused, however both are written, and stays as it was.
ln -s student.tokens link
for output in "-o student.tokens" "-o=student.tokens" "--output=./student.tokens" "-o link"; do
    ends "replaces ${output/\//}" 64 "align student.tokens teacher.scores $output" "the command line names this file once more"
done
same replaces-nothing student.tokens "$INPUTS/student.tokens"
ends rejects-replace 64 "tokenize --tokenizer $FIXTURES/vocabularies/student --on-error skip --rejects corpus.ndjson corpus.ndjson" "^tokenize: --rejects corpus.ndjson: "
ends again-over-an-output 0 "for time in 1 2; do align student.tokens teacher.scores -o some.aligned; done"
