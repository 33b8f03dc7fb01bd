# teacher-score: tokens of another vocabulary are refused, also where their ids are ids of the model's.
cp -R "$INPUTS"/teacher "$INPUTS"/teacher.tokens .
tokens="tokenize --no-provenance --tokenizer $FIXTURES/vocabularies/student"
score="teacher-score --no-provenance --bos always"
# In the tiny vocabularies nearly all tokens are bytes with the same ids: a text of the few others.
seq 40 | sed 's/.*/{"id":"&","text":"the the the the"}/' | $tokens >other.tokens
ends own 0 "$score --model teacher teacher.tokens >own.scores"
message="^teacher-score: .*: record 0 at byte [0-9]+: of 200 tokens only [0-9]+ are as long .* another vocabulary made them"
ends other 65 "$score --model teacher other.tokens >other.scores" "$message"
ends other-in-ndjson 65 "stream-cat other.tokens | $score --model teacher >other.scores" "another vocabulary made them"
mkdir left
ends other-resumed 65 "$score --model teacher --resume -o left/other.scores other.tokens" "$message"
# Another file of the same vocabulary, a stream too short to tell, and a model without a vocabulary.
cp -R teacher spelt
python3 -c 'import json; t = json.load(open("spelt/tokenizer.json")); json.dump(t, open("spelt/tokenizer.json", "w"), indent=1)'
ends same-in-another-file 0 "$score --model spelt teacher.tokens >spelt.scores"
same same-scores own.scores spelt.scores
ends short 0 "echo '{\"text\":\"the the\"}' | $tokens | $score --model teacher >short.scores"
rm spelt/tokenizer*
ends no-vocabulary 0 "$score --model spelt other.tokens >spelt.scores"
