# align --overlap: counts of two vocabularies, as lines and as a table, and the map of byte-identical ids.
ln -s "$FIXTURES"/vocabularies/* .
golden lines 0 "align --overlap student teacher"
golden table 0 "align --overlap --table student teacher"
golden map 0 "align --overlap --map ids.safetensors -o counts.ndjson student teacher && python3 - <<'CODE'
import array, json, struct
data = open('ids.safetensors', 'rb').read()
length = struct.unpack('<Q', data[:8])[0]
header = json.loads(data[8:8 + length])
facts = header.pop('__metadata__')
print({key: value for key, value in facts.items() if 'sha256' not in key}, all(len(value) == 64 for key, value in facts.items() if 'sha256' in key))
ids = {}
for name, tensor in header.items():
    begin, end = tensor['data_offsets']
    ids[name] = array.array('I', data[8 + length + begin:8 + length + end])
    print(name, tensor['dtype'], tensor['shape'])
print([pair for pair in zip(ids['student_ids'], ids['teacher_ids']) if pair[0] != pair[1]])
CODE"
same counts-beside-map counts.ndjson lines.out
ends map-to-full 74 "align --overlap --map /dev/full student teacher" "/dev/full: cannot write"
ends map-and-counts-to-stdout 64 "align --overlap --map - student teacher" "both go to standard output"
ends map-alone 64 "align --map ids $INPUTS/student.tokens $INPUTS/teacher.scores" "is for --overlap"
ends no-vocabulary 65 "align --overlap student $INPUTS/corpus.ndjson" "corpus.ndjson:2: "
ends missing-vocabulary 66 "align --overlap student nowhere" "nowhere: "
mkdir left
ends nothing-half-written 65 "align --overlap --map left/ids -o left/counts student $INPUTS/corpus.ndjson" "corpus.ndjson:2: "
only nothing-left
