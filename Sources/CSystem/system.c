// The commit, given as -DPRECEPTOR_COMMIT=… by Package.swift, and the affinity mask, which needs _GNU_SOURCE.
#define _GNU_SOURCE
#include "CSystem.h"

#include <sched.h>

#define TEXT_OF(token) #token
#define TEXT(macro) TEXT_OF(macro)

const char *preceptor_commit(void) { return TEXT(PRECEPTOR_COMMIT); }

int preceptor_available_processors(void) {
    // Room for 8192 processors: the kernel refuses a mask smaller than its own.
    cpu_set_t sets[8192 / CPU_SETSIZE];
    const int count = sched_getaffinity(0, sizeof sets, sets) == 0 ? CPU_COUNT_S(sizeof sets, sets) : 1;
    return count > 0 ? count : 1;
}
