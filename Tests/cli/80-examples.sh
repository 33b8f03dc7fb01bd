# examples/distil in small: one pass of the teacher, all students, and what a changed setting makes again.
mkdir corpus run
sed -n 1,200p "$INPUTS/long.ndjson" >corpus/scored.ndjson
sed -n 201,400p "$INPUTS/long.ndjson" >corpus/base.ndjson
sed -n 401,420p "$INPUTS/long.ndjson" >corpus/held-out.ndjson
vocabularies=$FIXTURES/vocabularies
tools=$(dirname "$(command -v sample)")
# Nothing of what drives the tests may drive this make.
distil="env -u MAKEFLAGS -u MAKELEVEL make --no-print-directory -C run -f $ROOT/examples/distil/Makefile BIN=$tools CORPUS=$PWD/corpus TEACHER=$INPUTS/teacher \
    VOCABULARY=$vocabularies/student SHAPE=$vocabularies/teacher/config.json TOKENS=4000 BATCH=512 PASSES=1"
holds distil "$distil 2>&1"
holds distil-asks-the-teacher-once "test \$(grep -c '^teacher-score --model $INPUTS/teacher' distil.out) = 1"
holds distil-report "grep -q '^Selected minus random: ' run/report.txt && grep -q '^Guided minus plain: ' run/report.txt"
holds distil-budget "test \$(stream-cat --stat run/selected.tokens | sed 's/.*\"tokens\":\([0-9]*\).*/\1/') -le 2000"
holds distil-same-documents "diff <(jq -r .id run/selected.ndjson) <(stream-cat run/selected.tokens | tail -n +2 | jq -r .id)"
holds distil-random-differs "! cmp -s run/random.tokens run/selected.tokens"
holds distil-again "$distil | grep -q 'Nothing to be done'"
holds distil-share "$distil SHARE=0.25 2>&1"
holds distil-share-retrains-two "test \"\$(grep -o -- '--out [a-z]*' distil-share.out | sort | tr '\n' ' ')\" = '--out random --out selected '"
