# evaluate choices: its report, its refusals, few-shot prompts, several models side by side. Its numbers: 72-evaluate-harness.sh.
ln -s "$INPUTS"/* .
cat >items.ndjson <<'TEXT'
{"id":"a","context":"the cat sat on","choices":["the mat","twelve inns and a thing","Größe"],"answer":0}
{"id":7,"context":"the thing in ","choices":["the inn","😀"],"answer":1,"delimiter":"","description":"Say what comes.\n"}

{"context":"","choices":["the end","no id of its own"],"answer":1,"note":"unknown keys are passed over"}
TEXT
cat >contexts.ndjson <<'TEXT'
{"id":"c","contexts":["the cat because the cat","the cat because the mat, which is longer,"],"continuation":"sat","answer":1}
TEXT
cat >targets.ndjson <<'TEXT'
{"id":"t","context":"the cat sat on the","continuation":"mat"}
{"id":"u","context":"12","continuation":"times"}
TEXT
evaluate='evaluate choices --no-provenance --model teacher'
numbers="sed -E 's/-?[0-9]+\.[0-9e-]+/N/g; s/[0-9a-f]{64}/SHA/; s/(chosen[a-z_]*\":)[0-9]/\1N/g; s/true|false/B/g'"
golden items 0 "$evaluate --items items.ndjson | $numbers"
golden contexts 0 "$evaluate --items <contexts.ndjson | $numbers"
golden targets 0 "$evaluate --items targets.ndjson | $numbers"
golden none 0 "$evaluate </dev/null | $numbers"

# Bytes do not depend on threads, on what else is asked, or on the order.
ends one-thread 0 "$evaluate --items --threads 1 items.ndjson >one"
ends four-threads 0 "$evaluate --items --threads 4 items.ndjson >four"
same threads one four
ends alone 0 "head -n 1 items.ndjson | $evaluate --items | head -n 1 >alone"
ends together 0 "head -n 1 one >first"
same company alone first
ends reversed 0 "grep . items.ndjson | head -n 2 | tac | $evaluate --items | sed -n 2p >last"
same order last first
# What cannot be read at once is cut at its beginning, and that is counted.
ends window 0 "$evaluate --items --window 20 items.ndjson >cut"
holds truncated "python3 -c \"
import json
*items, total = [json.loads(line) for line in open('cut')]
assert total['truncated_items'] == sum('truncated_tokens' in item for item in items) > 0, total\""

# Few-shot prompts: the same as the text written out; an item is never its own example; draws depend on id and seed alone.
cat >examples.ndjson <<'TEXT'
{"context":"the inn is","choices":["a mat","an inn"],"answer":1}
{"context":"the cat sat on","choices":["the mat"],"answer":0}
{"context":"in the end","choices":["times"],"answer":0}
TEXT
cat >written.ndjson <<'TEXT'
{"id":"a","context":"the inn is an inn\n\nin the end times\n\nthe cat sat on","choices":["the mat","twelve inns and a thing","Größe"],"answer":0}
TEXT
ends shots 0 "head -n 1 items.ndjson | $evaluate --items --shots 2 --examples examples.ndjson | head -n 1 >shots"
ends written 0 "$evaluate --items written.ndjson | head -n 1 >written"
same few-shot shots written
ends drawn 0 "$evaluate --items --shots 1 --seed 3 --examples examples.ndjson items.ndjson | sed -n 3p >drawn"
ends drawn-alone 0 "sed -n 4p items.ndjson | sed 's/{/{\"id\":\"2\",/' | $evaluate --items --shots 1 --seed 3 --examples examples.ndjson | head -n 1 >drawn-alone"
same draw drawn drawn-alone
ends too-few 65 "$evaluate --shots 4 --examples examples.ndjson items.ndjson" "examples.ndjson: holds 3 items, fewer than the 4"
ends no-examples 64 "$evaluate --shots 4 items.ndjson" "needs --examples"
ends no-shots 64 "$evaluate --examples examples.ndjson items.ndjson" "needs --shots"
ends seed-alone 64 "$evaluate --seed 1 items.ndjson" "of --shots"

# Malformed items: each is refused with file and line.
refused() {
    printf '%s\n%s\n' '{"id":"a","context":"the cat","choices":["sat"],"answer":0}' "$2" >bad.ndjson
    ends "$1" 65 "$evaluate bad.ndjson" "^evaluate: bad.ndjson:2: byte [0-9]+: $3"
}
refused not-json '{"id":"b","context":' "not valid JSON"
refused not-object '["b"]' "expected a JSON object"
refused same-id '{"id":"a","context":"the","choices":["sat"],"answer":0}' "id 'a' is that of an earlier item"
refused bad-id '{"id":1.5,"context":"the","choices":["sat"],"answer":0}' "key 'id' must be a string or an integer"
refused no-context '{"id":"b","choices":["sat"],"answer":0}' "missing key 'context'"
refused no-choices '{"id":"b","context":"the","answer":0}' "missing key 'choices'"
refused no-continuation '{"id":"b","contexts":["the"],"answer":0}' "missing key 'continuation'"
refused no-answer '{"id":"b","context":"the","choices":["sat","mat"]}' "missing key 'answer'"
refused answer-outside '{"id":"b","context":"the","choices":["sat","mat"],"answer":2}' "key 'answer' is 2, but there are 2 choices"
refused answer-negative '{"id":"b","context":"the","choices":["sat","mat"],"answer":-1}' "key 'answer' is -1"
refused answer-text '{"id":"b","context":"the","choices":["sat","mat"],"answer":"sat"}' "key 'answer' must be an integer"
refused empty-choices '{"id":"b","context":"the","choices":[],"answer":0}' "key 'choices' is empty"
refused empty-choice '{"id":"b","context":"the","choices":["sat",""],"answer":0}' "choice 1 is empty"
refused choice-number '{"id":"b","context":"the","choices":["sat",3],"answer":0}' "key 'choices' must be a list of strings: element 1"
refused context-number '{"id":"b","context":3,"choices":["sat"],"answer":0}' "key 'context' must be a string"
refused two-forms '{"id":"b","context":"the","continuation":"cat","choices":["sat"],"answer":0}' "more keys than one form"
refused mixed '{"id":"b","context":"the","continuation":"cat"}' "a target among items with choices"
long=$(printf 'the cat %.0s' {1..60})
refused too-long "{\"id\":\"b\",\"context\":\"the\",\"choices\":[\"$long\"],\"answer\":0}" "the continuation has [0-9]+ tokens, more than the model's window of 64"
# They can be passed over; the lines are kept.
cat bad.ndjson items.ndjson | sed 1d >some.ndjson
ends skip 1 "$evaluate --on-error skip --rejects rejected some.ndjson >skipped" "rejected: 1 line was refused, 3 accepted"
ends rejected-line 0 "sed -n 2p bad.ndjson >line"
same rejected line rejected
ends skipped-same 0 "$evaluate items.ndjson >unskipped"
same skipped skipped unskipped
ends wrong-file 65 "$evaluate teacher.tokens" "not NDJSON"
ends no-model 66 "evaluate choices --model nowhere items.ndjson" "nowhere"
ends full 74 "$evaluate items.ndjson >/dev/full" "cannot write"

# A vocabulary of one's own that names no ends of a text: they are asked for where a text needs them only.
cp -RL teacher endless
rm endless/tokenizer_config.json
sed -i -E 's/("(bos|eos)_token_id": )[0-9]+/\1null/' endless/config.json
endless="evaluate choices --no-provenance --model endless"
ends no-ends 0 "head -n 2 items.ndjson | $endless"
ends no-ends-needed 65 "$endless items.ndjson" \
    "^evaluate: items.ndjson:4: .*the model names neither a beginning nor an end of text, which stands before a text without context"
ends no-ends-rolling 65 "evaluate perplexity --windows rolling --model endless corpus.ndjson" "^evaluate: endless: .*neither a beginning"
ends no-ends-generate 0 "echo '{\"prompt\":\"the\"}' | evaluate generate --model endless --max-tokens 4"
ends no-ends-prompt 65 "echo '{\"prompt\":\"\"}' | evaluate generate --model endless --max-tokens 4" "item '0': the model names neither"
