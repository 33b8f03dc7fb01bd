# tokenize: its records, its options, its refusals.
vocabulary=$FIXTURES/vocabularies/student
ln -s "$INPUTS/corpus.ndjson" .
golden ndjson 0 "tokenize --no-provenance --format ndjson --tokenizer $vocabulary corpus.ndjson"
golden keys 0 "echo '{\"name\":\"x\",\"body\":\"in the inn\"}' | tokenize --no-provenance --format ndjson --tokenizer $vocabulary --text-key body --id-key name"
golden two-files 0 "tokenize --no-provenance --format ndjson --tokenizer $vocabulary/tokenizer.json corpus.ndjson - <<<'{\"text\":\"in\"}'"
golden no-text 65 "echo '{\"id\":\"x\"}' | tokenize --tokenizer $vocabulary"
ends other-key 65 "echo '{\"id\":\"xxxxxxxxx\",\"lang\":\"en\",\"content\":\"the cat\"}' | tokenize --tokenizer $vocabulary" "hint: .*--text-key content$"
golden text-is-a-number 65 "echo '{\"text\":5}' | tokenize --tokenizer $vocabulary"
golden bad-utf8 65 "printf '{\"text\":\"ok\"}\n{\"text\":\"a\\377\"}\n' | tokenize --no-provenance --format ndjson --tokenizer $vocabulary"
golden not-json 65 "echo 'plain words' | tokenize --tokenizer $vocabulary"
special='echo "{\"text\":\"the cat\"}" | tokenize --no-provenance --format ndjson --add-special-tokens --tokenizer'
for name in template-two-before bert-post roberta gguf-bert.gguf; do
    [[ $name == *.* ]] || name=$name.json
    golden "special-${name%.*}" 0 "$special $FIXTURES/text/shapes/$name"
done
golden empty 0 "tokenize --no-provenance --format ndjson --tokenizer $vocabulary </dev/null"
ends provenance 0 "echo '{\"text\":\"in\"}' | tokenize --tokenizer $vocabulary --format ndjson | head -n 1 | grep -q '\"producer\":\"preceptor tokenize [0-9.]* --tokenizer'"
ends verbose 0 "tokenize --verbose --tokenizer $vocabulary corpus.ndjson >/dev/null" "^tokenize: 5 documents, "
ends bad-vocabulary 65 "echo '{}' >v.json; tokenize --tokenizer v.json corpus.ndjson" "^tokenize: v.json"
# A file that ends too early says what may be the cause.
head -c 2000 "$vocabulary/tokenizer.json" >cut.json
head -c 300 "$FIXTURES/text/shapes/spm-unigram.model" >cut.model
printf 'IQ== 0\nIg== 1\nIw=' >cut.tiktoken
for name in json model tiktoken; do
    ends "cut-$name" 65 "tokenize --tokenizer cut.$name corpus.ndjson" "hint: the download may not have finished"
done
echo '{"model":}' >wrong.json
holds wrong-is-not-cut "! tokenize --tokenizer wrong.json corpus.ndjson 2>&1 | grep download"
