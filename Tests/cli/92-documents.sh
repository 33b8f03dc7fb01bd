# Every block of shell commands in README.md and docs runs, in its order, in one folder with the files that they name, at a small scale.
# Blocks of make are the business of other tests.
cp "$INPUTS"/corpus.ndjson "$INPUTS"/reference.scores .
cp corpus.ndjson held-out.ndjson
cp -R "$INPUTS/teacher" teacher.gguf # what a model is, is told by its content
cp -R "$INPUTS/reference" reference
cp -R "$FIXTURES/vocabularies/student" student
rm student/config.json
ln -s "$ROOT/scripts" scripts
printf '{"id":"%d","question":{"stem":"Where sat the cat?","choices":[{"text":"on the mat","label":"A"},{"text":"in","label":"B"}]},"answerKey":"A"}\n' \
    1 2 >ARC-Easy-Test.jsonl
printf '{"question":"How many cats are %d and %d?","answer":"That is one and more.\\n#### %d"}\n' 1 1 2 1 2 3 1 3 4 1 4 5 1 5 6 1 6 7 >train.jsonl
tail -n 2 train.jsonl >test.jsonl
for page in README.md docs/tasks.md; do
    count=0
    while IFS= read -r -d '' block; do
        [[ $block =~ ^(sudo )?make ]] && continue
        block=$(sed 's/--steps 1000/--steps 2/; s/--checkpoint-every 100/--checkpoint-every 1/; s/--warmup 100/--warmup 1/; s/32000/300/' <<<"$block")
        ends "$(basename "$page" .md)-$((++count))" 0 "set -euo pipefail; $block"
    done < <(python3 "$CLI/examples.py" "$ROOT/$page")
    ((count > 0)) || fail "$page" "has no commands"
done
holds students-are-models "test -e runs/guided/model.safetensors -a -e runs/distilled/model.safetensors"
