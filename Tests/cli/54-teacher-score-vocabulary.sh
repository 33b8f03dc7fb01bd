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
# train: the same of the vocabulary that it carries into what it saves; and no more tokens than the model has.
train="train --no-provenance --steps 1 --batch-tokens 64 --sequence-length 32"
ends train-own 0 "$train --model teacher/config.json --out own teacher.tokens >own.log"
ends train-other 65 "$train --model teacher/config.json --out other other.tokens" "^train: other.tokens: .* another vocabulary made them"
[[ ! -e other && ! -e other.checkpoints ]] && pass train-other-leaves-nothing || fail train-other-leaves-nothing
ends train-none 0 "$train --model spelt/config.json --out none other.tokens >none.log"
size=$(stream-cat --header other.tokens | jq .vocabulary_size)
jq "del(.bos_token_id, .eos_token_id) | .vocab_size = $size - 1" spelt/config.json >small.json
ends train-larger 65 "$train --model small.json --out larger other.tokens" "the stream's vocabulary has $size tokens, the model's $((size - 1))"
# A model of one position sees no token before another.
jq '.max_position_embeddings = 1' teacher/config.json >one.json && cp one.json teacher/config.json
ends one-position 65 "$score --model teacher teacher.tokens" "^teacher-score: teacher: the model has 1 position"
