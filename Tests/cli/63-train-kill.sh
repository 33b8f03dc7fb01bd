# train survives: stops, damaged checkpoints, full disks, signals, numbers that run away. What comes out is always the same.
ln -s "$INPUTS"/* .
config=$FIXTURES/vocabularies/student/config.json
common="train --no-provenance --model $config --learning-rate 0.01 --batch-tokens 64 --sequence-length 32"
guided="$common --loss guided --shuffle 3 --steps 240 --checkpoint-every 3 --held-out student.tokens --held-out-every 7"

# Kills at random moments are the gate R9, Tests/reliability/R09-kill-train.
ends unbroken 0 "$guided --out unbroken guided.aligned >unbroken.log"
holds keeps-two "[ \"\$(ls -A unbroken.checkpoints | tr '\n' ' ')\" = 'step-00000234 step-00000237 ' ]"
ends keep-all 0 "$common --steps 9 --checkpoint-every 2 --keep 0 --out every student.tokens >every.log"
holds keeps-all "[ \$(ls every.checkpoints | wc -l) = 4 ]"
ends keep-one 0 "$common --steps 9 --checkpoint-every 2 --keep 1 --out single student.tokens >single.log"
holds keeps-one "[ \$(ls -A single.checkpoints) = step-00000008 ]"

# What is finished, what would be lost, and what cannot be gone on from.
ends begins-anew 73 "$guided --out unbroken guided.aligned" "^train: unbroken.checkpoints: holds checkpoints of an earlier run, up to step 237"
before=$(cksum <unbroken/training-state.safetensors)
ends finished 0 "$guided --out unbroken --resume guided.aligned >finished.log" "finished after step 240"
holds finished-as-it-was "[ '$before' = \"\$(cksum <unbroken/training-state.safetensors)\" -a ! -s finished.log ]"
ends nowhere 66 "$guided --out nowhere --resume guided.aligned" "^train: nowhere: no run was begun here"
holds nowhere-hint "grep -q 'hint: leave out --resume' nowhere.err"
holds nowhere-made-nothing "[ ! -e nowhere.checkpoints ]"

# stop SIGNAL STEP COMMAND…: sends it when the line of a step has come, waits, and says the status; standard output goes to stdout.log.
stop() {
    python3 - "$@" <<'PYTHON'
import json, signal, subprocess, sys, time
name, step, command = sys.argv[1], int(sys.argv[2]), sys.argv[3:]
wanted = [getattr(signal, "SIG" + one) for one in name.split("+")]
def default():
    for one in wanted:
        signal.signal(one, signal.SIG_DFL)
with open("stdout.log", "ab") as log:
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, preexec_fn=default)
    for line in process.stdout:
        log.write(line)
        if json.loads(line)["step"] == step:
            for one in wanted:
                process.send_signal(one)
print(process.wait())
PYTHON
}

# A run that was stopped in the middle, and what its checkpoints are worth when they are damaged: the one before is taken, and says so.
long="$common --loss guided --steps 600 --out"
ends whole 0 "$long whole guided.aligned >whole.log"
stop TERM+TERM 45 $long stopped --checkpoint-every 20 guided.aligned >status 2>/dev/null
holds stopped "grep -qx 75 status && [ \$(ls stopped.checkpoints | wc -l) = 2 ]"
newest=$(ls stopped.checkpoints | tail -1)
damage() {
    rm -rf d d.checkpoints
    cp -r stopped.checkpoints d.checkpoints
    (cd "d.checkpoints/$newest" && eval "$3")
    ends "$1" 0 "$long d --resume guided.aligned >d.log" "^train: d.checkpoints/$newest$2"
    same "$1-state" whole/training-state.safetensors d/training-state.safetensors
}
flip="import sys; name, part = sys.argv[1], float(sys.argv[2]); b = bytearray(open(name, 'rb').read()); b[int(part * len(b))] ^= 4; open(name, 'wb').write(b)"
for file in config.json model.safetensors training-state.safetensors tokenizer.json tokenizer_config.json; do
    damage "flipped-$file" "/$file: " "python3 -c \"$flip\" $file 0.6"
done
damage flipped-header "/training-state.safetensors: " "python3 -c \"$flip\" training-state.safetensors 0.01"
damage cut "/model.safetensors: " "truncate -s -1 model.safetensors"
damage empty "/training-state.safetensors: " ": >training-state.safetensors"
damage missing "/config.json: " "rm config.json"
damage no-state ": holds no 'training-state.safetensors'" "rm training-state.safetensors"
# A damaged one stands where a new one is to be: it gets another name. Other things in the folder stay.
(cp -r stopped.checkpoints d2.checkpoints && cd d2.checkpoints && mkdir step-00000001.mine && date >notes && rm "$newest/training-state.safetensors")
step=$((10#${newest#step-}))
stop TERM $((step + 2)) $long d2 --resume --checkpoint-every 1 --keep 3 guided.aligned >status 2>d2.err
holds way-is-made "grep -qx 75 status && grep -q \"holds no 'training-state\" d2.err"
holds others-stay "ls -d d2.checkpoints/notes d2.checkpoints/step-00000001.mine d2.checkpoints/$newest.damaged-1 && [ \$(ls d2.checkpoints | wc -l) = 6 ]"
(cp -r stopped.checkpoints d3.checkpoints && for file in d3.checkpoints/*/model.safetensors; do truncate -s -1 "$file"; done)
ends none-whole 65 "$long d3 --resume guided.aligned >d.log" "none of 2 checkpoints is whole"
holds none-whole-hint "grep -q 'hint: no whole checkpoint is left: move d3.checkpoints away' none-whole.err"
rm -r "d3.checkpoints/$newest"
ends only-one-damaged 65 "$long d3 --resume guided.aligned >d.log" "hint: no whole checkpoint is left: move d3.checkpoints away and begin anew"

