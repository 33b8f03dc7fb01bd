# stream-cat on what is not a whole stream: status 65, the place, the cure.
cp "$FIXTURES/tiny.tokens" .
size=$(stat -c %s tiny.tokens)
bad=0
for ((cut = 0; cut < size; cut += 1 + size / 40)); do
    head -c $cut tiny.tokens | stream-cat --check 2>cut.err
    status=$?
    [[ $status == 65 && $(wc -l <cut.err) -ge 1 ]] || { bad=1; echo "cut at $cut: status $status: $(cat cut.err)" >&2; }
done
((bad)) && fail cuts "see above" || pass cuts
golden truncated 65 "head -c $((size - 1)) tiny.tokens | stream-cat --check"
golden flipped 65 "{ head -c $((size / 2)) tiny.tokens; printf '\\377'; tail -c +$((size / 2 + 2)) tiny.tokens; } | stream-cat --check"
golden empty 65 "stream-cat --check </dev/null"
stream-cat tiny.tokens >tiny.ndjson
golden cut-line 65 "head -c -10 tiny.ndjson | stream-cat --check"
golden duplicate-key 65 "echo '{\"id\":\"a\",\"input_ids\":[1],\"id\":\"b\"}' | stream-cat --check"
golden gzip 65 "gzip -nc tiny.tokens | stream-cat --check"
golden lfs 65 "printf 'version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n' | stream-cat --check"
golden html 65 "echo '<!DOCTYPE html><html></html>' | stream-cat --check"
golden utf16 65 "printf '\377\376{\0}\0' | stream-cat --check"
golden text 65 "echo 'plain words' | stream-cat --check"
golden folder 66 "stream-cat --check ."
# What is whole in front of a cut is shown, in either encoding.
stream-cat tiny.tokens >whole.ndjson
head -c -10 tiny.tokens >cut.tokens
ends cut-shown 65 "stream-cat cut.tokens >shown.ndjson" "without its end record|cut"
same cut-shows-records whole.ndjson shown.ndjson
