# align: its records, its report, its refusals.
ln -s "$INPUTS"/* .
golden ranges 0 "align --no-provenance --format ndjson student.tokens teacher.tokens"
for aggregate in max mean sum min first last; do
    ends "aggregate-$aggregate" 0 "align --no-provenance --aggregate $aggregate student.tokens teacher.scores >$aggregate.aligned"
done
same default-is-max max.aligned guided.aligned
ends mean-is-not-sum 1 "stream-cat --diff mean.aligned sum.aligned" "differ|[0-9]"
tokenize --no-provenance --tokenizer "$FIXTURES/vocabularies/teacher" - <<<'{"id":"a","text":"another text"}' >other.tokens
golden other-text 65 "align student.tokens other.tokens"
golden fewer-documents 65 "sed 1d corpus.ndjson | tokenize --no-provenance --tokenizer $FIXTURES/vocabularies/teacher | align student.tokens -"
golden both-standard-input 64 "align - -"
golden scores-as-student 65 "align guided.aligned guided.aligned"
