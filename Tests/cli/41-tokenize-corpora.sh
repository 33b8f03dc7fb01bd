# tokenize: what a corpus may be and what is refused, where, on one thread and on two; the lines that are skipped; packing; and back.
vocabulary=$FIXTURES/vocabularies/student
ln -s "$INPUTS/corpus.ndjson" "$INPUTS/long.ndjson" .
run="tokenize --no-provenance --format ndjson --tokenizer $vocabulary"

# Each case: name|status|pattern on standard error, or the ids expected|bytes as printf has them.
cases() {
    cat <<'TEXT'
empty|0||
blank-lines|0||\n \n\t\r\n\n
blank-between|0|a b|{"id":"a","text":"x"}\n\n  \r\n{"id":"b","text":"y"}\r\n
no-last-newline|0|a b|{"id":"a","text":"x"}\n{"id":"b","text":"y"}
cut-in-key|65|^tokenize: input:2: byte [0-9]+: the last record, from byte 22, is cut|{"id":"a","text":"x"}\n{"id":"b","te
cut-in-text|65|from byte 22, is cut|{"id":"a","text":"x"}\n{"id":"b","text":"y
cut-at-brace|65|from byte 22, is cut|{"id":"a","text":"x"}\n{
zero-tail|65|^tokenize: input:2: byte 22: .*zero byte|{"id":"a","text":"x"}\n\0\0\0\0\0\0\0\0
zeros-only|65|nothing but zero bytes|\0\0\0\0\0\0\0\0\0\0\0\0
bom-first|0|a|\357\273\277{"id":"a","text":"x"}\n
bom-inside|65|^tokenize: input:2: byte|{"id":"a","text":"x"}\n\357\273\277{"id":"b","text":"y"}\n
utf16-le|65|UTF-16 text|\377\376{\0"\0
utf16-be|65|UTF-16 text|\376\377\0{\0"
utf16-bare|65|UTF-16 text|{\0"\0t\0e\0x\0t\0
gzip|65|this is gzip data|\037\213\010\0\0\0\0\0\0\003
zstd|65|this is zstd data|\050\265\057\375\004\0
xz|65|this is xz data|\3757zXZ\0\0\004
bzip2|65|this is bzip2 data|BZh91AY
parquet|65|this is a parquet file|PAR1\025\004
utf8-ff|65|^tokenize: input:1: byte|{"text":"a\377"}\n
utf8-overlong|65|^tokenize: input:1: byte|{"text":"a\300\200"}\n
utf8-surrogate|65|^tokenize: input:1: byte|{"text":"\355\240\200"}\n
utf8-cut|65|^tokenize: input:1: byte|{"text":"\342\202"}\n
lone-surrogate|65|^tokenize: input:1: byte|{"text":"\\ud800"}\n
swapped-surrogates|65|^tokenize: input:1: byte|{"text":"\\udc00\\ud800"}\n
escaped-zero|0|a|{"id":"a","text":"x\\u0000y"}\n
control|65|control character|{"text":"a\001b"}\n
raw-tab|65|control character|{"text":"a\tb"}\n
duplicate-text|65|duplicate|{"text":"a","text":"b"}\n
duplicate-other|65|duplicate|{"text":"a","x":{"y":1,"y":2}}\n
duplicate-escaped|65|duplicate|{"text":"a","t\\u0065xt":"b"}\n
canonical-twins|0|a|{"\316\254":1,"\341\275\261":2,"id":"a","text":"x"}\n
text-missing|65|field 'text' is missing|{"id":"a"}\n
text-null|65|field 'text' must be a string|{"text":null}\n
text-number|65|field 'text' must be a string|{"text":1}\n
text-array|65|field 'text' must be a string|{"text":["a"]}\n
id-boolean|65|field 'id' must be a string or a number|{"id":true,"text":"a"}\n
id-null|65|field 'id' must be a string or a number|{"id":null,"text":"a"}\n
ids-of-numbers|0|9007199254740993 9223372036854775808 18446744073709551616 1e3 -0|{"id":9007199254740993,"text":"a"}\n{"id":9223372036854775808,"text":"a"}\n{"id":18446744073709551616,"text":"a"}\n{"id":1e3,"text":"a"}\n{"id":-0,"text":"a"}\n
nan|65|not valid JSON|{"text":"a","x":NaN}\n
infinity|65|not valid JSON|{"text":"a","x":Infinity}\n
overflow|65|overflow|{"text":"a","x":1e999}\n
leading-zero|65|not valid JSON|{"text":"a","x":01}\n
plus|65|not valid JSON|{"text":"a","x":+1}\n
no-whole-part|65|not valid JSON|{"text":"a","x":.5}\n
trailing-comma|65|not valid JSON|{"text":"a",}\n
comment|65|not valid JSON|{"text":"a"/*c*/}\n
single-quotes|65|not valid JSON|{'text':'a'}\n
two-on-a-line|65|end of file expected|{"text":"a"} {"text":"b"}\n
garbage-behind|65|end of file expected|{"text":"a"} x\n
json-array|65|this is a JSON array|[{"text":"a"}]\n
pretty-printed|65|^tokenize: input:1: |{\n  "text": "a"\n}\n
other-newlines|0|a|{"id":"a","text":"x\342\200\250\302\205y"}\n
lone-return|65|control character|{"id":"a","text":"x\ry"}\n
unknown-keys|0|a|{"z":[1,{"y":null}],"id":"a","text":"x","zz":1e3}\n
empty-text|0|a|{"id":"a","text":""}\n
not-an-object|65|expected a JSON object|"text"\n
second-file-counts|65|^tokenize: input:3: byte|\n\n{"text":5}\n
TEXT
}
while IFS='|' read -r name status expected bytes; do
    mkdir -p "case-$name"
    printf "${bytes//%/%%}" >"case-$name/input"
    for threads in 1 2; do
        if ((status == 0)); then
            ends "$name-$threads" 0 "cd case-$name; $run --threads $threads input >out$threads; $run --threads $threads <input | cmp - out$threads"
            holds "$name-$threads-ids" "test \"\$(tail -n +2 case-$name/out$threads | sed 's/^{\"id\":\"\\([^\"]*\\)\".*/\\1/' | tr '\n' ' ')\" = '$expected${expected:+ }'"
        else
            ends "$name-$threads" "$status" "cd case-$name; $run --threads $threads input >out$threads" "$expected"
            ends "$name-$threads-pipe" "$status" "cat case-$name/input | $run --threads $threads >/dev/null" "${expected/input/<stdin>}"
        fi
    done
    [[ -s case-$name/out1 ]] && same "$name-threads" "case-$name/out1" "case-$name/out2"
done < <(cases)

# Hints name the cure.
ends hint-zstd 65 "$run case-zstd/input" "zstd -dc FILE|zstdcat"
ends hint-gzip 65 "$run case-gzip/input" "gzip -dc FILE"
ends hint-array 65 "$run case-json-array/input" "jq -c '.\[\]'"
ends hint-pretty 65 "$run case-pretty-printed/input" "jq -c \."

# Deep nesting; limits; long lines.
for threads in 1 2; do
    ends "nested-$threads" 65 "head -c 100000 /dev/zero | tr '\0' '[' | sed 's/^/{\"text\":/' | $run --threads $threads" "depth|cut"
    line='{"text":"aaaa"}'
    ends "limit-$threads" 0 "echo '$line' | $run --threads $threads --max-line-bytes 15 >/dev/null"
    ends "over-limit-$threads" 65 "echo '$line' | $run --threads $threads --max-line-bytes 14" "^tokenize: <stdin>:1: byte 0: line longer than 14 bytes"
    ends "far-over-limit-$threads" 65 "{ echo '$line'; head -c 3000000 /dev/zero | tr '\0' x; echo; } | $run --threads $threads --max-line-bytes 1000000" \
        "^tokenize: <stdin>:2: byte 16: line longer than 1000000 bytes"
    ends "long-line-$threads" 0 "{ printf '{\"id\":\"l\",\"text\":\"'; head -c 3000000 /dev/zero | tr '\0' x; echo '\"}'; } | $run --threads $threads | tail -n 1 | grep -q '^{\"id\":\"l\"'"
    ends "one-byte-reads-$threads" 0 "python3 -c '
import os, sys, time
for byte in open(\"corpus.ndjson\", \"rb\").read():
    os.write(1, bytes([byte])); time.sleep(0.0002)' | $run --threads $threads >slow-$threads"
    ends "grows-$threads" 65 "{ cat corpus.ndjson; sleep 0.2; echo '{\"text\":'; } | $run --threads $threads" "^tokenize: <stdin>:6: "
done
$run corpus.ndjson >fast
same one-byte-reads-1-bytes fast slow-1
same one-byte-reads-2-bytes fast slow-2
# A bad record ends the tool though its input goes on: nothing waits for more.
ends stops-at-once 65 "timeout 10 $run --threads 2 >/dev/null < <(cat long.ndjson; echo 'bad'; cat long.ndjson; exec sleep 20)" "^tokenize: <stdin>:20001: "

# The same bytes for any number of threads, over several inputs and in small records too; the first bad record in the order of the input decides.
seq 30000 | awk '{ printf "{\"text\":\"record %s: %s\"}\n", $1, substr("the quick brown fox jumps over the lazy dog", 1, $1 % 44) }' >many.ndjson
for threads in 1 2 3 7; do
    tokenize --no-provenance --tokenizer "$vocabulary" --batch-tokens 5000 --threads $threads long.ndjson many.ndjson - <corpus.ndjson >many.$threads
    cat long.ndjson many.ndjson corpus.ndjson | tokenize --no-provenance --tokenizer "$vocabulary" --batch-tokens 5000 --threads $threads |
        stream-cat --stat | sed 's/.*"documents"/"documents"/' >stat.$threads
    { cat many.ndjson; echo '{"text":1}'; cat many.ndjson; echo 'worse'; } | $run --threads $threads >partly.$threads 2>partly.$threads.err
    holds "first-failure-$threads" "grep -q '^tokenize: <stdin>:30001: byte [0-9]*: field .text. must be a string' partly.$threads.err"
    holds "earlier-records-$threads" "test \$(wc -l <partly.$threads) = 30001"
    ((threads == 1)) && continue
    same "many-threads-$threads" many.1 many.$threads
    same "stat-threads-$threads" stat.1 stat.$threads
    same "partly-threads-$threads" partly.1 partly.$threads
done

# Skipping: the refused lines, as they were, in order; status 1; the good ones as if the bad had never been, but for their numbers.
for threads in 1 2; do
    { cat corpus.ndjson; echo '{"text":5}'; printf '{"text":"\377"}\r\n'; cat many.ndjson; head -c 2000000 /dev/zero | tr '\0' y; echo; echo ' {"id":"z"} '; printf 'last'; } >mixed.ndjson
    ends "skip-$threads" 1 "$run --threads $threads --on-error skip --rejects bad.$threads --max-line-bytes 100000 mixed.ndjson >skipped.$threads" \
        "^tokenize: bad.$threads: 5 lines were refused, 30005 accepted; the first: mixed.ndjson:6: byte [0-9]+: field 'text' must be a string"
    { echo '{"text":5}'; printf '{"text":"\377"}\r\n'; head -c 2000000 /dev/zero | tr '\0' y; echo; echo ' {"id":"z"} '; echo last; } >bad.expected
    same "rejects-$threads" bad.expected bad.$threads
    holds "skip-numbers-$threads" "grep -q '^{\"id\":\"7\",' skipped.$threads"
done
same skip-threads skipped.1 skipped.2
ends skip-nothing 0 "$run --on-error skip --rejects none.bad corpus.ndjson | cmp - fast"
holds skip-nothing-file "test -e none.bad -a ! -s none.bad"
ends skip-wrong-kind 65 "$run --on-error skip --rejects x.bad case-gzip/input" "gzip"
ends skip-needs-file 64 "$run --on-error skip corpus.ndjson" "needs --rejects"
ends rejects-needs-skip 64 "$run --rejects x corpus.ndjson" "for --on-error skip"
ends rejects-full 74 "$run --on-error skip --rejects /dev/full mixed.ndjson >/dev/null" "/dev/full: cannot write"

# Packing loses no token and forgets no separator.
$run corpus.ndjson many.ndjson >plain.out
for threads in 1 2; do
    $run --threads $threads --pack 128 --separator 5 corpus.ndjson many.ndjson >packed.$threads
    python3 - plain.out packed.$threads >pack-check.$threads 2>&1 <<'PYTHON'
import json, sys
plain = [json.loads(line) for line in open(sys.argv[1])][1:]
header, *chunks = [json.loads(line) for line in open(sys.argv[2])]
expected = []
for document in plain:
    expected += document["input_ids"]
    if not document["input_ids"] or document["input_ids"][-1] != 5:
        expected.append(5)
assert header["packed"] == 128 and header["separator_id"] == 5, header
assert [token for chunk in chunks for token in chunk["input_ids"]] == expected
assert all(len(chunk["input_ids"]) == 128 for chunk in chunks[:-1]) and 1 <= len(chunks[-1]["input_ids"]) <= 128
assert [chunk["id"] for chunk in chunks] == [str(number) for number in range(len(chunks))]
assert all(set(chunk) == {"id", "input_ids"} for chunk in chunks)
PYTHON
    holds "pack-$threads" "test ! -s pack-check.$threads || { cat pack-check.$threads >&2; false; }"
done
same pack-threads packed.1 packed.2
holds pack-no-separator "test \$($run --pack 7 --separator none corpus.ndjson | tail -n +2 | grep -o '[0-9][0-9]*[],]' | wc -l) = \$($run corpus.ndjson | sed 's/,\"offsets.*//' | tail -n +2 | grep -o '\"input_ids.*' | grep -o '[0-9][0-9]*[],]' | wc -l)"
ends pack-separator-outside 64 "$run --pack 7 --separator 4000000000 corpus.ndjson" "outside the vocabulary"
ends pack-zero 64 "$run --pack 0 corpus.ndjson" "at least 1"
ends separator-alone 64 "$run --separator none corpus.ndjson" "for --pack"

# And back.
python3 -c '
import json, sys
for number, line in enumerate(open("corpus.ndjson")):
    record = json.loads(line)
    print(json.dumps({"id": str(record.get("id", number)), "text": record["text"]}, ensure_ascii=False, separators=(",", ":")))' >back.expected
for threads in 1 2; do
    for options in "" "--add-special-tokens"; do
        ends "decode-$threads$options" 0 "tokenize --tokenizer $vocabulary $options corpus.ndjson | tokenize --threads $threads --decode --tokenizer $vocabulary >back"
        same "decode-bytes-$threads$options" back.expected back
    done
done
# A template of two tokens in front and two behind (GLM-4 has [gMASK]<sop>): all are taken off, and only once.
jq -c '.added_tokens += ["[a]", "[b]", "[c]"] | .added_tokens = [.added_tokens | to_entries[] | if .key == 0 then .value else
    {id: (260 + .key), content: .value, single_word: false, lstrip: false, rstrip: false, normalized: false, special: true} end]
    | .post_processor = {type: "TemplateProcessing", pair: [], special_tokens: {"[a]": {id: "[a]", ids: [261, 262], tokens: ["[a]", "[b]"]},
      "[b]": {id: "[b]", ids: [262], tokens: ["[b]"]}, "[c]": {id: "[c]", ids: [263], tokens: ["[c]"]}},
      single: [{SpecialToken: {id: "[a]", type_id: 0}}, {Sequence: {id: "A", type_id: 0}}, {SpecialToken: {id: "[c]", type_id: 0}},
      {SpecialToken: {id: "[b]", type_id: 0}}]}' "$vocabulary/tokenizer.json" >template.json
printf '{"id":"%s","text":"%s"}\n' 0 'the inn' 1 '' 2 '[a][b]the[c][b]' 3 '[c]' 4 '[b]' >template.ndjson
golden template 0 "tokenize --no-provenance --format ndjson --add-special-tokens --tokenizer template.json template.ndjson | sed 's/\"text_hash[^,]*,//'"
ends decode-template 0 "tokenize --add-special-tokens --tokenizer template.json template.ndjson | tokenize --decode --tokenizer template.json | cmp - template.ndjson"
# Where none were added, the same tokens are the text's own.
ends decode-template-none 0 "tokenize --tokenizer template.json template.ndjson | tokenize --decode --tokenizer template.json | cmp - template.ndjson"
ends decode-ndjson 0 "$run corpus.ndjson | tokenize --decode --tokenizer $vocabulary | cmp - back.expected"
ends decode-keys 0 "$run corpus.ndjson | tokenize --decode --id-key name --text-key body --tokenizer $vocabulary | head -n 1 | grep -q '^{\"name\":\"a\",\"body\":\"the cat'"
ends decode-other-vocabulary 65 "$run corpus.ndjson | tokenize --decode --tokenizer $FIXTURES/vocabularies/teacher" "belong to another vocabulary"
ends decode-outside 65 "echo '{\"id\":\"x\",\"input_ids\":[0,99999999]}' | tokenize --decode --tokenizer $vocabulary" "^tokenize: <stdin>:1: byte 0: document 'x': id 99999999"
ends decode-a-corpus 65 "tokenize --decode --tokenizer $vocabulary corpus.ndjson" "input_ids"
ends decode-pack 64 "tokenize --decode --pack 5 --tokenizer $vocabulary x" "takes none of"
ends lossy-alone 64 "tokenize --lossy --tokenizer $vocabulary x" "for --decode"
# The first of the bytes of a smiley.
$run corpus.ndjson | grep '"id":"c"' | sed 's/"text_hash.*"input_ids":\[\([0-9]*\),.*/"input_ids":[\1]}/' >piece.ndjson
ends decode-piece 65 "tokenize --decode --tokenizer $vocabulary piece.ndjson" "^tokenize: piece.ndjson:1: byte 0: document 'c': its tokens make no valid UTF-8"
ends decode-piece-hint 65 "tokenize --decode --tokenizer $vocabulary piece.ndjson" "--lossy"
ends decode-lossy 0 "tokenize --decode --lossy --tokenizer $vocabulary piece.ndjson | grep -q '^{\"id\":\"c\",\"text\":\"�\"}'"
ends verbose-rates 0 "tokenize --verbose --tokenizer $vocabulary corpus.ndjson >/dev/null" "^tokenize: 5 documents, [0-9]+ bytes, [0-9]+ tokens, [0-9.]+ bytes per token, [0-9.]+ MB/s"
