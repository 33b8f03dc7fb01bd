# sample: what is kept, in which order and form; the worked values; both units; shards; memory; the report.
ln -s "$INPUTS"/* .

# Five documents whose differences are 0.1, 2.94 (teacher 1.26, reference 4.20), -1, 0.5 and 2.5; the text has a key of its own and odd bytes.
python3 - <<'PYTHON'
import json
teacher = [[None, -1.0, -1.0], [None, -1.26, -1.26], [-9.0, -3.0], [None, -0.5, -1.5, -1.0], [None, -2.0]]
reference = [[None, -1.2, -1.0], [None, -4.2, -4.2], [None, -2.0], [None, -2.0, -1.25, -1.25], [-1.0, -4.5]]
for name, scores in (("t", teacher), ("r", reference)):
    with open(f"{name}.ndjson", "w") as file:
        for number, values in enumerate(scores):
            ids = [7 + number + place for place in range(len(values))]
            file.write(json.dumps({"id": "abcde"[number], "input_ids": ids, "log_probs": values}) + "\n")
with open("c.ndjson", "wb") as file:
    for number in range(5):
        line = '{"id": "%s",  "from":"%s", "text":"t\\u00e9xt %d  \\n", "n":1e2}' % ("abcde"[number], "xyx"[number % 3], number)
        file.write(line.encode() + (b"\r\n" if number == 1 else b"\n\n" if number == 2 else b"" if number == 4 else b"\n"))
PYTHON
run="sample --no-provenance --teacher t.ndjson --reference r.ndjson"
golden scores-only 0 "$run --scores-only"
golden half-of-five 0 "$run c.ndjson"
golden kept-lines-are-the-same-bytes 0 "$run <c.ndjson | cmp - <(sed -n '2p;6p' c.ndjson; echo)"
golden ratio-one 0 "$run --ratio 1 c.ndjson | wc -l"
golden ratio-zero 0 "$run --ratio 0 c.ndjson"
golden threshold 0 "$run --threshold 0.5 --scores-only | grep -c true"
golden threshold-between 0 "$run --threshold 0.51 --scores-only | grep -c true"
golden tokens-five 0 "$run --tokens 5 c.ndjson"
golden tokens-eight 0 "$run --tokens 8 c.ndjson"
golden report 0 "$run --report - --extracts 2 --source-key from --plot plot.svg -o kept.out c.ndjson"
golden plot 0 "cat plot.svg"
holds plot-is-xml "python3 -c 'import xml.dom.minidom; xml.dom.minidom.parse(\"plot.svg\")'"
golden verbose 0 "$run --verbose --scores-only"
golden exchanged 0 "sample --teacher r.ndjson --reference t.ndjson c.ndjson"

# The same model twice: every difference is 0, and the first half is kept, in order.
golden same-model 0 "sample --allow-same-model --teacher t.ndjson --reference t.ndjson --ratio 0.4 --scores-only"

# Scores at the ends of what a Float holds, all alike, and none at all.
for name in t r; do
    value=$([[ $name == t ]] && echo -3e38 || echo -1e38)
    for id in a b; do echo "{\"id\":\"$id\",\"input_ids\":[1,2],\"log_probs\":[null,$value]}"; done >huge.$name
    stream-cat --header teacher.scores | sed 's/"model_sha256":"[0-9a-f]*",//' | stream-cat --format tensor -o none.$name
done
golden huge 0 "sample --teacher huge.r --reference huge.t --scores-only --report - --plot huge.svg -o huge.lines"
holds huge-plot "python3 -c 'import xml.dom.minidom; xml.dom.minidom.parse(\"huge.svg\")'"
golden none 0 "sample --no-provenance --teacher none.t --reference none.r --report none.report --plot none.svg /dev/null"
golden none-report 0 "cat none.report none.svg"

# Records as the corpus: the scored tokens, the scores themselves, another vocabulary's tokens, aligned records; both encodings.
real="sample --no-provenance --teacher teacher.scores --reference reference.scores --ratio 0.4"
$real corpus.ndjson >kept.ndjson
# Prints the lines of a stream that belong to the ids of kept.ndjson (or of records without one, the number), and the header.
cat >lines-of-kept.py <<'PYTHON'
import json, sys
number = [json.loads(line).get("id", str(n)) for n, line in enumerate(open("corpus.ndjson"))]
texts = [json.loads(line)["text"] for line in open("corpus.ndjson")]
kept = {number[texts.index(json.loads(line)["text"])] for line in open("kept.ndjson")}
assert len(kept) == 2
for line in sys.stdin:
    if json.loads(line).get("id") in kept or "stream" in json.loads(line):
        print(line, end="")
PYTHON
for corpus in teacher.tokens teacher.scores student.tokens guided.aligned; do
    ends "records-$corpus" 0 "$real $corpus | stream-cat >kept.$corpus"
    holds "records-$corpus-whole" "stream-cat $corpus | python3 lines-of-kept.py | cmp - kept.$corpus"
done
$real --format ndjson student.tokens >ndjson.kept
same ndjson kept.student.tokens ndjson.kept
stream-cat teacher.scores >teacher.scores.ndjson
ends from-ndjson-scores 0 "sample --no-provenance --ratio 0.4 --teacher teacher.scores.ndjson --reference reference.scores --format ndjson teacher.scores.ndjson >ndjson.again"
same ndjson-scores kept.teacher.scores ndjson.again
ends scores-on-standard-input 0 "sample --teacher - --reference reference.scores --ratio 0.4 corpus.ndjson <teacher.scores | cmp - kept.ndjson"

# Chunks: MiniPLM's rule, computed here once more from what stream-cat shows.
head -n 200 long.ndjson >some.ndjson
vocabulary=$FIXTURES/vocabularies/teacher
tokenize --no-provenance --tokenizer "$vocabulary" --pack 33 --separator 5 some.ndjson >packed.tokens
for model in teacher reference; do teacher-score --no-provenance --model $model --bos never packed.tokens >packed.$model; done
chunks="sample --no-provenance --teacher packed.teacher --reference packed.reference"
ends chunks 0 "$chunks packed.tokens >chunks.kept"
ends chunks-scores 0 "$chunks --scores-only >chunks.lines"
for name in tokens teacher reference; do stream-cat packed.$name >packed.$name.ndjson; done
stream-cat chunks.kept >chunks.kept.ndjson
holds chunks-as-minilpm "python3 - <<'PYTHON'
import json, math, struct
def single(value):
    return struct.unpack('f', struct.pack('f', value))[0]
def read(name):
    return [json.loads(line) for line in open(name)]
tokens, teacher, reference = (read(f'packed.{name}.ndjson')[1:] for name in ('tokens', 'teacher', 'reference'))
def score(chunk):
    ids, values = chunk['input_ids'], chunk['log_probs']
    losses = [-single(values[t]) for t in range(1, len(ids)) if ids[t - 1] != 5]
    return math.fsum(losses) / len(losses) if losses else math.nan
assert any(5 in chunk['input_ids'][:-1] for chunk in tokens)
r = [score(b) - score(a) for a, b in zip(teacher, reference)]
r = [-math.inf if math.isnan(value) else value for value in r]
order = sorted(range(len(r)), key=lambda i: (-r[i], i))
kept = sorted(order[:len(r) // 2])
assert [tokens[i] for i in kept] == read('chunks.kept.ndjson')[1:], 'other chunks'
lines = read('chunks.lines')
assert [line['kept'] for line in lines] == [i in set(kept) for i in range(len(r))]
found = [-math.inf if line['difference'] is None else line['difference'] for line in lines]
assert all(a == b or abs(a - b) < 1e-12 for a, b in zip(found, r))
PYTHON"
ends chunks-of-document-unit 0 "$chunks --unit document --scores-only | cmp -s - chunks.lines && exit 1; exit 0"

# Shards, one after the other as streams and as files, are as one; a draw does not depend on their order.
python3 - <<'PYTHON'
import json, random
random.seed(4)
with open("many.t", "w") as t, open("many.r", "w") as r, open("many.c", "w") as c:
    for number in range(20000):
        ids = [random.randrange(50) for _ in range(random.randrange(1, 5))]
        for file in t, r:
            values = [-random.choice((0.5, 1, 1.5, 2)) - 0.25 * (file is r) for _ in ids]
            file.write(json.dumps({"id": f"document-{number}", "input_ids": ids, "log_probs": values}) + "\n")
        c.write('{"id":"document-%d","text":"%d"}\n' % (number, number))
PYTHON
for name in t r c; do
    head -n 7001 many.$name >1.$name
    tail -n +7002 many.$name >2.$name
    cat 2.$name 1.$name >turned.$name
done
many="sample --no-provenance --teacher many.t --reference many.r"
for options in "--ratio 0.3" "--tokens 12345" "--method gumbel --ratio 0.3 --seed 7"; do
    name=$(tr -d ' -' <<<"$options")
    $many $options many.c >many.kept
    ends "shards-$name" 0 "$many $options 1.c 2.c | cmp - many.kept"
    ends "memory-$name" 0 "$many $options --memory 1M --temporary . many.c | cmp - many.kept"
    ends "order-$name" 0 "sample --teacher turned.t --reference turned.r $options turned.c | sort >turned.kept"
    if [[ $options == *gumbel* ]]; then
        holds "order-$name-same" "cmp turned.kept <(sort many.kept)"
        ends "seeds-differ" 0 "$many ${options/7/8} many.c | cmp -s - many.kept && exit 1; exit 0"
    fi
done
holds memory-is-used "strace -V >/dev/null 2>&1 || exit 0; strace -f -e trace=openat $many --memory 1M --temporary . --scores-only 2>&1 >/dev/null | grep -qE 'preceptor\\.|O_TMPFILE'"
holds nothing-left "! ls -A | grep -q '^preceptor'"
ends no-temporary-folder 73 "$many --memory 1M --temporary absent --scores-only" "^sample: absent: cannot create a temporary file: No such file"
ends temporary-full 74 "(ulimit -f 0; $many --memory 1M --temporary . --scores-only 2>&1 >/dev/null) | cat >&2; exit \${PIPESTATUS[0]}" "cannot write a temporary file: File too large"