# What else is refused by name, and what --force-resume does about it.
cp -r stopped.checkpoints f.checkpoints
ends other-rate 65 "$long f --resume --learning-rate 0.02 guided.aligned" "has --learning-rate 0.01, this one 0.02"
stream-cat guided.aligned | sed '3d' >other.aligned
ends other-model 65 "$long f --resume --model $FIXTURES/vocabularies/teacher/config.json guided.aligned" "has a --model of shape"
ends other-data 65 "$long f --resume other.aligned" "the saved run was trained on other data"
holds refused-changed-nothing "diff -r stopped.checkpoints f.checkpoints"
ends forced 0 "$long f --force-resume --learning-rate 0.02 other.aligned >forced.log" "--force-resume: the saved run was trained on other data"
holds forced-says-all "grep -q 'force-resume: the saved run has --learning-rate 0.01, this one 0.02' forced.err && [ \$(wc -l <forced.log) -lt 600 ]"

# Threads and the rhythm of saving are not part of a run.
ends otherwise 0 "cp -r stopped.checkpoints t.checkpoints && $long t --resume --threads 4 --checkpoint-every 100 --keep 1 guided.aligned >t.log"
(cp -r stopped.checkpoints v.checkpoints)
ends says-where-it-goes-on 0 "$long v --resume --verbose guided.aligned >v.log" "^train: v.checkpoints/$newest: goes on after step $step of 600"
same otherwise-state whole/training-state.safetensors t/training-state.safetensors

