# teacher-score --endpoint: a server's scores in every dialect, in windows, through every trouble that passes; what is refused.
if ! python3 -c 'import http.server' 2>/dev/null; then return 0; fi
cat >corpus.ndjson <<'TEXT'
{"id":"trial","text":"one two three"}
{"id":"a","text":"the cat sat on the mat"}
{"id":"b","text":"Größe: the thing in the inn, 12 times."}
{"id":"empty","text":""}
{"id":"one","text":"t"}
{"id":"c","text":"😀 the end, then another line\n\tand some more of it than fits a window of sixteen tokens"}
TEXT
teacher=$FIXTURES/vocabularies/teacher
tokenize --no-provenance --tokenizer "$teacher" corpus.ndjson >tokens
tokenize --no-provenance --tokenizer "$FIXTURES/vocabularies/student" corpus.ndjson >others
stream-cat tokens >tokens.ndjson
# Proxies of the machine are not for loopback.
export no_proxy=127.0.0.1 NO_PROXY=127.0.0.1
unset PRECEPTOR_API_KEY
python3 "$CLI/completions_server.py" corpus.ndjson tokens.ndjson port requests.log 2>server.err &
server=$!
trap 'kill $server' EXIT
for _ in $(seq 100); do [[ -e port ]] && break; sleep 0.1; done
export at=http://127.0.0.1:$(cat port)
ask="teacher-score --no-provenance --tokenizer $teacher"
bos=$(stream-cat --header tokens | python3 -c 'import json, sys; print(json.load(sys.stdin)["bos_id"])')

# The scores are the server's, whatever the dialect, and the dialect is found out.
ends vllm 0 "$ask --endpoint $at/vllm -o vllm.scores tokens"
holds vllm-right "stream-cat vllm.scores >v.ndjson && python3 $CLI/completions_server.py --check v.ndjson 2048 1024"
ends echo 0 "$ask --endpoint $at/echo/v1 -o echo.scores tokens"
golden header 0 "stream-cat --header echo.scores"
holds echo-right "stream-cat echo.scores >e.ndjson && python3 $CLI/completions_server.py --check e.ndjson 2048 1024"
ends text 0 "$ask --endpoint $at/text/v1/completions --bos always -o text.scores tokens"
golden text-scores 0 "stream-cat text.scores"
ends aligned 0 "align others text.scores >others.aligned"
ends text-adds-bos 0 "$ask --endpoint $at/text.addbos --bos always -o addbos.scores tokens"
same text-bos-once text.scores addbos.scores
ends stripped 0 "$ask --endpoint $at/vllm.stripped -o stripped.scores tokens"
same strings-without-spaces vllm.scores stripped.scores
ends bos 0 "$ask --endpoint $at/vllm --bos always -o bos.scores tokens"
holds bos-right "stream-cat bos.scores >w.ndjson && python3 $CLI/completions_server.py --check w.ndjson 2048 1024 $bos"

# Windows, the server's own limit, the order under many requests that come back late.
for options in "16 4" "16 15" "2 1" "7 7"; do
    ends "window-$options" 0 "$ask --endpoint $at/vllm --window ${options% *} --stride ${options#* } -o w.scores tokens"
    holds "window-$options-right" "stream-cat w.scores >w.ndjson && python3 $CLI/completions_server.py --check w.ndjson $options"
    ends "window-bos-$options" 0 "$ask --endpoint $at/vllm --bos always --window ${options% *} --stride ${options#* } -o w.scores tokens"
    holds "window-bos-$options-right" "stream-cat w.scores >w.ndjson && python3 $CLI/completions_server.py --check w.ndjson $options $bos"
done
ends limit 0 "$ask --endpoint $at/vllm.short -o limit.scores tokens"
holds limit-known "stream-cat --header limit.scores | grep -q '\"window\":64'"
ends beyond-limit 65 "$ask --endpoint $at/vllm.short --window 65 tokens" "window of 65 tokens, .*limit of 65"
for n in 1 3 64; do
    ends "concurrency-$n" 0 "$ask --endpoint $at/vllm.late --concurrency $n -o late.scores tokens"
    same "order-$n" vllm.scores late.scores
