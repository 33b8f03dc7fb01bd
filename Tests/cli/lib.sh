# Checks for the cases: each counts as passed or failed, and says why it failed.
# A case runs in an empty folder of its own. $INPUTS holds shared inputs, $FIXTURES the repository's.

pass() { echo "pass $CASE: $1" >>"$RESULTS"; }
fail() { echo "fail $CASE: $1${2:+: $2}" | tee -a "$RESULTS" >&2; }

# golden NAME STATUS COMMAND: standard output, standard error and status are each as expected.
# Expected texts are expected/CASE/NAME.out and NAME.err; without NAME.err standard error must be empty.
golden() {
    local name=$1 want=$2 stem=$CLI/expected/$CASE/$1 got stream
    bash -c "$3" >"$name.out" 2>"$name.err"
    got=$?
    if ((got == want)); then pass "$name status"; else fail "$name status" "expected $want, found $got: $(head -c 300 "$name.err")"; fi
    if [[ ! -e $stem.out ]]; then
        mkdir -p "$(dirname "$stem")"
        cp "$name.out" "$stem.out"
        [[ -s $name.err ]] && cp "$name.err" "$stem.err"
        fail "$name" "golden files were missing; look at them and run again"
        return
    fi
    for stream in out err; do
        if cmp -s "$name.$stream" "$stem.$stream" || [[ ! -e $stem.$stream && ! -s $name.$stream ]]; then
            pass "$name.$stream"
        else
            fail "$name.$stream" "$(diff <(cat "$stem.$stream" 2>/dev/null) "$name.$stream" | head -n 6)"
        fi
    done
}

# ends NAME STATUS COMMAND [PATTERN]: the status, and a standard error that holds the pattern; without one it must be empty.
ends() {
    local name=$1 want=$2 pattern=${4:-} got
    bash -c "$3" >"$name.out" 2>"$name.err"
    got=$?
    if ((got != want)); then
        fail "$name" "expected status $want, found $got: $(head -c 300 "$name.err")"
    elif [[ -n $pattern ]] && ! grep -qE -- "$pattern" "$name.err"; then
        fail "$name" "expected '$pattern' on standard error, found: $(head -c 300 "$name.err")"
    elif [[ -z $pattern && -s $name.err ]]; then
        fail "$name" "expected nothing on standard error, found: $(head -c 300 "$name.err")"
    else
        pass "$name"
    fi
}

# same NAME FILE FILE: equal bytes, and some.
same() {
    if [[ -s $2 ]] && cmp "$2" "$3" >&2; then pass "$1"; else fail "$1" "$2 and $3 differ or are empty"; fi
}

# holds NAME COMMAND: it succeeds.
holds() {
    if bash -c "$2" >"$1.out" 2>"$1.err"; then pass "$1"; else fail "$1" "$2: $(head -c 300 "$1.err")"; fi
}

# only NAME FILE…: the folder 'left' holds these files and nothing else, hidden ones included; it is emptied.
only() {
    local name=$1 found
    shift
    found=$(ls -A left | tr '\n' ' ')
    if [[ $found == "$(printf '%s ' "$@" | sed 's/^ $//')" ]]; then pass "$name"; else fail "$name" "expected '$*', found '$found'"; fi
    rm -rf left
    mkdir left
}
