// What Swift cannot be told or cannot ask: the commit of this build, the processors of this process, and some
// instructions of theirs.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "Vectors.h"

/// An abbreviated commit, with "-dirty" where the tree differed from it; "unknown" for a build that did not come from `make`.
const char *_Nonnull preceptor_commit(void);

/// Processors that this process may run on (its affinity mask), at least 1.
int preceptor_available_processors(void);

/// Asks the processor to bring the memory at an address near. Never faults.
static inline void preceptor_prefetch(const void *_Nonnull address) { __builtin_prefetch(address); }

/// Takes `count` bytes into the CRC-32C register `*crc` (not inverted before or after); false, and nothing done, on a processor without the
/// instruction.
bool preceptor_crc32c(uint32_t *_Nonnull crc, const void *_Nonnull bytes, ptrdiff_t count);

/// Takes `blocks` blocks of 64 bytes into the SHA-256 state, a … h, by the 64 round constants of FIPS 180-4; false, and nothing done, on a
/// processor without the instructions.
bool preceptor_sha256(
    uint32_t *_Nonnull state, const void *_Nonnull bytes, ptrdiff_t blocks, const uint32_t *_Nonnull constants);
