# What the experiments share: settings as files, headings with times, tools and assets made when missing. Included after `here` and `root`.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.SECONDARY:
ifndef PARALLEL
.NOTPARALLEL: # every stage uses all threads itself
endif
.PHONY: all clean

PRECEPTOR_CACHE ?= $(HOME)/.cache/preceptor
BIN ?= $(root)/.build/release
export PATH := $(BIN):$(root)/scripts:$(PATH)

# --- Settings as files: written when a value changed, so that what depends on it is made again.
# $(call setting,FILE,VALUE)
define setting
ifneq ($$(file <$(1)),$(2))
.PHONY: $(1)
endif
$(1): ; @mkdir -p $$(@D); printf '%s\n' '$(2)' > $$@
endef

# --- What a stage prints, and the time it took, in seconds/NAME.
# $(call begin,NAME,HEADING) … $(call end,NAME)
started := $(or $(DEMO_STARTED),$(shell date +%s))
begin = @mkdir -p seconds; printf '\n[%4d s] %s\n' $$(($$(date +%s) - $(started))) '$(2)'; date +%s.%N > seconds/$(1).start
end = @echo "$$(date +%s.%N) - $$(< seconds/$(1).start)" | awk '{printf "%.3f\n", $$1 - $$3}' > seconds/$(1); rm seconds/$(1).start

# --- Assets and tools, when they are missing.
$(PRECEPTOR_CACHE)/%: ; $(root)/scripts/fetch-assets --demo
$(BIN)/%: ; $(MAKE) -C $(root) build
