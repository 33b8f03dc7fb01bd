# sample: what it refuses, and where; nothing is left half-written.
ln -s "$INPUTS"/* .
mkdir left
cat >t.ndjson <<'LINES'
{"id":"a","text_hash":"44bc2cf5ad770999","input_ids":[1,2],"log_probs":[null,-1]}
{"id":"b","text_hash":"44bc2cf5ad770999","input_ids":[3,4,5],"log_probs":[null,-1,-2]}
{"id":"c","text_hash":"44bc2cf5ad770999","input_ids":[6,7],"log_probs":[null,-3]}
LINES
sed 's/-1/-2.5/' t.ndjson >r.ndjson
for id in a b c; do echo "{\"id\":\"$id\",\"text\":\"abc\",\"n\":[1]}"; done >c.ndjson
ends whole 0 "sample --teacher t.ndjson --reference r.ndjson --ratio 1 c.ndjson | cmp - c.ndjson"

# refused NAME STATUS PATTERN ARGUMENTS: the message, and no file behind it.
refused() {
    ends "$1" "$2" "sample --no-provenance -o left/out --report left/report --plot left/plot $4" "$3"
    only "$1-leaves-nothing"
}
both="--teacher t.ndjson --reference bad.ndjson c.ndjson"

# The two streams of scores.
sed 's/\[6,7\]/[6,8]/' r.ndjson >bad.ndjson
refused other-tokens 65 "^sample: bad.ndjson:3: byte 173: document 'c' has other tokens than in t.ndjson" "$both"
sed '2s/44bc/55bc/' r.ndjson >bad.ndjson
refused other-text 65 "^sample: bad.ndjson:2: byte 84: document 'b' has another text than in t.ndjson" "$both"
sed 2d r.ndjson >bad.ndjson
refused missing-document 65 "^sample: bad.ndjson:2: byte [0-9]+: document 2 is 'c', in t.ndjson it is 'b'" "$both"
sed '$d' r.ndjson >bad.ndjson
refused missing-at-the-end 65 "^sample: bad.ndjson: ends after 2 documents, but t.ndjson goes on with 'c'" "$both"
refused missing-in-the-teacher 65 "^sample: bad.ndjson: ends after 2 documents, but r.ndjson goes on with 'c'" "--teacher bad.ndjson --reference r.ndjson c.ndjson"
sed '2s/-2.5,-2/null,-2/' r.ndjson >bad.ndjson
refused missing-score 65 "^sample: bad.ndjson:2: byte [0-9]+: document 'b': token 1 has no score" "$both"
refused missing-score-of-the-teacher 65 "^sample: bad.ndjson:2: byte [0-9]+: document 'b': token 1 has no score" "--teacher bad.ndjson --reference t.ndjson c.ndjson"
sed '3s/-3/-1e39/' r.ndjson >bad.ndjson
refused infinite-score 65 "^sample: bad.ndjson:3: byte [0-9]+: .*log_probs" "$both"
sed '3s/-3/0.5/' r.ndjson >bad.ndjson
refused no-log-probability 65 "^sample: bad.ndjson:3: byte [0-9]+: .*log-probability" "$both"
for name in t r; do sed 's/"id":"c"/"id":"a"/' $name.ndjson >repeated.$name; done
sed '3s/"c"/"a"/' c.ndjson >repeated.c
refused repeated-id 65 "^sample: repeated.t: documents 1 and 3 have the same id, 'a'" "--teacher repeated.t --reference repeated.r repeated.c"
refused same-scores 65 "^sample: t.ndjson: the same score for every token as in t.ndjson" "--teacher t.ndjson --reference t.ndjson c.ndjson"

# Models that are not what they seem.
refused same-model 65 "^sample: teacher.scores: scores of the same model as in teacher.scores" "--teacher teacher.scores --reference teacher.scores corpus.ndjson"
zeros=$(printf '0%.0s' {1..64})
model=$(stream-cat --header reference.scores | sed 's/.*model_sha256":"\([0-9a-f]*\).*/\1/')
ends model-that-was-asked-for 0 "sample --teacher teacher.scores --reference reference.scores --reference-sha256 $model corpus.ndjson >/dev/null"
refused other-reference 65 "^sample: reference.scores: scores of another model: 'model_sha256' is $model, expected $zeros" \
    "--teacher teacher.scores --reference reference.scores --reference-sha256 $zeros corpus.ndjson"
refused other-teacher 65 "^sample: t.ndjson: scores of another model: 'model_sha256' is absent" "--teacher t.ndjson --reference r.ndjson --teacher-sha256 $zeros c.ndjson"
teacher-score --no-provenance --model reference --bos always student.tokens >other.scores 2>/dev/null
[[ -s other.scores ]] || fail other-vocabulary "there are no scores of another vocabulary"
refused other-vocabulary 65 "^sample: other.scores: other tokens than the teacher's: 'vocabulary_sha256' is" "--teacher teacher.scores --reference other.scores corpus.ndjson"

# Another kind of input, a cut one, one that is absent.
refused tokens-for-scores 65 "^sample: teacher.tokens: holds tokens, expected scores" "--teacher teacher.tokens --reference reference.scores corpus.ndjson"
head -c -20 reference.scores >cut.scores
refused cut-reference 65 "^sample: cut.scores: record [0-9]+ at byte [0-9]+: .*expected" "--teacher teacher.scores --reference cut.scores corpus.ndjson"
refused absent-reference 66 "^sample: absent: cannot open" "--teacher teacher.scores --reference absent corpus.ndjson"
refused absent-corpus 66 "^sample: absent: cannot open" "--teacher teacher.scores --reference reference.scores absent"
refused absent-second-corpus 66 "^sample: absent: cannot open" "--teacher t.ndjson --reference r.ndjson c.ndjson absent"

