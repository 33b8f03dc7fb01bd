// What Swift cannot ask for itself: the commit that the build knows, and the processors of a GNU system call.
#define _GNU_SOURCE
#include "CSystem.h"

#include <sched.h>

#if __has_include("commit.h")
#include "commit.h"
#else
#define PRECEPTOR_COMMIT "unknown"
#endif

const char *preceptor_commit(void) { return PRECEPTOR_COMMIT; }

int preceptor_available_processors(void) {
    cpu_set_t set;
    int count = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
    return count > 0 ? count : 1;
}
