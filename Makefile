# Preceptor: targets
#   make            build the tools into .build/release (static Swift standard library)
#   make test       all checks: unit and numeric tests in release, the tools as a shell sees them, sources, man pages
#   make check-exact  tokenize against its peers on every vocabulary that packages ship: minutes; PATTERN=… names some
#   make demo       the main job on real input, about ten minutes; DEMO_TOKENS=… scales it
#   make bench      products, kernels, scoring, training, start beside torch and llama.cpp: 12 minutes; BENCH=--quick for a trial
#   make check-large  a random model of 1.1 billion parameters scores and trains one step within 24 GiB: minutes
#   make check-reliability  R1-R25 in full: broken files, faults, kills, crash states, broken builds: hours; GATES='R9 R10' names some
#   make fuzz      the parsers under libFuzzer with AddressSanitizer, a minute each; SECONDS=600 TARGETS='gguf json'; the first build takes long
#   make check-server  teacher-score with llama-cpp-python's server on loopback: minutes, once more to compile llama.cpp
#   make check-mpi  train on 1, 2 and 4 ranks of mpirun, killed and stopped: a minute or two; `make test` runs it too where mpirun is
#   make bench-text  tokenize beside its peers, verified, then timed: minutes; BENCH=--quick for a trial
#   make bench-align  align beside numpy and the usual Python step from text: minutes; BENCH=--quick for a trial
#   make bench-choices  evaluate choices beside lm-evaluation-harness, verified, then timed: minutes
#   make install    PREFIX=/usr/local DESTDIR=: stripped tools, man pages, completions for bash, zsh and fish; make uninstall takes them away
#   make man        lint the man pages
#   make format     format the Swift sources in place
#   make setup      install the libraries that are missing (Debian, Ubuntu)
#   make assets     fetch the pinned real vocabularies and the real model that tests and demo use
#   make clean

PREFIX ?= /usr/local
TOOLS := tokenize align teacher-score sample train evaluate stream-cat
BIN := .build/release
INTO = $(DESTDIR)$(PREFIX)
# Where shells look for the completions of a tool.
completions = bash-completion/completions/$(1) zsh/site-functions/_$(1) fish/vendor_completions.d/$(1).fish

# What a shell says of OpenBLAS's core must not decide what is tested and measured: see docs/decisions/0002-openblas-core.md.
unexport OPENBLAS_CORETYPE OPENBLAS_L2_SIZE

.PHONY: all build test check-exact check-large check-reliability check-server check-mpi fuzz demo bench bench-text bench-align bench-choices \
    install uninstall man format setup assets clean
all: build

# Package.swift hands the commit to the one C file that --version asks; a new commit costs that file and a link.
# Product by product: a build of everything takes in TestSupport, and there is no static XCTest to link.
build: export PRECEPTOR_COMMIT = $(shell git describe --always --dirty --abbrev=12 2>/dev/null || echo unknown)
build: setup
	for tool in $(TOOLS) compute-bench; do \
	    swift build -c release --static-swift-stdlib --product $$tool || exit 1; done

test: build assets
	scripts/test

check-exact: build
	scripts/check-exact '$(PATTERN)'

demo:
	DEMO_TOKENS='$(DEMO_TOKENS)' scripts/demo

check-large: build
	scripts/check-large

check-reliability: build
	scripts/check-reliability $(GATES)

fuzz:
	scripts/fuzz --seconds '$(or $(SECONDS),60)' $(TARGETS)

check-server: build
	scripts/check-server

check-mpi: build
	scripts/check-mpi

bench: build
	scripts/bench-compute $(BENCH)

bench-text: build
	swift build -c release --static-swift-stdlib --product text-bench
	scripts/bench-text $(BENCH)

bench-align: build
	swift build -c release --static-swift-stdlib --product align-bench
	scripts/bench-align $(BENCH)

bench-choices: build
	scripts/bench-choices $(BENCH)

# What `make` has built: as root there may be no Swift on the PATH. Each tool writes its own completions.
install:
	@test -x $(BIN)/train || { echo "install: nothing is built in $(BIN): run make first" >&2; exit 1; }
	install -d '$(INTO)/bin' $(foreach file,$(call completions,x),'$(INTO)/share/$(dir $(file))')
	for tool in $(TOOLS); do \
	    install -s -m 755 $(BIN)/$$tool '$(INTO)/bin/' || exit 1; \
	    set -- bash zsh fish; \
	    for file in $(call completions,$$tool); do \
	        $(BIN)/$$tool --generate-completion-script $$1 >"$(INTO)/share/$$file" && chmod 644 "$(INTO)/share/$$file" || exit 1; \
	        shift; done; done
	for page in man/man?/*; do install -D -m 644 $$page "$(INTO)/share/$$page" || exit 1; done

uninstall:
	for tool in $(TOOLS); do for file in $(call completions,$$tool); do \
	    rm -f "$(INTO)/bin/$$tool" "$(INTO)/share/$$file"; done; done
	for page in man/man?/*; do rm -f "$(INTO)/share/$$page"; done

man:
	scripts/check-man

format:
	swift format --in-place --recursive Sources Tests Benchmarks

setup:
	@scripts/setup

assets:
	@scripts/fetch-assets

clean:
	rm -rf .build .build-test .build-fuzz .build-mutants
