# What every tool says of itself, and what it says to wrong usage.
for tool in tokenize align teacher-score sample train evaluate stream-cat; do
    ends "$tool-help" 0 "$tool --help | grep -q '^USAGE: $tool'"
    ends "$tool-help-full" 74 "$tool --help >/dev/full" "^$tool: <stdout>: cannot write: No space left on device"
    ends "$tool-help-closed" 74 "$tool --help >&-" "^$tool: <stdout>: cannot write"
    ends "$tool-version" 0 "$tool --version | head -n 2 | tr '\n' ' ' | grep -qE '^$tool \(preceptor\) [0-9.]+ commit '"
    ends "$tool-version-full" 74 "$tool --version >/dev/full" "^$tool: <stdout>: cannot write"
    ends "$tool-unknown-option" 64 "$tool --nonsense" "^$tool: (unknown|missing expected|missing subcommand|unexpected)"
    ends "$tool-closed-stderr" 64 "$tool --nonsense 2>&-"
done
# A tool that computes names what it computes with.
for tool in teacher-score train evaluate; do ends "$tool-blas" 0 "$tool --version | grep -qi openblas"; done
for tool in tokenize teacher-score sample train; do ends "$tool-missing-option" 64 "$tool" "missing expected argument"; done
ends align-missing-argument 64 "align" "missing expected argument"
ends evaluate-missing-subcommand 64 "evaluate" "missing subcommand"
ends evaluate-missing-option 64 "evaluate perplexity" "see 'evaluate perplexity --help'"
ends no-threads 64 "teacher-score --model m --threads 0 x" "between 1 and 1024"
