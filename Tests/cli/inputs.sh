# Inputs that most cases share: a corpus, its tokens in both tiny vocabularies, a tiny teacher, its scores, their alignment.
cat >corpus.ndjson <<'TEXT'
{"id":"a","text":"the cat sat on the mat"}
{"id":"b","text":"Größe: the thing in the inn, 12 times."}
{"id":"empty","text":""}
{"text":"no id of its own,\n\ttwo lines"}
{"id":"c","text":"😀 the end"}
TEXT
tokenize --no-provenance --tokenizer "$FIXTURES/vocabularies/student" corpus.ndjson >student.tokens
tokenize --no-provenance --tokenizer "$FIXTURES/vocabularies/teacher" corpus.ndjson >teacher.tokens
# Weights that are random but for two steps.
train --no-provenance --model "$FIXTURES/vocabularies/teacher/config.json" --out teacher --steps 2 --learning-rate 0.01 \
    teacher.tokens >teacher.log
teacher-score --no-provenance --model teacher --bos always teacher.tokens >teacher.scores
align --no-provenance student.tokens teacher.scores >guided.aligned
# A reference model in the teacher's vocabulary that has learnt less.
train --no-provenance --model "$FIXTURES/vocabularies/teacher/config.json" --out reference --steps 1 --seed 2 --learning-rate 0.001 \
    teacher.tokens >reference.log
teacher-score --no-provenance --model reference --bos always teacher.tokens >reference.scores
# Enough records for a pipe to fill.
seq 20000 | sed 's/.*/{"id":"&","text":"the number & stands in the line &"}/' >long.ndjson
tokenize --no-provenance --tokenizer "$FIXTURES/vocabularies/student" --batch-tokens 1024 long.ndjson >long.tokens
