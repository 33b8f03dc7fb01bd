# Chunks that sample keeps become text and the tokens of another vocabulary, and no text is lost on the way.
vocabularies=$FIXTURES/vocabularies
ln -s "$INPUTS"/{teacher,reference} .
python3 - <<'PYTHON'
import json
with open("corpus.ndjson", "w") as file:
    for number in range(200):
        text = ("Größe 日本語 😀 %d, the  cat\n" % number) * (number % 5) + " end" * (number % 2)
        file.write(json.dumps({"id": number, "text": text}, ensure_ascii=False) + "\n")
PYTHON
tokenize --no-provenance --format ndjson --tokenizer "$vocabularies/teacher" corpus.ndjson >whole.tokens
tokenize --no-provenance --tokenizer "$vocabularies/teacher" --pack 21 --separator 5 corpus.ndjson >packed.tokens
for model in teacher reference; do teacher-score --no-provenance --model $model --bos never packed.tokens >packed.$model; done
for ratio in 1 0.5 0.9 0; do
    ends "sample-$ratio" 0 "sample --no-provenance --ratio $ratio --teacher packed.teacher --reference packed.reference packed.tokens >kept.tokens"
    stream-cat kept.tokens >kept.ndjson
    for threads in 1 3; do
        ends "decode-$ratio-$threads" 0 "tokenize --threads $threads --decode --tokenizer $vocabularies/teacher kept.tokens >text.$threads"
    done
    holds "threads-$ratio" "cmp text.1 text.3"
    # What the kept chunks stand for, from the spans of the documents' own tokens.
    holds "text-$ratio" "python3 - <<'PYTHON'
import json
tokens = []
for line, record in zip(open('corpus.ndjson'), list(open('whole.tokens'))[1:]):
    text, record = json.loads(line)['text'].encode(), json.loads(record)
    tokens += [(i, text[a:b]) for i, (a, b) in zip(record['input_ids'], record['offsets'])] + [(5, None)]
kept = [json.loads(line) for line in list(open('kept.ndjson'))[1:]]
texts, last = [], -1
def cut(text):
    while text:
        try:
            return text.decode().encode()
        except UnicodeDecodeError:
            text = text[:-1]
    return text
open_text = None
for chunk in kept:
    number = int(chunk['id'])
    if number != last + 1:
        if open_text is not None:
            texts.append(cut(open_text))
        # Where the chunk before is missing, the rest of a character goes with it.
        open_text, trims = None, True
    else:
        trims = False
    last = number
    part = tokens[21 * number:21 * number + 21]
    assert [i for i, _ in part] == chunk['input_ids']
    for i, piece in part:
        if i == 5:
            texts.append(open_text or b'')
            open_text, trims = None, False
        elif open_text is None and trims:
            piece = piece.lstrip(bytes(range(0x80, 0xC0)))
            open_text, trims = piece or None, not piece
        else:
            open_text = (open_text or b'') + piece
if open_text is not None:
    texts.append(cut(open_text))
found = [json.loads(line)['text'].encode() for line in open('text.1')]
assert len(found) == len(texts), (len(found), len(texts))
for a, b in zip(found, texts):
    assert a == b, (a, b)
PYTHON"
    ends "retokenize-$ratio" 0 "tokenize --no-provenance --tokenizer $vocabularies/student --pack 30 --separator 3 text.1 >student.tokens"
    holds "every-byte-$ratio" "cmp <(tokenize --decode --tokenizer $vocabularies/student student.tokens | jq -r .text) <(jq -r .text text.1)"
done

# The report shows chunks as text, where it knows the vocabulary.
sample="sample --no-provenance --teacher packed.teacher --reference packed.reference --extracts 1"
golden extracts 0 "$sample --report - --tokenizer $vocabularies/teacher -o left packed.tokens | grep '\"from\":\"top'"
ends extracts-other-vocabulary 65 "$sample --report report --tokenizer $vocabularies/student packed.tokens >out" "student: another vocabulary than that of packed.tokens"
ends extracts-without-corpus 64 "$sample --report report --tokenizer $vocabularies/teacher --scores-only" "needs the corpus"
ends extracts-without-report 64 "$sample --tokenizer $vocabularies/teacher packed.tokens" "is for --report"

# What is carried over the ends of chunks is counted; what missing chunks took of characters too.
golden carried 0 "tokenize --verbose --no-provenance --tokenizer $vocabularies/teacher --pack 21 --separator 5 corpus.ndjson 2>&1 >/dev/null | grep -oE '[0-9]+ chunks, .*'"
sample --no-provenance --teacher packed.teacher --reference packed.reference packed.tokens >kept.tokens
golden halves 0 "tokenize --verbose --decode --tokenizer $vocabularies/teacher kept.tokens 2>&1 >/dev/null"