# Signals: SIGUSR2 saves and goes on; a stop while data are waited for, and while held-out text is scored.
: >stdout.log
stop USR2 45 $long asked guided.aligned >status
holds usr2-goes-on "grep -qx 0 status && [ \$(ls asked.checkpoints | wc -l) = 1 ]"
same usr2-same asked/training-state.safetensors whole/training-state.safetensors
cat guided.aligned guided.aligned guided.aligned >thrice.aligned
holds stops-while-waiting "python3 - $long waiting - <<'PYTHON'
import signal, subprocess, sys, time
process = subprocess.Popen(sys.argv[1:], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
process.stdin.write(open('thrice.aligned', 'rb').read())
process.stdin.flush()
process.stdout.readline()
time.sleep(0.3)
process.send_signal(signal.SIGUSR1)
assert process.wait(2) == 75, process.returncode
PYTHON"
holds waiting-state "test -s waiting.checkpoints/step-*/model.safetensors"
scored="$common --steps 4 --held-out long.tokens --held-out-every 3 student.tokens"
ends scored 0 "$scored --out scored >scored.log"
holds stops-while-scoring "python3 - $scored --out scoring <<'PYTHON'
import signal, subprocess, sys, time
process = subprocess.Popen(sys.argv[1:], stdout=open('scoring.log', 'wb'))
while open('scoring.log').read().count('\n') < 2:
    time.sleep(0.01)
time.sleep(0.2)
process.send_signal(signal.SIGTERM)
began = time.monotonic()
assert process.wait(5) == 75, process.returncode
assert time.monotonic() - began < 1
PYTHON"
holds scoring-in-the-log "[ \$(jq -s 'map(.step) == [1, 2, 3] and all(has(\"held_out_tokens\") | not)' scoring.log) = true ]"
ends scoring-resumed 0 "$scored --out scoring --resume >>scoring.log"
holds log-joined "jq -sc 'group_by(.step)[] | last' scoring.log | cmp - <(jq -c . scored.log)"
holds held-out-in-it "jq -se 'map(has(\"held_out_nats_per_token\")) == [false, false, true, true]' scored.log"
same scoring-same scored/training-state.safetensors scoring/training-state.safetensors
# The numbers of 'evaluate' on the same text.
ends as-evaluate 0 "$common --steps 2 --held-out student.tokens --out e guided.aligned >e.log; evaluate perplexity --no-provenance --model e --bos never --tokenizer $FIXTURES/vocabularies/student corpus.ndjson >e.report"
holds as-evaluate-number "jq -se '.[1].held_out_nats_per_token == .[2].nats_per_token and .[1].held_out_bits_per_byte == .[2].bits_per_byte' e.log e.report"
ends held-out-vocabulary 65 "$common --steps 2 --held-out teacher.tokens --out no student.tokens" "^train: teacher.tokens: was made with another vocabulary"

# A disk that is full is an error that leaves the checkpoints before.
cp -r stopped.checkpoints full.checkpoints
ends full 74 "ulimit -f 40; $long full --resume --checkpoint-every 1 guided.aligned | cat >/dev/null; exit \${PIPESTATUS[0]}" "^train: full.checkpoints/step-.*: cannot write"
holds full-leaves "diff -r stopped.checkpoints full.checkpoints"
ends full-resumed 0 "$long full --resume guided.aligned >full.log"
same full-state whole/training-state.safetensors full/training-state.safetensors
# A finished run whose place was taken meanwhile keeps its state as a checkpoint, and goes there when it can.
mkfifo held
($long taken guided.aligned >held 2>taken.err; echo $? >status) &
(read -r line; mkdir taken; date >taken/notes; cat >/dev/null) <held
wait
holds place-taken "grep -qx 73 status && grep -q 'the state after step 600 is saved in taken.checkpoints: --resume finishes the run' taken.err"
ends place-free 0 "rm -r taken; $long taken --resume guided.aligned"
same place-free-state whole/training-state.safetensors taken/training-state.safetensors
mkdir small
if mount -t tmpfs -o size=100k none small 2>/dev/null; then
    ends no-room 74 "$long small/x guided.aligned" "needs [0-9]* bytes for a checkpoint, and [0-9]* are free"
    holds no-room-left-nothing "[ -z \"\$(ls -A small)\" ]"
    umount small
fi

# Numbers that run away: a weight that only the last document meets is infinite.
python3 - "$config" <<'PYTHON'
import json, sys
with open(sys.argv[1]) as file:
    fields = json.load(file)
fields["tie_word_embeddings"] = False
with open("untied.json", "w") as file:
    json.dump(fields, file)
PYTHON
ends untied 0 "train --no-provenance --model untied.json --steps 1 --learning-rate 0 --weight-decay 0 --out start --export broken --export-precision float32 student.tokens >untied.log"
python3 - <<'PYTHON'
import json, struct
with open("broken/model.safetensors", "rb") as file:
    data = bytearray(file.read())
size = struct.unpack("<Q", data[:8])[0]
header = json.loads(data[8:8 + size])
# Our own checksum of the data goes with them.
header["__metadata__"] = {"format": "pt"}
tensor = header["model.embed_tokens.weight"]
at = 8 + size + tensor["data_offsets"][0] + 200 * 16 * 4
data[at:at + 4] = struct.pack("<f", float("nan"))
text = json.dumps(header).encode()
with open("broken/model.safetensors", "wb") as file:
    file.write(struct.pack("<Q", len(text)) + text + data[8 + size:])
PYTHON
# One document a batch.
records() { seq "$1" "$2" | sed 's/.*/{"id":"&","input_ids":[1,2,3,4,5,6,7,8,9]}/'; }
(records 1 4; echo '{"id":"bad one","input_ids":[1,2,3,200,5,6,7,8,9]}'; records 5 12) >bad.ndjson
broken="train --no-provenance --model broken --learning-rate 0.01 --batch-tokens 8 --sequence-length 8 --steps 12"
ends bad-step 65 "$broken --out bad bad.ndjson >bad.log" "^train: bad: batch 5: .* is NaN at step 5, epoch 1, documents 'bad one' to 'bad one'"
holds bad-step-saved "[ \$(ls bad.checkpoints) = step-00000004 -a ! -e bad ]"
ends bad-step-skipped 0 "$broken --out skipped --on-bad-step skip bad.ndjson >skipped.log" "^train: skipped: batch 5 is skipped"
holds bad-step-counted "jq -se 'map(.skipped_batches) == [0,0,0,0,1,1,1,1,1,1,1,1]' skipped.log"
ends bad-step-resumed 0 "$broken --out bad --resume --on-bad-step skip bad.ndjson >bad.log" "batch 5 is skipped"
same bad-step-same skipped/training-state.safetensors bad/training-state.safetensors
ends good-only 0 "records() { seq 1 12 | sed 's/.*/{\"id\":\"&\",\"input_ids\":[1,2,3,4,5,6,7,8,9]}/'; }; records >good.ndjson; $broken --out good good.ndjson >good.log"
same bad-step-changed-nothing good/model.safetensors skipped/model.safetensors
sed 's/,4,/,200,/' good.ndjson >worse.ndjson
ends all-bad 65 "$broken --out worse --on-bad-step skip worse.ndjson" "batch 11: .* after 10 batches that were skipped"
holds all-bad-saves-nothing "[ ! -e worse -a -z \"\$(ls -A worse.checkpoints)\" ]"

# A loss that stands out is marked and told, and nothing else is changed.
(records 1 279; echo '{"id":"odd","input_ids":[101,92,83,74,65,56,47,38,29]}'; records 281 300) >odd.ndjson
steady="train --no-provenance --model $config --learning-rate 0.01 --schedule constant --batch-tokens 8 --sequence-length 8 --steps 300"
ends spike 0 "$steady --out spike odd.ndjson >spike.log" "^train: spike: the loss of step 280 stands out: [0-9.]*, epoch 1, documents 'odd' to 'odd'"
holds spike-marked "jq -se 'map(select(.spike) | .step) == [280]' spike.log"
ends spike-off 0 "$steady --spike 0 --out unmarked odd.ndjson >unmarked.log"
same spike-changes-nothing spike/model.safetensors unmarked/model.safetensors
stop TERM 200 $steady --out spike2 odd.ndjson >status 2>/dev/null
: >stdout.log
ends spike-resumed 0 "$steady --out spike2 --resume odd.ndjson >spike2.log" "step 280 stands out"
same spike-state spike/training-state.safetensors spike2/training-state.safetensors

# What decays.
decay="$common --steps 3 --weight-decay 0.5"
ends decays 0 "$decay --out matrices student.tokens >m.log && $decay --decay-on all --out all student.tokens >a.log"
holds norms-decay-or-not "python3 - <<'PYTHON'
import json, struct
def tensor(folder, name):
    data = open(folder + '/model.safetensors', 'rb').read()
    size = struct.unpack('<Q', data[:8])[0]
    first, end = json.loads(data[8:8 + size])[name]['data_offsets']
    return struct.unpack(f'<{(end - first) // 4}f', data[8 + size + first:8 + size + end])
norms = [sum(tensor(folder, 'model.norm.weight')) for folder in ['matrices', 'all']]
assert norms[1] < 0.998 * norms[0], norms
PYTHON"

# What is measured is there, and left out where nothing may vary.
ends timed 0 "train --model $config --batch-tokens 64 --sequence-length 32 --steps 3 --out timed student.tokens >timed.log"
holds timed-members "jq -se 'all(.share_of_peak > 0 and .share_of_peak < 1.5 and .step_s > 0 and .elapsed_s > 0)' timed.log"
holds untimed "jq -se 'all(has(\"share_of_peak\") or has(\"step_s\") or has(\"elapsed_s\") | not)' m.log"
for bad in "--held-out -" "--held-out-every 3" "--held-out x --held-out-every 0" "--spike -1" "--keep -1" "--checkpoint-every -1"; do
    ends "usage${bad// /_}" 64 "$common --steps 1 $bad --out x student.tokens" "see 'train --help'|help"
done
holds nothing-else "[ ! -e x ] && [ -z \"\$(ls -A | grep -E '^\\..*part|tmp')\" ]"
