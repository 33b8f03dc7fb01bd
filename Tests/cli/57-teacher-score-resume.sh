# teacher-score --resume: killed at any moment, the same command goes on to the same bytes; what has changed is refused.
ln -s "$INPUTS"/* .
head -n 6000 long.ndjson | tokenize --no-provenance --tokenizer "$FIXTURES/vocabularies/teacher" >many.tokens
score="teacher-score --no-provenance --model teacher --bos always --top-k 3 --sampled 2 --threads 1"
ends unbroken 0 "$score many.tokens >whole.scores"
ends resumable 0 "$score --resume -o fresh.scores many.tokens"
same same-as-a-stream whole.scores fresh.scores
holds nothing-left-behind "! ls fresh.scores.partial .*.part 2>/dev/null"
cp fresh.scores kept
ends again 0 "$score --resume -o fresh.scores many.tokens"
same untouched kept fresh.scores

# kill -9 at 20 random moments, counted from the start of each run; the last run goes to its end.
holds killed "python3 - $score --resume -o killed.scores many.tokens <<'PYTHON'
import os, random, signal, subprocess, sys, time
random.seed(int(os.environ.get('KILL_SEED', '7')))
begin = time.monotonic()
subprocess.run(sys.argv[1:-3] + ['-o', 'timed.scores', 'many.tokens'], check=True)
whole = time.monotonic() - begin
killed = grown = 0
while killed < 20:
    process = subprocess.Popen(sys.argv[1:])
    time.sleep(random.uniform(0, whole / 6))
    process.kill()
    if process.wait() == 0: break
    killed += 1
    size = os.path.getsize('killed.scores.partial') if os.path.exists('killed.scores.partial') else 0
    grown += size > 0
print(killed, 'times killed,', grown, 'times with records kept')
assert killed == 20 or os.path.exists('killed.scores')
subprocess.run(sys.argv[1:], check=True)
PYTHON"
same killed-same-bytes whole.scores killed.scores
holds no-litter "! ls killed.scores.partial .*.part 2>/dev/null"

# A torn tail, a damaged record, nothing but a torn header: cut off, and the same bytes at the end.
size=$(stat -c %s whole.scores)
for cut in 0 5 300 $((size / 3)) $((size / 2)) $((size - 1)); do
    head -c "$cut" whole.scores >torn.scores.partial
    ends "torn-$cut" 0 "$score --resume -o torn.scores many.tokens"
    same "torn-$cut-bytes" whole.scores torn.scores
    rm torn.scores
done
python3 -c "
data = bytearray(open('whole.scores', 'rb').read())
data[len(data) // 2] ^= 1
open('flipped.scores.partial', 'wb').write(data)"
ends flipped 0 "$score --resume -o flipped.scores many.tokens"
same flipped-bytes whole.scores flipped.scores

# A crash of the machine may have lost some of the header, where zeros are then; more zeros than a header has are no beginning of ours.
(head -c 100 whole.scores; head -c 100 /dev/zero) >zeros.scores.partial
ends lost-header 0 "$score --resume -o zeros.scores many.tokens"
same lost-header-bytes whole.scores zeros.scores
head -c 30000 /dev/zero >zeros.partial
ends all-zeros 65 "$score --resume -o zeros many.tokens" "no stream of records to go on with"

# Stopped by a signal: 75, and the same command goes on.
mkfifo slow
# The same tokens in smaller records, so that some come whole.
head -n 6000 long.ndjson | tokenize --no-provenance --batch-tokens 1024 --tokenizer "$FIXTURES/vocabularies/teacher" >small.tokens
(head -c 200000 small.tokens; sleep 3) >slow &
holds stopped "python3 - $score --resume -o stopped.scores slow <<'PYTHON'
import os, signal, subprocess, sys, time
process = subprocess.Popen(sys.argv[1:], preexec_fn=lambda: signal.signal(signal.SIGTERM, signal.SIG_DFL))
time.sleep(1)
process.send_signal(signal.SIGTERM)
assert process.wait() == 75, process.returncode
PYTHON"
wait
holds stopped-says-how-much "grep -E '^teacher-score: stopped.scores: stopped with [1-9][0-9]* documents scored, in stopped.scores.partial' stopped.err"
ends goes-on 0 "$score --resume -o stopped.scores many.tokens"
same stopped-bytes whole.scores stopped.scores

# What has changed is refused, and what is there stays.
head -c $((size / 2)) whole.scores >other.scores.partial
cp other.scores.partial before
ends other-options 65 "$score --window 8 --resume -o other.scores many.tokens" "was begun with --window [0-9]+, this run with --window 8"
ends lists-added 65 "$score --top-p 0.5 --resume -o other.scores many.tokens" "was begun without --top-p, this run with --top-p 0.5"
teacher-score --no-provenance --model teacher --bos always many.tokens | head -c 5000 >plain.scores.partial
ends lists-where-none-were 65 "$score --resume -o plain.scores many.tokens" "was begun without --top-k, this run with --top-k 3"
ends other-precision 65 "$score --precision bfloat16 --resume -o other.scores many.tokens" "was begun with --precision float32, this run with --precision bfloat16"
sed 's/number 7 /number seven /' long.ndjson | head -n 6000 | tokenize --no-provenance --tokenizer "$FIXTURES/vocabularies/teacher" >changed.tokens
ends other-input 65 "$score --resume -o other.scores changed.tokens" "another document '7' than the one that was scored in its place"
head -n 100 long.ndjson | tokenize --no-provenance --tokenizer "$FIXTURES/vocabularies/teacher" >short.tokens
ends shorter-input 65 "$score --resume -o other.scores short.tokens" "another document|ends, but other.scores goes on"
same kept-as-it-was before other.scores.partial
ends longer-than-complete 65 "head -n 6001 long.ndjson | tokenize --no-provenance --tokenizer $FIXTURES/vocabularies/teacher | $score --resume -o killed.scores -" "another document|goes on with document"
echo "not a stream" >foreign.partial
ends foreign 65 "$score --resume -o foreign many.tokens" "no stream of records to go on with"
holds foreign-kept "grep -q 'not a stream' foreign.partial"
ends two-writers 74 "flock -x locked.scores.partial $score --resume -o locked.scores many.tokens" "another process is writing this file"
ends no-file 64 "$score --resume many.tokens" "--resume needs -o FILE"
ends no-ndjson 64 "$score --resume --format ndjson -o x many.tokens" "--resume writes tensor records"