done

# The most probable tokens: the same from ids and from names.
golden top 0 "$ask --endpoint $at/vllm --top-k 2 --format ndjson tokens"
ends top-echo 0 "$ask --endpoint $at/echo --top-k 2 --format ndjson -o top.ndjson tokens"
holds top-ids "diff <(sed 1d top.out) <(sed 1d top.ndjson)"
ends top-all 0 "$ask --endpoint $at/vllm.partial --top-k 2 --format ndjson -o all.ndjson tokens"
ends top-named 0 "$ask --endpoint $at/echo.partial --top-k 2 --format ndjson -o named.ndjson tokens"
holds nameless-are-left-out "python3 - all.ndjson named.ndjson" <<'PYTHON'
import itertools, json, sys
pairs = lambda record: [list(zip(*lists)) for lists in zip(record.get("top_ids", []), record.get("top_log_probs", []))]
fewer = 0
for one, two in zip(*map(open, sys.argv[1:])):
    for all_of_them, named in zip(pairs(json.loads(one)), pairs(json.loads(two))):
        assert set(named) <= set(all_of_them), (named, all_of_them)
        fewer += len(named) < len(all_of_them)
assert fewer > 5, fewer
PYTHON
# Rows past the vocabulary.
ends padded 0 "$ask --endpoint $at/vllm.padded --top-k 2 --format ndjson -o padded.ndjson tokens"
holds padded-ids "diff top.out padded.ndjson"
golden top-p 0 "$ask --endpoint $at/vllm --top-k 3 --top-p 0.3 --format ndjson tokens"

# Troubles that pass leave no trace.
for trouble in busy broken closing cutting; do
    ends "$trouble" 0 "$ask --endpoint $at/vllm.$trouble --concurrency 1 -o passed.scores tokens" "trying again in"
    same "$trouble-passed" vllm.scores passed.scores
done
ends slow 74 "$ask --endpoint $at/vllm.slow --timeout 1 --retries 0 -o none.scores tokens" "no answer after 1 try: .*(timed out|Timeout)"
ends starting 74 "$ask --endpoint $at/vllm.starting --retries 1 -o none.scores tokens" "no answer after 2 tries: status 503: loading model"
ends away 74 "$ask --endpoint http://127.0.0.1:1 --retries 0 -o none.scores tokens" "no answer after 1 try: .*onnect"

# A server that goes away for good: what was scored stays, and another run goes on to the same bytes.
for _ in $(seq 120); do sed 1d tokens.ndjson; done | cat <(head -n 1 tokens.ndjson) - >many.ndjson
ends unbroken 0 "$ask --endpoint $at/vllm --top-k 2 -o unbroken.scores many.ndjson"
ends dying 74 "$ask --endpoint $at/vllm.dying --top-k 2 --retries 0 --resume -o resumed.scores many.ndjson" "no answer after 1 try: status 502: <html>"
holds some-is-kept "test ! -e resumed.scores && test \$(stat -c %s resumed.scores.partial) -gt 100000"
ends other-dialect 65 "$ask --endpoint $at/echo --top-k 2 --resume -o resumed.scores many.ndjson" "was begun with --dialect vllm, this run with --dialect echo"
ends resumed 0 "$ask --endpoint $at/vllm.late --top-k 2 --resume -o resumed.scores many.ndjson"
same resumed-bytes unbroken.scores resumed.scores

# In the foreground: else timeout sends the signal twice, to the tool and to its group, and the second one ends it at once.
ends stopped 75 "timeout --foreground --preserve-status -s TERM 1 $ask --endpoint $at/vllm.slow.stop --resume -o stopped.scores tokens" \
    "stopped (before a record was scored|with [0-9]+ documents scored, in stopped.scores.partial)"
ends after-the-stop 0 "$ask --endpoint $at/vllm --resume -o stopped.scores tokens"
same stopped-bytes vllm.scores stopped.scores

