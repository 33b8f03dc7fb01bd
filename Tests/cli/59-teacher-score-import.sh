# teacher-score --import: scores that were made elsewhere, checked against the stream that they are joined to.
ln -s "$INPUTS"/* .
teacher-score --no-provenance --model teacher --bos always --top-k 3 -o made.scores teacher.tokens
stream-cat made.scores >made.ndjson
import="teacher-score --no-provenance --bos always --import"

# What teacher-score wrote itself comes back, but for the facts of who made it; so does what another program writes.
ends own 0 "$import made.ndjson --import-model toy -o own.scores teacher.tokens"
golden own-header 0 "stream-cat --header own.scores"
# The kept mass is that of the probabilities in the file, which were rounded.
holds own-values "diff <(sed 1d made.ndjson | jq -c 'del(.kept_masses)') <(stream-cat own.scores | sed 1d | jq -c 'del(.kept_masses)')"
jq -c 'select(.id) | {id, tokens: .input_ids, token_logprobs: .log_probs}' made.ndjson >foreign.ndjson
ends foreign 0 "$import foreign.ndjson --format ndjson -o - teacher.tokens | sed 1d >foreign.scores"
holds foreign-values "diff <(jq -c 'select(.id) | .log_probs' made.ndjson) <(jq -c .log_probs foreign.scores)"
jq -c '.token_logprobs[0] = null | if .tokens == [] then .token_logprobs = [] else . end' foreign.ndjson >none.ndjson
# The scores themselves differ between processors in their last digits: no golden file of them.
golden first-has-none 0 "teacher-score --no-provenance --import none.ndjson --format ndjson teacher.tokens | tee none.scores | jq -c 'del(.log_probs)'"
holds first-has-none-values "diff <(jq -c .token_logprobs none.ndjson) <(sed 1d none.scores | jq -c .log_probs)"
ends aligned 0 "align --no-provenance student.tokens own.scores >own.aligned"
# Lists in any order are put in order.
jq -c 'if .id then .top_ids |= map(reverse) | .top_log_probs |= map(reverse) else . end' made.ndjson >reversed.ndjson
ends reversed 0 "$import reversed.ndjson --import-model toy -o reversed.scores teacher.tokens"
holds reversed-order "diff <(stream-cat own.scores | jq -c .top_log_probs) <(stream-cat reversed.scores | jq -c .top_log_probs)"

# change JQ: the file with one thing changed.
change() { jq -c "$1" foreign.ndjson >changed.ndjson; }
refused() {
    change "$2"
    ends "$1" 65 "$import changed.ndjson -o refused.scores teacher.tokens" "$3"
}
refused other-order 'if .id == "a" then .id = "b" elif .id == "b" then .id = "a" else . end' \
    "changed.ndjson:1: byte 0: scores of document 'b', expected 'a'"
refused no-id 'del(.id)' "changed.ndjson:1: byte 0: field 'id' is missing"
refused other-id 'if .id == "b" then .tokens[3] = 7 else . end' "changed.ndjson:2: byte [0-9]+: 'tokens': token 3 is 7, expected [0-9]+"
refused other-count 'if .id == "b" then .tokens[40:] = [] else . end | .tokens += [1]' "'tokens' has [0-9]+ elements, the document has"
refused fewer-scores 'if .id == "c" then .token_logprobs[1:2] = [] else . end' "changed.ndjson:5: .*'token_logprobs' has 9 elements"
refused no-scores 'del(.token_logprobs)' "field 'log_probs' is missing"
refused both 'if .id == "b" then .log_probs = .token_logprobs else . end' "has both 'log_probs' and 'token_logprobs'"
refused positive 'if .id == "b" then .token_logprobs[2] = 0.25 else . end' "token 2 is 0.25, expected a finite log-probability"
refused hole 'if .id == "b" then .token_logprobs[2] = null else . end' "token 2 is no number"
refused words 'if .id == "b" then .token_logprobs[2] = "-1" else . end' "token 2 is no number"
refused lists-of-some 'if .id == "b" then .top_ids = [] | .top_log_probs = [] else . end' \
    "'top_ids' and 'top_log_probs' must be arrays with a list for each of [0-9]+ tokens"
refused lists-begin-late 'if .id == "b" then .top_ids = [.tokens[] | []] | .top_log_probs = .top_ids else . end' \
    "has 'top_ids', which documents before it have not"
lists() { refused "$1" "if .id == \"a\" then .top_ids = [.tokens[] | $2] | .top_log_probs = [.tokens[] | $3] else . end" "$4"; }
lists uneven '[1, 2]' '[-1]' "token 0 has 2 elements in 'top_ids' and 1 in 'top_log_probs'"
lists outside '[264]' '[-1]' "no id of the vocabulary of 264"
lists twice '[5, 5]' '[-1, -1]' "ids repeat"
lists too-much '[5, 6]' '[-0.1, -0.2]' "add up to 1.7"
refused fewer-documents 'select(.id != "c")' "changed.ndjson: ends before document 'c'"
jq -c . foreign.ndjson <(echo '{"id":"more","log_probs":[]}') >more.ndjson
ends more-documents 65 "$import more.ndjson -o refused.scores teacher.tokens" "more.ndjson:6: byte [0-9]+: document 'more' stands behind the last"
ends cut 65 "head -c 300 foreign.ndjson >cut.ndjson; $import cut.ndjson teacher.tokens" "cut.ndjson:[0-9]+: .*is cut or not valid JSON"
ends absent 66 "$import absent.ndjson teacher.tokens" "absent.ndjson: cannot open"
holds nothing-left '! ls -A | grep -q refused.scores'
ends with-model 64 "$import foreign.ndjson --model teacher teacher.tokens" "one of them only"
ends with-lists 64 "$import foreign.ndjson --top-k 2 teacher.tokens" "not for --import"
ends resumed 64 "$import foreign.ndjson --resume -o x teacher.tokens" "--resume is not for --import"
