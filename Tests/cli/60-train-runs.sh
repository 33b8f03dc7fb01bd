# train: the folder it leaves, the state it goes on from, its refusals.
ln -s "$INPUTS"/* .
config=$FIXTURES/vocabularies/student/config.json
train="train --no-provenance --model $config --loss guided --learning-rate 0.01 --batch-tokens 64 --sequence-length 32"
ends whole 0 "$train --steps 6 --out whole guided.aligned >whole.log"
holds log-is-ndjson "[ \$(stream=1; grep -c '^{\"step\":.*}\$' whole.log) = 6 ]"
holds folder "test -s whole/config.json -a -s whole/model.safetensors"
holds loss-falls "python3 -c \"
import json
lines = [json.loads(line) for line in open('whole.log')]
assert lines[-1]['loss_nats_per_token'] < lines[0]['loss_nats_per_token'], lines\""
ends opens-again 0 "evaluate perplexity --model whole --tokenizer $FIXTURES/vocabularies/student corpus.ndjson >report"

# Less memory, the same bytes; the finished model by itself.
ends recompute 0 "$train --steps 3 --out kept guided.aligned >kept.log; $train --steps 3 --recompute --out again guided.aligned >again.log"
same recompute-model kept/model.safetensors again/model.safetensors
same recompute-log kept.log again.log
ends export 0 "$train --steps 2 --micro-batch-tokens 32 --verbose --out exported --export half guided.aligned 2>&1 >exported.log | grep -q 'memory: parameters .* in all .* of the machine'"
holds export-is-half "test \$(stat -c %s half/model.safetensors) -lt \$(stat -c %s exported/model.safetensors) -a ! -e half/training-state.safetensors"
ends export-opens 0 "evaluate perplexity --model half --tokenizer $FIXTURES/vocabularies/student corpus.ndjson >report"
ends long-sequences 64 "train --model $config --steps 1 --batch-tokens 256 --out x guided.aligned" \
    "^train: --sequence-length is 512 \(the default\), more than --batch-tokens 256$"
ends export-to-itself 64 "$train --steps 1 --out x --export x guided.aligned" "name the same folder"

# Stopped by a signal and taken up again: the same bytes as the run that was not.
cp guided.aligned slow.aligned
for signal in TERM INT USR1 HUP; do
    out=stopped-$signal
    # The job is the direct child of a process that ignores none of the signals for it, whatever nohup or a shell's background did.
    python3 - $signal "$out" $train --steps 4000 --checkpoint-every 0 --out "$out" slow.aligned <<'PYTHON' >$out.status 2>$out.err
import signal, subprocess, sys, time
number = getattr(signal, "SIG" + sys.argv[1])
process = subprocess.Popen(sys.argv[3:], stdout=subprocess.PIPE, preexec_fn=lambda: signal.signal(number, signal.SIG_DFL))
process.stdout.readline()
process.send_signal(number)
process.stdout.read()
print(process.wait())
PYTHON
    holds "status-$signal" "grep -qx 75 $out.status"
    holds "says-so-$signal" "grep -q 'state saved' $out.err"
    holds "state-$signal" "test -s $out.checkpoints/step-*/model.safetensors -a ! -e $out"
done
# Two signals within a moment are one wish to stop; a later one does not wait for the step, which takes seconds here.
sed 's/"hidden_size": 16/"hidden_size": 256/; s/"num_hidden_layers": 1/"num_hidden_layers": 12/' "$config" >large.json
holds second-signal-ends-at-once "python3 - <<'PYTHON'
import os, signal, subprocess, time
process = subprocess.Popen('train --model large.json --out left --steps 1 --batch-tokens 65536 --sequence-length 64 long.tokens'.split())
# The folder is made right before the first step.
while not os.path.exists('left.checkpoints'):
    time.sleep(0.01)
time.sleep(0.5)
process.send_signal(signal.SIGTERM)
process.send_signal(signal.SIGTERM)
time.sleep(1.2)
assert process.poll() is None, process.returncode
process.send_signal(signal.SIGTERM)
assert process.wait(1) == -signal.SIGTERM, process.returncode
PYTHON"
holds second-signal-leaves-nothing "[ ! -e left ]"
ends resumed 0 "$train --spike 0 --steps 4000 --resume --out stopped-TERM slow.aligned >resumed.log"
ends unbroken 0 "$train --spike 0 --steps 4000 --out unbroken slow.aligned >unbroken.log"
same resumed-model unbroken/model.safetensors stopped-TERM/model.safetensors
ends resume-other-options 65 "$train --steps 4000 --resume --select 0.7 --out stopped-INT slow.aligned" "^train: stopped-INT"
ends resume-other-data 65 "$train --steps 4000 --resume --out stopped-INT student.tokens" "^train: "
ends resume-nothing 66 "$train --steps 4000 --resume --out absent slow.aligned" "^train: absent"
ends guided-without-teacher 65 "$train --steps 2 --out no student.tokens" "^train: student.tokens"
# Aligned the wrong way round: the student's own scores are no teacher's.
ends guided-by-itself 65 "align --no-provenance teacher.scores student.tokens -o swapped.aligned; $train --steps 2 --model $FIXTURES/vocabularies/teacher/config.json --out no swapped.aligned" "records without 'teacher_losses'"
ends vocabulary-too-large 65 "train --model $config --out no --steps 1 teacher.tokens" "^train: teacher.tokens"
ends standard-input-ends 65 "$train --steps 500 --out ended - <guided.aligned >/dev/null" "ended after step"
ends no-folder 73 "$train --steps 1 --out corpus.ndjson/folder guided.aligned >/dev/null" "^train: corpus.ndjson/folder"
ends not-a-model 65 "echo '{\"model_type\":\"gpt2\"}' >config.json; train --model config.json --out no --steps 1 guided.aligned" "^train: config.json"
holds nothing-else "[ ! -e no ] && [ -z \"\$(ls -A | grep -E '^\\..*part|tmp')\" ]"
