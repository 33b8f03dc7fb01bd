# What every tool says of itself, and what it says to wrong usage.
for tool in tokenize align teacher-score sample train evaluate stream-cat; do
    ends "$tool-help" 0 "$tool --help | grep -q '^USAGE: $tool'"
    ends "$tool-help-full" 74 "$tool --help >/dev/full" "^$tool: <stdout>: cannot write: No space left on device"
    ends "$tool-help-closed" 74 "$tool --help >&-" "^$tool: <stdout>: cannot write"
    ends "$tool-version" 0 "$tool --version | head -n 2 | tr '\n' ' ' | grep -qE '^$tool \(preceptor\) [0-9.]+ commit '"
    ends "$tool-version-full" 74 "$tool --version >/dev/full" "^$tool: <stdout>: cannot write"
    ends "$tool-unknown-option" 64 "$tool --nonsense" "^$tool: (unknown option|a command is missing)"
    ends "$tool-closed-stderr" 64 "$tool --nonsense 2>&-"
done
# A tool that computes names what it computes with.
for tool in teacher-score train evaluate; do ends "$tool-blas" 0 "$tool --version | grep -qi openblas"; done
for tool in tokenize teacher-score sample train; do ends "$tool-missing-option" 64 "$tool" "missing expected argument"; done
ends align-missing-argument 64 "align" "missing expected argument"
ends evaluate-missing-command 64 "evaluate" "^evaluate: a command is missing: expected perplexity, choices or generate$"
ends evaluate-option-first 64 "evaluate --model m" "^evaluate: a command is missing: expected perplexity"
ends evaluate-unknown-command 64 "evaluate perplexty --model m" "^evaluate: no command 'perplexty': expected perplexity, choices or generate$"
# A required option that is misspelt is named as it was typed, whether or not something else is missing.
ends tokenize-misspelt 64 "tokenize --tokeniser x" "^tokenize: unknown option '--tokeniser'. Did you mean '--tokenizer'\?$"
ends train-misspelt 64 "train --model m --out o --stpes=5 x" "^train: unknown option '--stpes'. Did you mean '--steps'\?$"
ends train-misspelt-too 64 "train --model m --out o --steps 1 --distil kl x" "^train: unknown option '--distil'. Did you mean '--distill'\?$"
ends teacher-score-misspelt 64 "teacher-score --modle m" "^teacher-score: unknown option '--modle'. Did you mean '--model'\?$"
ends evaluate-misspelt 64 "evaluate perplexity --modle m" "see 'evaluate perplexity --help'"
ends no-option-behind-dashes 64 "tokenize -- --tokeniser" "missing expected argument '--tokenizer <path>'"
ends evaluate-missing-option 64 "evaluate perplexity" "see 'evaluate perplexity --help'"
ends no-threads 64 "teacher-score --model m --threads 0 x" "between 1 and 1024"