# A corpus that was not scored.
pair="--teacher t.ndjson --reference r.ndjson"
sed '2s/abc/abd/' c.ndjson >bad.ndjson
refused corpus-other-text 65 "^sample: bad.ndjson:2: byte [0-9]+: document 'b' has another text than the one that was scored" "$pair bad.ndjson"
sed 2d c.ndjson >bad.ndjson
refused corpus-lacks-one 65 "^sample: bad.ndjson:2: byte [0-9]+: document 2 is 'c', in the scores it is 'b'" "$pair bad.ndjson"
sed '$d' c.ndjson >bad.ndjson
refused corpus-too-short 65 "^sample: bad.ndjson: ends after 2 documents, but the scores go on with 'c'" "$pair bad.ndjson"
{ cat c.ndjson; echo '{"id":"d","text":"abc"}'; } >bad.ndjson
refused corpus-too-long 65 "^sample: bad.ndjson:4: byte [0-9]+: goes on with document 'd', but the scores end after 3" "$pair bad.ndjson"
sed 's/"text"/"body"/' c.ndjson >bad.ndjson
refused corpus-without-text 65 "^sample: bad.ndjson:1: byte 0: field 'text' is missing" "$pair bad.ndjson"
head -c -20 c.ndjson >bad.ndjson
refused corpus-cut 65 "^sample: bad.ndjson:3: " "$pair bad.ndjson"
sed 's/\[6,7\]/[6,8]/' t.ndjson >bad.ndjson
refused corpus-other-tokens 65 "^sample: bad.ndjson:3: byte [0-9]+: document 'c' has other tokens than those that were scored" "$pair bad.ndjson"
sed 2d t.ndjson >bad.ndjson
refused corpus-records-lack-one 65 "^sample: bad.ndjson:2: byte [0-9]+: document 2 is 'c', in the scores it is 'b'" "$pair bad.ndjson"
refused corpus-is-empty 65 "^sample: /dev/null: ends after 0 documents, but the scores go on with 'a'" "$pair /dev/null"
refused corpus-of-both-kinds 65 "^sample: t.ndjson: records, but c.ndjson before it holds text" "$pair c.ndjson t.ndjson"
gzip -k c.ndjson
refused corpus-compressed 65 "^sample: c.ndjson.gz: not NDJSON: this is gzip data" "$pair c.ndjson.gz"
refused source-is-a-list 65 "^sample: c.ndjson:1: byte 0: document 'a': 'n' is an array, expected a string or a number" "$pair --source-key n c.ndjson"

# Chunks.
refused chunks-of-documents 65 "^sample: teacher.scores: holds documents, not packed chunks" "--unit chunk --teacher teacher.scores --reference reference.scores corpus.ndjson"
vocabulary=$FIXTURES/vocabularies/teacher
tokenize --no-provenance --tokenizer "$vocabulary" --pack 9 --separator 5 corpus.ndjson >packed.tokens
tokenize --no-provenance --tokenizer "$vocabulary" --pack 9 --separator 6 corpus.ndjson >other.tokens
for model in teacher reference; do teacher-score --no-provenance --model $model --bos never packed.tokens >packed.$model; done
teacher-score --no-provenance --model reference --bos never other.tokens >other.reference
refused other-separator 65 "'separator_id' is 6, in packed.teacher 5" "--teacher packed.teacher --reference other.reference packed.tokens"
refused text-for-chunks 65 "^sample: corpus.ndjson: text, but the scores are of packed chunks" "--teacher packed.teacher --reference packed.reference corpus.ndjson"
refused other-chunks 65 "^sample: other.tokens: record 0 at byte [0-9]+: chunk '[0-9]+' has other tokens than those that were scored" \
    "--teacher packed.teacher --reference packed.reference other.tokens"

# Wrong usage.
refused no-reference 64 "missing expected argument '--reference" "--teacher t.ndjson c.ndjson"
refused ratio-past-one 64 "--ratio must lie between 0 and 1" "$pair --ratio 1.5 c.ndjson"
refused two-goals 64 "choose one of --ratio, --tokens and --threshold" "$pair --ratio 0.5 --tokens 4 c.ndjson"
refused threshold-without-number 64 "--method threshold needs --threshold" "$pair --method threshold c.ndjson"
refused threshold-of-a-draw 64 "exclude each other" "$pair --method gumbel --threshold 1 c.ndjson"
refused threshold-nan 64 "--threshold must be a number" "$pair --threshold nan c.ndjson"
refused twice-standard-input 64 "can be only one of" "--teacher - --reference - c.ndjson"
refused scores-are-standard-input 64 "name the corpus" "--teacher - --reference r.ndjson"
refused short-hash 64 "64 hexadecimal digits" "$pair --teacher-sha256 12 c.ndjson"
refused little-memory 64 "at least 1M" "$pair --memory 1000 c.ndjson"
refused memory-in-words 64 "memory" "$pair --memory much c.ndjson"
ends two-reports-one-output 64 "sample $pair --report - c.ndjson" "cannot both go to standard output"
ends source-without-report 64 "sample $pair --source-key n c.ndjson" "is for --report"
ends no-folder-for-the-report 73 "sample $pair --report absent/report c.ndjson" "^sample: absent/report: cannot create"
