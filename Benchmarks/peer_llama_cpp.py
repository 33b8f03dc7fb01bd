#!/usr/bin/env python3
"""The peer of teacher-score on a GGUF file: llama.cpp gives the logits of every token of token documents. One JSON line.

    venv/bin/python Benchmarks/peer_llama_cpp.py --model MODEL.gguf --threads 2 --batch-tokens 512 DOCUMENTS.ndjson
    venv/bin/python Benchmarks/peer_llama_cpp.py --model MODEL.gguf --serve        one answer for each line {"documents": ..., ...}

Documents are {"id": ..., "input_ids": [...]}, one a line. Whole documents share a batch where they fit, each as a sequence of its own; a
longer one passes in several batches. The clock runs in llama_decode alone, not while log-probabilities are taken from the logits.
Requirements: Benchmarks/requirements-llama.txt.
"""
import argparse
import ctypes
import json
import time

import llama_cpp
import numpy

from compute_common import peak_memory, serve

START = time.perf_counter()


class Failed(Exception):
    pass


@llama_cpp.llama_log_callback
def silent(level, text, data):
    pass


def load(path):
    llama_cpp.llama_log_set(silent, ctypes.c_void_p(0))
    llama_cpp.llama_backend_init()
    model = llama_cpp.llama_model_load_from_file(path.encode(), llama_cpp.llama_model_default_params())
    if not model:
        raise Failed(f"cannot load {path}")
    return model


class Context:
    """A context for batches of at most `tokens`, in documents of at most `length`."""

    def __init__(self, model, threads, tokens, length):
        self.tokens, self.sequences = tokens, max(1, tokens // length)
        parameters = llama_cpp.llama_context_default_params()
        # A sequence has its own part of the context, a multiple of 256 tokens.
        parameters.n_ctx = self.sequences * (-(-length // 256) * 256)
        parameters.n_batch = parameters.n_ubatch = tokens
        parameters.n_seq_max = self.sequences
        parameters.n_threads = parameters.n_threads_batch = threads
        self.context = llama_cpp.llama_init_from_model(model, parameters)
        if not self.context:
            raise Failed(f"no context of {parameters.n_ctx} tokens")
        self.width = llama_cpp.llama_vocab_n_tokens(llama_cpp.llama_model_get_vocab(model))
        self.batch = llama_cpp.llama_batch_init(tokens, 0, 1)
        self.seconds = 0.0

    def free(self):
        llama_cpp.llama_batch_free(self.batch)
        llama_cpp.llama_free(self.context)

    def clear(self):
        llama_cpp.llama_memory_clear(llama_cpp.llama_get_memory(self.context), True)

    def decode(self, tokens):
        """Logits of [(sequence, position, token)], (tokens, vocabulary), until the next call."""
        for place, (sequence, position, token) in enumerate(tokens):
            self.batch.token[place], self.batch.pos[place] = token, position
            self.batch.n_seq_id[place], self.batch.seq_id[place][0], self.batch.logits[place] = 1, sequence, 1
        self.batch.n_tokens = len(tokens)
        start = time.perf_counter()
        status = llama_cpp.llama_decode(self.context, self.batch)
        logits = llama_cpp.llama_get_logits(self.context)  # Waits for what is still under way.
        self.seconds += time.perf_counter() - start
        if status != 0:
            raise Failed(f"llama_decode ended with {status}")
        return numpy.ctypeslib.as_array(logits, (len(tokens), self.width))

    def score(self, documents, wanted):
        """The sum of log-probabilities of documents decoded together, if it is wanted."""
        self.clear()
        tokens = [(sequence, position, token) for sequence, ids in enumerate(documents) for position, token in enumerate(ids)]
        total = 0.0
        for first in range(0, len(tokens), self.tokens):
            part = tokens[first : first + self.tokens]
            logits = self.decode(part)
            if wanted:
                total += sum(self.log_probability(row, documents[sequence], position) for row, (sequence, position, _) in zip(logits, part))
        return total

    @staticmethod
    def log_probability(row, ids, position):
        """Of the token after `position`; 0 at the last."""
        if position + 1 == len(ids):
            return 0.0
        values = row.astype(numpy.float64)
        highest = values.max()
        return values[ids[position + 1]] - highest - numpy.log(numpy.exp(values - highest).sum())


def measure(model, documents, threads, batch_tokens, verify=True, warm_up=1):
    documents = [json.loads(line).get("input_ids", []) for line in open(documents, encoding="utf-8")]
    documents = [ids for ids in documents if len(ids) > 1]
    context = Context(model, threads, batch_tokens, max(map(len, documents)))
    for ids in documents[:warm_up]:
        context.score([ids], False)
    context.seconds, total = 0.0, 0.0
    for first in range(0, len(documents), context.sequences):
        total += context.score(documents[first : first + context.sequences], verify)
    context.free()
    tokens = sum(map(len, documents))
    return {
        "peer": "llama.cpp", "version": llama_cpp.__version__, "threads": threads, "batch_tokens": batch_tokens,
        "documents": len(documents), "tokens": tokens, "elapsed_s": round(context.seconds, 3),
        "tokens_per_s": round(tokens / context.seconds, 1), "peak_memory_bytes": peak_memory(),
        "mean_nll_nats_per_token": -total / (tokens - len(documents)) if verify else None}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("documents", nargs="?")
    parser.add_argument("--model", required=True)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--batch-tokens", type=int, default=512, help="n_batch and n_ubatch (default 512)")
    parser.add_argument("--warm-up", type=int, default=1, help="documents before the clock starts (default 1)")
    parser.add_argument("--serve", action="store_true", help="load once, then measure what lines of standard input ask for")
    arguments = parser.parse_args()
    if not arguments.serve and arguments.documents is None:
        parser.error("documents are missing")
    model = load(arguments.model)
    facts = {"version": llama_cpp.__version__, "load_s": round(time.perf_counter() - START, 2)}
    if arguments.serve:
        serve(facts, lambda **request: measure(model, **request))
    else:
        print(json.dumps(facts | measure(model, arguments.documents, arguments.threads, arguments.batch_tokens, warm_up=arguments.warm_up)))


if __name__ == "__main__":
    main()
