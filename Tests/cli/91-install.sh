# What `make install` puts where, and that shells complete by it.
tools=$(dirname "$(command -v align)")
ends not-built 2 "env -u MAKEFLAGS -u MAKELEVEL make -s -C '$ROOT' install 'BIN=$PWD' DESTDIR='$PWD/left' 2>&1 | sed 's/^/said: /' >&2; exit \${PIPESTATUS[0]}" "said: install: nothing is built"
ends install 0 "env -u MAKEFLAGS -u MAKELEVEL make -s -C '$ROOT' install BIN='$tools' DESTDIR='$PWD/left' PREFIX=/usr"
share=left/usr/share
for tool in tokenize align teacher-score sample train evaluate stream-cat; do
    holds "$tool-runs" "left/usr/bin/$tool --version"
    holds "$tool-page" "cmp '$ROOT/man/man1/$tool.1' $share/man/man1/$tool.1"
    holds "$tool-bash" "bash -n $share/bash-completion/completions/$tool && grep -q '^complete .* $tool\$' $share/bash-completion/completions/$tool"
    holds "$tool-zsh" "head -n 1 $share/zsh/site-functions/_$tool | grep -qx '#compdef $tool'"
    holds "$tool-fish" "grep -q \"^complete -c '$tool' .*-l 'verbose'\" $share/fish/vendor_completions.d/$tool.fish"
    if command -v zsh >zsh.path; then holds "$tool-zsh-reads" "zsh -n $share/zsh/site-functions/_$tool"; fi
    if command -v fish >fish.path; then holds "$tool-fish-reads" "fish -n $share/fish/vendor_completions.d/$tool.fish"; fi
done
for page in "$ROOT"/man/man?/*; do holds "page-$(basename "$page")" "cmp '$page' '$share${page#"$ROOT"}'"; done
# Readable for all, and nothing else.
holds readable "test \"\$(find left -type f ! -perm -444 | wc -l)\" = 0"
holds counted "test \"\$(find left -type f | wc -l)\" = \$((7 * 4 + $(ls "$ROOT"/man/man?/* | wc -l)))"

# completes NAME TOOL EXPECTED WORD…: among what bash offers for the last word is the expected one.
completes() {
    local name=$1 tool=$2 expected=$3
    shift 3
    holds "completes-$name" ". $share/bash-completion/completions/$tool
        COMP_WORDS=($tool $*) COMP_CWORD=$# COMP_LINE='$tool $*' COMP_POINT=\$((${#tool} + 1 + $(printf %s "$*" | wc -c)))
        _$tool $tool \"\${COMP_WORDS[-1]}\" \"\${COMP_WORDS[-2]}\"
        printf '%s\n' \"\${COMPREPLY[@]}\" | grep -qx -- '$expected'"
}
touch corpus.ndjson
mkdir models
completes option tokenize --tokenizer --toke
completes value tokenize ndjson --format nd
completes file tokenize corpus.ndjson --tokenizer cor
completes positional align corpus.ndjson cor
completes folder train models --export mod
completes subcommand evaluate perplexity perp
completes later-option evaluate --max-tokens generate --max-t
completes shared-option teacher-score --no-provenance --no-p
if command -v fish >fish.path; then
    holds fish-completes "fish -c \"source $share/fish/vendor_completions.d/tokenize.fish; complete -C 'tokenize --tokenizer cor'\" | grep -q corpus.ndjson"
fi

ends uninstall 0 "env -u MAKEFLAGS -u MAKELEVEL make -s -C '$ROOT' uninstall BIN='$tools' DESTDIR='$PWD/left' PREFIX=/usr"
holds nothing-left "test \"\$(find left -type f | wc -l)\" = 0"
