# tokenize: malformed vocabularies are refused with status 65, file and place, in bounded time and memory: malformed.py has the cases.
mkdir files
python3 "$CLI/malformed.py" files >cases.txt || fail "malformed.py" "it failed itself"
while read -r verdict name why; do
    if [[ $verdict == pass ]]; then pass "$name"; else fail "${name%:}" "$why"; fi
done <cases.txt
count=$(grep -c . cases.txt)
if ((count > 150)); then pass "the cases ran"; else fail "the cases ran" "only $count"; fi
