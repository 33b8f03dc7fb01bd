# Megatron token shards: read by the name of their index, written by --to-megatron, refused with their place.
# The shards in fixtures/megatron are numpy's (oracles/megatron_shard.py).
shards=$FIXTURES/megatron
ln -s "$INPUTS"/* .
for type in u8 i8 i16 u16 i32 i64; do golden "$type" 0 "stream-cat $shards/$type.idx"; done

# Written and read again: the tokens of the stream, and the same bytes from the shard's own records.
mkdir left
ends write 0 "stream-cat --to-megatron left/shard student.tokens"
stream-cat student.tokens | sed 's/"id":"[^"]*",//; s/"text_hash":"[^"]*",//; s/,"offsets".*/}/' | tail -n +2 >expected
stream-cat left/shard.idx | sed 's/"id":"[^"]*",//' | tail -n +2 >found
same write-tokens expected found
ends again 0 "stream-cat --format tensor left/shard.idx | stream-cat --to-megatron left/again -"
# Without a vocabulary's size the tokens are i32; with one, u16.
holds types "test \$(wc -c <left/again.bin) = \$((2 * \$(wc -c <left/shard.bin)))"
ends thrice 0 "stream-cat --to-megatron left/thrice left/again.idx"
same thrice-tokens left/again.bin left/thrice.bin
same thrice-index left/again.idx left/thrice.idx
only write-leaves-two again.bin again.idx shard.bin shard.idx thrice.bin thrice.idx
ends u32-to-i32 65 "stream-cat --to-megatron left/x $shards/i64.idx" "id 4294967295, this shard's tokens hold at most 2147483647"
ends cut-input 65 "head -c -20 student.tokens | stream-cat --to-megatron left/x" "^stream-cat: <stdin>"
ends too-large 74 "(ulimit -f 0; stream-cat --to-megatron left/x student.tokens) 2>&1 | cat >&2; exit \${PIPESTATUS[0]}" "File too large"
only failures-leave-nothing
ends no-folder 73 "stream-cat --to-megatron absent/x student.tokens" "^stream-cat: absent/x.bin: cannot create"
ends packed 0 "tokenize --tokenizer $FIXTURES/vocabularies/student --pack 64 --separator none long.ndjson | stream-cat --to-megatron packed -"
ends packed-check 0 "stream-cat --check packed.idx"

# What is wrong, and where.
cp "$shards"/u16.* .
ends shard-checks 0 "stream-cat --check u16.idx"
ends no-tokens 66 "cp u16.idx alone.idx; stream-cat alone.idx" "^stream-cat: alone.bin: cannot open"
ends piped 65 "stream-cat <u16.idx" "read from a file PREFIX.idx"
ends tokenize-a-shard 65 "tokenize --tokenizer $FIXTURES/vocabularies/student u16.idx" "this is the index of a Megatron token shard"
damage() {
    local name=$1 pattern=$2
    ends "$name" 65 "stream-cat --check bad.idx" "^stream-cat: bad\\.(idx|bin): byte [0-9]+: .*$pattern"
}
patch() { # patch OFFSET BYTES…: a fresh copy of the index with other bytes at an offset
    cp u16.idx bad.idx
    cp u16.bin bad.bin
    printf "$2" | dd of=bad.idx bs=1 seek="$1" conv=notrunc status=none
}
patch 9 '\002'; damage version "version 2 of the index"
patch 17 '\006'; damage floating "floating point"
patch 17 '\011'; damage unknown-type "type 9 of the tokens is unknown"
patch 18 '\377\377\377\377\377\377\377\377'; damage sequences "more than any file holds"
patch 18 '\377\377\377\377\377'; damage many-sequences "the index ends in number"
patch 34 '\377\377\377\377'; damage negative-length "the length of sequence 0 is -1"
patch 34 '\003'; damage longer "the pointer of sequence 1 is 4, expected 6"
patch 46 '\001'; damage pointer "the pointer of sequence 0 is 1, expected 0"
patch 70 '\004'; damage document "document 0 begins at sequence 4, expected 0 to 3"
patch 86 '\000'; damage documents-fall "document 2 begins at sequence 0, expected 1 to 3"
patch 102 '\000'; damage behind "bytes behind the last table"
patch 0 M; head -c -2 u16.bin >bad.bin; damage cut-tokens "sequence 2 has 6 more bytes, the file ends after 4"
patch 0 M; printf xx >>bad.bin; damage more-tokens "bytes behind the last sequence"
cp "$shards/i32.idx" bad.idx; printf '\377\377\377\377\1\0\0\0\2\0\0\0\3\0\0\0\4\0\0\0\5\0\0\0' >bad.bin; damage negative-id "no id from 0"
# Cut anywhere.
for ((cut = 1; cut < $(wc -c <u16.idx); cut++)); do
    head -c $cut u16.idx >bad.idx
    cp u16.bin bad.bin
    stream-cat --check bad.idx 2>cut.err
    [[ $? == 65 ]] && grep -q '^stream-cat: bad.idx' cut.err || fail "cut-$cut" "$(cat cut.err)"
done
pass cut-index
ends exclusive 64 "stream-cat --check --to-megatron x student.tokens" "its two files and nothing else"
ends exclusive-output 64 "stream-cat -o y --to-megatron x student.tokens" "its two files and nothing else"
