# align --report, --show and --html: what people look at, and that nothing in a text becomes more than text.
ln -s "$INPUTS"/student.tokens "$INPUTS"/teacher.scores "$INPUTS"/teacher.tokens "$INPUTS"/corpus.ndjson .
vocabularies=$FIXTURES/vocabularies
cat >nasty.ndjson <<'TEXT'
{"id":"<b>&\"'","text":"<script>alert(\"&amp;\")</script>\u001b[31m\u202e\u0000 thing's"}
{"id":"lines","text":"the thing\nin the the the the the the the the the the the the the the the the the thing at a thing\n\nnumbers 12345 and 99\n\ttab"}
{"id":"wide","text":"\u6570\u5b66 e\u0301 \ud83d\ude00 in"}
TEXT
tokenize --tokenizer "$vocabularies/student" nasty.ndjson >mine.tokens
tokenize --tokenizer "$vocabularies/teacher" nasty.ndjson >its.tokens
# Losses one can predict: 0 to 10 nats in turn, none for the first token.
stream-cat its.tokens | python3 -c '
import json, sys
for line in sys.stdin:
    record = json.loads(line)
    if "stream" not in record:
        record["log_probs"] = [None] + [-(place % 12) for place in range(1, len(record["input_ids"]))]
        print(json.dumps(record))' >its.scores
# A vocabulary that writes numbers digit by digit beside one that does not; a straddling token; a gap.
cat >left.tokens <<'TEXT'
{"id":"a","input_ids":[1,2,3,4,5,6],"offsets":[[0,0],[0,3],[3,6],[6,8],[8,11],[11,12]]}
TEXT
cat >right.tokens <<'TEXT'
{"id":"a","input_ids":[7,8,9,10],"offsets":[[0,2],[2,6],[6,9],[9,11]]}
TEXT
printf '{"id":"a","text":"ab cd 123456"}\n' >digits.ndjson

golden report 0 "align --report student.tokens teacher.scores"
golden report-text 0 "align --report --text corpus.ndjson --examples 2 student.tokens teacher.tokens"
golden report-digits 0 "align --report --text digits.ndjson left.tokens right.tokens"
golden report-table 0 "align --report --table --text digits.ndjson left.tokens right.tokens"
golden report-table-ids 0 "align --report --table --examples 1 left.tokens right.tokens"
# An id in the table is whole, however long: --show takes it.
long=$(printf 'https://example.org/%0100d' 7)
sed "s,\"a\",\"$long\"," left.tokens >long.left
sed "s,\"a\",\"$long\"," right.tokens >long.right
holds report-table-long-id "align --report --table --examples 1 long.left long.right | grep -q '  $long\$'"
golden report-teachers 0 "align --report --examples 0 student.tokens teacher.scores teacher.scores"
golden report-chunks 0 "align --report --chunks 2 left.tokens right.tokens"
golden show 0 "align --show lines --text nasty.ndjson mine.tokens its.scores"
golden show-wide 0 "COLUMNS=30 align --show wide --text nasty.ndjson mine.tokens its.tokens"
golden show-nasty 0 "align --show '<b>&\"'\\' --text nasty.ndjson mine.tokens its.scores"
golden show-gap 0 "align --show a --text digits.ndjson left.tokens right.tokens"

# On a terminal in colour, but not against the wish of its owner.
terminal() { TERM=xterm-256color python3 -c 'import pty, sys; sys.exit(pty.spawn(sys.argv[1:]) >> 8)' env "$@" --show lines --text nasty.ndjson mine.tokens its.scores; }
terminal align >painted.txt
holds colour "grep -q $'\x1b\\[38;5;16;48;5;' painted.txt"
for wish in NO_COLOR=1 TERM=dumb; do
    terminal "$wish" align | tr -d '\r' >plain.txt
    same "plain-$wish" plain.txt show.out
done
terminal NO_COLOR= align >empty.txt
same empty-no-color empty.txt painted.txt

golden page 0 "align --html page.html --text nasty.ndjson mine.tokens its.scores && sed -n '/<section>/,\$p' page.html"
holds page-is-well-formed "python3 - <<'CODE'
import html.parser, json
class Check(html.parser.HTMLParser):
    stack, words, tags = [], [], set()
    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        assert all(name in ('class', 'title', 'lang', 'charset', 'name', 'content') for name, _ in attributes), attributes
        if tag not in ('br', 'meta'): self.stack.append(tag)
    def handle_endtag(self, tag): assert self.stack.pop() == tag, tag
    def handle_data(self, text): self.words.append(text)
page = open('page.html', encoding='utf-8').read()
check = Check()
check.feed(page)
check.close()
assert not check.stack and 'script' not in check.tags and 'b' not in check.tags, check.tags
assert 'http' not in page and 'url(' not in page and '@' not in page
text = ''.join(check.words)
assert '<b>&' in text and '\"' in text and text.count('<') == 5, text
assert not any(ord(c) < 32 and c != '\n' for c in page) and '\u202e' not in page
CODE"
ends page-of-one 0 "align --html one.html --documents 1 --text nasty.ndjson mine.tokens its.scores"
holds page-has-one "test \$(grep -c '<section>' one.html) = 1 && test \$(grep -c '<section>' page.html) = 3"

mkdir left
refused() { ends "$1" "$2" "align --html left/page $3" "$4" && only "$1-nothing-left"; }
refused no-text 64 "mine.tokens its.scores" "--html needs --text"
refused two-teachers 64 "--text nasty.ndjson mine.tokens its.scores its.scores" "draw one teacher"
refused two-modes 64 "--report mine.tokens its.scores" "exclude each other"
refused no-documents 64 "--documents 0 --text nasty.ndjson mine.tokens its.scores" "at least 1"
refused other-corpus 65 "--text corpus.ndjson mine.tokens its.scores" "corpus.ndjson: ends without the document "
sed 2s/numbers/numberz/ nasty.ndjson >changed.ndjson
refused changed-corpus 65 "--text changed.ndjson mine.tokens its.scores" "changed.ndjson:2: byte [0-9]+: document 'lines' has another text"
printf '{"id":"a","text":"short"}\n' >short.ndjson
refused short-corpus 65 "--text short.ndjson left.tokens right.tokens" "short.ndjson:1: byte 0: document 'a' has 5 bytes, but its tokens reach byte 12"
ends no-such-document 65 "align --show nothing --text nasty.ndjson mine.tokens its.scores" "mine.tokens: holds no document 'nothing'"
ends text-and-stream-from-standard-input 64 "align --report --text - - its.scores <mine.tokens" "only one of the streams"
ends text-for-records 64 "align --text nasty.ndjson mine.tokens its.scores" "--text is for"
ends table-for-records 64 "align --table mine.tokens its.scores" "--table is for"
ends page-to-full 74 "align --html /dev/full --text nasty.ndjson mine.tokens its.scores" "/dev/full: cannot write"
