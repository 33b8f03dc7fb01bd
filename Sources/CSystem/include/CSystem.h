// What Swift cannot be told or cannot ask: the commit of this build, and the processors of this process.
#pragma once

/// An abbreviated commit, with "-dirty" where the tree differed from it; "unknown" for a build that did not come from `make`.
const char *_Nonnull preceptor_commit(void);

/// Processors that this process may run on (its affinity mask), at least 1.
int preceptor_available_processors(void);
