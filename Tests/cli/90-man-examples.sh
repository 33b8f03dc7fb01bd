# Every command that a man page shows behind '$ ' runs, in a folder with the files that they name.
cp -R "$INPUTS"/* .
cp -R "$FIXTURES/vocabularies/student" student
gzip -k corpus.ndjson
cp teacher.scores other.scores
printf '{"context":"the cat sat on %s","choices":["the mat","the inn"],"answer":%d}\n' top 0 a 1 >items.ndjson
echo '{"prompt":"the cat sat on","answer":"7","until":["\n"]}' >questions.ndjson
printf 'One line,\n\nand another.\n' >poem.txt
printf '{"step":%d}\n' 1 2 >1.log
printf '{"step":%d}\n' 2 3 >2.log
for page in "$ROOT"/man/man[157]/*; do
    name=$(basename "$page")
    count=0
    while IFS= read -r -d '' command; do
        ends "$name-$((++count))" 0 "$command"
    done < <(python3 "$CLI/examples.py" "$page")
    ((count > 0)) || fail "$name" "has no examples"
done
