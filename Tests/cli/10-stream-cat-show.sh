# stream-cat on whole streams: what it shows, and that both encodings are the same records.
for kind in tokens scores aligned; do
    cp "$FIXTURES/tiny.$kind" .
    golden "$kind" 0 "stream-cat tiny.$kind"
    golden "$kind-stat" 0 "stream-cat --stat tiny.$kind"
    golden "$kind-header" 0 "stream-cat --header tiny.$kind"
    ends "$kind-check" 0 "stream-cat --check tiny.$kind"
    stream-cat tiny.$kind >tiny.$kind.ndjson
    stream-cat --format tensor tiny.$kind.ndjson >back.$kind
    ends "$kind-back" 0 "stream-cat --diff tiny.$kind back.$kind"
    stream-cat --checksum - <tiny.$kind >sum.tensor
    stream-cat --checksum - <tiny.$kind.ndjson >sum.ndjson
    same "$kind-checksum" sum.tensor sum.ndjson
done
golden checksum 0 "stream-cat --checksum tiny.tokens"
golden two-streams 0 "stream-cat tiny.tokens tiny.tokens"
golden concatenated 0 "cat tiny.tokens tiny.tokens | stream-cat"
sed 's/"input_ids":\[0,7,14\]/"input_ids":[0,8,14]/' tiny.tokens.ndjson >other.ndjson
golden different 1 "stream-cat --diff tiny.tokens other.ndjson"
golden kinds 65 "stream-cat tiny.tokens tiny.scores"
ends one-to-diff 64 "stream-cat --diff tiny.tokens" "--diff compares two streams"
ends two-reports 64 "stream-cat --check --stat tiny.tokens" "choose one of"
