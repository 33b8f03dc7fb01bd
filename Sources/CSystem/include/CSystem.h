// What Swift cannot be told or cannot ask: the commit of this build, the processors of this process, and an
// instruction of theirs.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// An abbreviated commit, with "-dirty" where the tree differed from it; "unknown" for a build that did not come from `make`.
const char *_Nonnull preceptor_commit(void);

/// Processors that this process may run on (its affinity mask), at least 1.
int preceptor_available_processors(void);

/// Takes `count` bytes into the CRC-32C register `*crc` (not inverted before or after); false, and nothing done, on a processor without the
/// instruction.
bool preceptor_crc32c(uint32_t *_Nonnull crc, const void *_Nonnull bytes, ptrdiff_t count);
