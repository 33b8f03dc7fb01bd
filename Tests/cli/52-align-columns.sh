# align: every column it can add, against a twin in Python; several teachers; what belongs together and what does not.
ln -s "$INPUTS"/*.ndjson "$INPUTS"/*.tokens "$INPUTS"/teacher.scores "$INPUTS"/teacher .
vocabularies=$FIXTURES/vocabularies
carry="--student-tokenizer $vocabularies/student --teacher-tokenizer $vocabularies/teacher"
score="teacher-score --no-provenance --top-k 6 --model teacher"
$score --bos always teacher.tokens >top.scores
# A second teacher, with the student's vocabulary and without BOS: its first tokens have no score.
train --no-provenance --model "$vocabularies/student/config.json" --out second --steps 1 student.tokens >second.log
teacher-score --no-provenance --model second --bos never student.tokens >second.scores
for stream in student.tokens teacher.tokens teacher.scores top.scores second.scores; do stream-cat "$stream" >"$stream.json"; done

# twin NAME OPTIONS-OF-ALIGN OPTIONS-OF-THE-TWIN TEACHER…
twin() {
    local name=$1 options=$2 twin=$3
    shift 3
    ends "$name" 0 "align --no-provenance $options student.tokens $* >$name.aligned && stream-cat $name.aligned >$name.json"
    holds "$name-twin" "python3 $CLI/aligned_twin.py $twin $name.json student.tokens.json ${*/%/.json}"
}
twin plain "" "" teacher.scores
twin tokens-only "--groups" "" teacher.tokens
for aggregate in mean sum min first last; do twin "$aggregate" "--aggregate $aggregate" "aggregate=$aggregate" teacher.scores; done
for chunks in 1 3 1000; do twin "chunks-$chunks" "--chunks $chunks --groups" "chunks=$chunks" teacher.scores; done
twin groups "--groups" "" teacher.scores
twin lists "--lists" "lists=1" top.scores
twin groups-without-context "--groups" "" second.scores
twin carried "$carry" "student=$vocabularies/student teacher=$vocabularies/teacher" top.scores
twin everything "--groups $carry --aggregate sum" "aggregate=sum student=$vocabularies/student teacher=$vocabularies/teacher" top.scores
for choice in min mean document; do
    twin "teachers-$choice" "--groups --teachers $choice" "choice=$choice" teacher.scores second.scores
done
holds both-teachers-are-chosen "grep -q '\"teacher_choice\":0' teachers-document.json && grep -q '\"teacher_choice\":1' teachers-document.json"
golden headers 0 "for name in chunks-3 teachers-document; do head -n 1 \$name.json; done | sed -E 's/[0-9a-f]{64}/SHA/g'"
ends one-teacher 0 "align --no-provenance --teachers mean student.tokens teacher.scores >alone.aligned"
same one-teacher-same alone.aligned plain.aligned
ends three-teachers 0 "align --teachers mean student.tokens teacher.scores second.scores top.scores >three.aligned"
ends ndjson-in 0 "align --no-provenance --groups student.tokens.json teacher.scores.json >from.aligned"
same ndjson-in-same from.aligned groups.aligned
ends from-pipe 0 "stream-cat student.tokens | align --no-provenance --groups - teacher.scores >piped.aligned"
same from-pipe-same piped.aligned groups.aligned

# A model's rows past its vocabulary are no tokens of anyone: lost.
sed 1d top.scores.json | sed -E '2s/"top_ids":\[\[[0-9]+/"top_ids":[[999/' >padded.scores
cp padded.scores padded.scores.json
twin padded "$carry" "student=$vocabularies/student teacher=$vocabularies/teacher" padded.scores

# What another alignment said is forgotten.
ends again 0 "align --no-provenance --groups --teachers document student.tokens teacher.scores second.scores | align --no-provenance - teacher.scores >again.aligned"
same again-same again.aligned plain.aligned

