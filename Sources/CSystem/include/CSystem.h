// What Swift cannot be told or cannot ask: the commit of this build, the processors of this process, and some
// instructions of theirs; what Swift has no fast words for.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "HTTP.h"
#include "MessagePassing.h"
#include "Vectors.h"

/// An abbreviated commit, with "-dirty" where the tree differed from it; "unknown" for a build that did not come from `make`.
const char *_Nonnull preceptor_commit(void);

/// Processors that this process may run on (its affinity mask), at least 1.
int preceptor_available_processors(void);

/// The affinity mask itself, one bit a processor from the lowest of the first byte on, as much of it as fits.
void preceptor_processor_mask(void *_Nonnull mask, size_t size);

/// Lets a pipe hold 1 MiB instead of the usual 64 KiB, where the system allows it: writer and reader wake each other less often, and what
/// reads goes on while what writes works. Does nothing to another descriptor.
void preceptor_widen_pipe(int descriptor);

/// The flags with which open(2) of a folder makes a file in it that has no name.
int preceptor_unnamed_file(void);

/// Ends the program as one that cannot have `bytes` bytes of memory: one line, status 74.
_Noreturn void preceptor_out_of_memory(size_t bytes);

/// What to do before such an end: it may call what a signal handler may.
void preceptor_when_out_of_memory(void (*_Nonnull action)(void));

/// From now on a stack of the main thread that cannot grow ends the program so, too.
void preceptor_watch_stack(void);

/// Has OpenBLAS take the memory that products on so many threads at once need: where it finds none later, it waits for ever.
/// Ends the program (`preceptor_out_of_memory`) where there is none now. Does nothing in a program without OpenBLAS.
void preceptor_reserve_for_products(int threads);

/// Asks the processor to bring the memory at an address near. Never faults.
static inline void preceptor_prefetch(const void *_Nonnull address) { __builtin_prefetch(address); }

/// A bit for each of 16 bytes, from the lowest, that a JSON string cannot hold as it is, or that is not ASCII: a quote, a backslash, a
/// byte below 0x20 or above 0x7F.
static inline uint32_t preceptor_marks_of_16(const void *_Nonnull bytes) {
#if defined(__SSE2__)
    const __m128i text = _mm_loadu_si128((const __m128i *)bytes);
    // As signed numbers, bytes above 0x7F are below 0x20 too.
    const __m128i marks = _mm_or_si128(
        _mm_cmplt_epi8(text, _mm_set1_epi8(0x20)),
        _mm_or_si128(_mm_cmpeq_epi8(text, _mm_set1_epi8('"')), _mm_cmpeq_epi8(text, _mm_set1_epi8('\\'))));
    return (uint32_t)_mm_movemask_epi8(marks);
#else
    uint32_t marks = 0;
    for (int at = 0; at < 16; at++) {
        const uint8_t byte = ((const uint8_t *)bytes)[at];
        marks |= (uint32_t)(byte == '"' || byte == '\\' || byte < 0x20 || byte > 0x7F) << at;
    }
    return marks;
#endif
}

/// What a backslash and this letter stand for in a JSON string; 0 for 'u' and for what is no escape.
static inline uint8_t preceptor_escaped(uint8_t letter) {
    static const uint8_t table[256] = {
        ['"'] = '"',  ['\\'] = '\\', ['/'] = '/',  ['b'] = '\b',
        ['f'] = '\f', ['n'] = '\n',  ['r'] = '\r', ['t'] = '\t'};
    return table[letter];
}

/// Takes `count` bytes into the CRC-32C register `*crc` (not inverted before or after); false, and nothing done, on a processor without the
/// instruction.
bool preceptor_crc32c(uint32_t *_Nonnull crc, const void *_Nonnull bytes, ptrdiff_t count);

/// Takes `blocks` blocks of 64 bytes into the SHA-256 state, a … h, by the 64 round constants of FIPS 180-4; false, and nothing done, on a
/// processor without the instructions.
bool preceptor_sha256(
    uint32_t *_Nonnull state, const void *_Nonnull bytes, ptrdiff_t blocks, const uint32_t *_Nonnull constants);