# What the server refuses, in its words.
ends refusing 65 "$ask --endpoint $at/vllm.refusing -o none.scores tokens" "status 400 at /completions: This model's maximum context length is 4"
ends validating 65 "$ask --endpoint $at/vllm.validating -o none.scores tokens" "status 422 at /completions: body.prompt: Input should be"
ends no-key 66 "$ask --endpoint $at/vllm.key -o none.scores tokens" "status 401 at /models: Incorrect API key"
ends key 0 "PRECEPTOR_API_KEY=secret-of-mine $ask --verbose --endpoint $at/vllm.key -o key.scores tokens" "toy at http.*dialect vllm"
holds key-is-secret "! grep -q secret key.scores key.out key.err"
ends bad-key 66 "PRECEPTOR_API_KEY=\$'a\\nb' $ask --endpoint $at/vllm.key tokens" "PRECEPTOR_API_KEY: holds"
ends moved 66 "$ask --dialect vllm --endpoint $at/moved tokens" "status 307.*elsewhere|status 307"
ends two-models 66 "$ask --endpoint $at/vllm.models tokens" "has 2 models: one, two"
ends named-model 0 "$ask --endpoint $at/vllm.models --endpoint-model two -o named.scores tokens"
holds model-in-header "stream-cat --header named.scores | grep -q '\"model\":\"two\"'"
holds model-in-request "grep 'vllm.models' requests.log | grep -q '\"model\": \"two\"'"
ends no-models 66 "$ask --endpoint $at/vllm.nomodels tokens" "does not say which models it has \(status 404"
ends no-dialect 65 "$ask --endpoint $at/neither tokens" "gives no log-probabilities of prompts; as vllm: .*; as echo: .*; as text: "

# What the server says that cannot be.
ends garbage 65 "$ask --endpoint $at/vllm.garbage -o none.scores tokens" "the answer:1: byte 1: not valid JSON"
ends endless 65 "$ask --endpoint $at/vllm.endless -o none.scores tokens" "longer than [0-9]+ bytes"
ends fewer 65 "$ask --endpoint $at/vllm.fewer -o none.scores tokens" "document 'trial': scores of 12 tokens came back for 13"
ends other-id 65 "$ask --endpoint $at/vllm.otherid tokens" "token 4: the id that was sent"
ends other-string 65 "$ask --endpoint $at/vllm.otherstring tokens" "document 'trial': token 4 is '.+' \(id [0-9]+\) in the stream, 'zebra' on the server"
ends no-string 65 "$ask --endpoint $at/vllm.nostring tokens" "cannot be checked"
ends null 65 "$ask --endpoint $at/vllm.null tokens" "token 4: no number as the log-probability"
ends nan 65 "$ask --endpoint $at/vllm.nan tokens" "not valid JSON"
ends positive 65 "$ask --endpoint $at/vllm.positive tokens" "token 4: 0.5 as the log-probability"
ends impossible 65 "$ask --endpoint $at/vllm.impossible tokens" "token 4: -9999.0 as the log-probability"
ends overfull 65 "$ask --endpoint $at/vllm.overfull --top-k 3 tokens" "token 4: the probabilities of [0-9] tokens add up to 1\.[2-9]"
ends shifted 65 "$ask --endpoint $at/text.shifted tokens" "--bos always"
ends adds-bos-unasked 65 "$ask --endpoint $at/text.addbos tokens" "--bos always"
ends text-windows 65 "$ask --endpoint $at/text --bos always --window 16 tokens" "document 'b' has .* more than the window of 16"
holds nothing-left '! ls -A | grep -q none.scores'

# Streams and addresses that do not fit.
ends other-vocabulary 65 "$ask --endpoint $at/vllm others" "made with the vocabulary [0-9a-f]{64}, expected [0-9a-f]{64}"
ends no-tokenizer 64 "teacher-score --endpoint $at/vllm tokens" "needs --tokenizer"
ends no-scheme 64 "$ask --endpoint 127.0.0.1:8000 tokens" "must begin with http"
ends password 64 "$ask --endpoint http://me:secret@127.0.0.1/ tokens" "holds a name or a password"
ends query 64 "$ask --endpoint 'http://127.0.0.1/?api_key=secret' tokens" "holds a query"
ends bare-host 64 "$ask --endpoint http:///v1 tokens" "names no host"