# What does not belong together.
mkdir left
refused() { ends "$1" "$2" "align -o left/out $3" "$4" && only "$1-nothing-left"; }
refused too-few-vocabularies 64 "$carry student.tokens top.scores top.scores" "only with --teachers document"
refused half-of-the-vocabularies 64 "--student-tokenizer s student.tokens top.scores" "needs --teacher-tokenizer"
refused count-of-vocabularies 64 "$carry --teachers document student.tokens top.scores top.scores" "given 1 times for 2 teachers"
refused no-chunks 64 "--chunks 0 student.tokens teacher.scores" "must lie between"
refused wrong-student-vocabulary 65 "--student-tokenizer $vocabularies/teacher --teacher-tokenizer $vocabularies/teacher student.tokens top.scores" \
    "vocabularies/teacher: another vocabulary than that of student.tokens: its SHA-256 is [0-9a-f]{64}"
refused wrong-teacher-vocabulary 65 "--student-tokenizer $vocabularies/student --teacher-tokenizer $vocabularies/student student.tokens top.scores" \
    "vocabularies/student: another vocabulary than that of top.scores"
refused nothing-to-carry 65 "$carry student.tokens teacher.scores" "teacher.scores: record 0 at byte [0-9]+: records without 'top_ids'"
sed 1d top.scores.json | sed -E '2s/"input_ids":\[[0-9]+/"input_ids":[999/' >foreign.scores
refused ids-past-the-vocabulary 65 "$carry student.tokens foreign.scores" "foreign.scores:2: .*document 'b' has the token id 999, but the vocabulary of --teacher-tokenizer has 264"
refused scores-beside-tokens 65 "student.tokens teacher.scores teacher.tokens" "teacher.tokens: has no scores, but teacher.scores has"
sed 1d student.tokens.json >bare.tokens
{ cat bare.tokens; sed -n 2p bare.tokens; } >twice.tokens
{ cat teacher.tokens.json; sed -n 3p teacher.tokens.json; } >twice.teacher
refused id-twice 65 "twice.tokens twice.teacher" "twice.tokens:6: byte [0-9]+: the id 'b' is there twice"
sed 3d teacher.tokens.json >missing.teacher
refused missing-in-teacher 65 "student.tokens missing.teacher" "missing.teacher:3: byte [0-9]+: document 2 is 'empty', but in student.tokens it is 'b'"
sed 2d bare.tokens >missing.tokens
refused missing-in-student 65 "missing.tokens teacher.scores" "teacher.scores: record 0 at byte [0-9]+: document 2 is 'b', but in missing.tokens it is 'empty'"
sed '$d' teacher.tokens.json >short.teacher
refused teacher-ends-early 65 "student.tokens short.teacher" "short.teacher: ends after 4 documents, but student.tokens goes on with 'c'"
sed '$d' bare.tokens >short.tokens
refused student-ends-early 65 "short.tokens teacher.scores" "short.tokens: ends after 4 documents, but teacher.scores goes on with 'c'"
sed -E '3s/"text_hash":"./"text_hash":"0/' teacher.tokens.json >changed.teacher
refused other-text 65 "student.tokens changed.teacher" "changed.teacher:3: byte [0-9]+: document 'b' has another text than in student.tokens"
sed 1d teacher.scores.json | sed -E '2s/"log_probs":\[[^,]*,/"log_probs":[-1e999,/' >infinite.scores
refused infinite-loss 65 "student.tokens infinite.scores" "infinite.scores:2: "
sed 1d teacher.scores.json | sed -E '2s/"log_probs":\[[^,]*,/"log_probs":[0.5,/' >positive.scores
refused positive-log-probability 65 "student.tokens positive.scores" "positive.scores:2: .*log_probs' at token 0 is 0.5"
sed 1d teacher.scores.json | sed -E '2s/"log_probs":\[[^,]*,/"log_probs":[null,/' >unknown.scores
ends unknown-loss 0 "align --format ndjson student.tokens unknown.scores | grep -q '\"id\":\"b\".*\"teacher_losses\":\[null'"
refused second-teacher-differs 65 "student.tokens teacher.scores missing.teacher" "missing.teacher:3: "
tokenize --tokenizer "$vocabularies/student" --pack 16 corpus.ndjson >packed.tokens
refused packed 65 "packed.tokens teacher.scores" "packed.tokens: .*without .offsets"
refused three-with-overlap 64 "--overlap a b c" "compares two vocabularies"
refused twice-standard-input 64 "student.tokens - -" "only one of the streams"
