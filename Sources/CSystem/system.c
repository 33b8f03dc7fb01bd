// The commit, given as -DPRECEPTOR_COMMIT=… by Package.swift, and the affinity mask and the size of pipes, which need _GNU_SOURCE.
#define _GNU_SOURCE
#include "CSystem.h"

#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/stat.h>

#define TEXT_OF(token) #token
#define TEXT(macro) TEXT_OF(macro)

const char *preceptor_commit(void) { return TEXT(PRECEPTOR_COMMIT); }

int preceptor_available_processors(void) {
    // Room for 8192 processors: the kernel refuses a mask smaller than its own.
    cpu_set_t sets[8192 / CPU_SETSIZE];
    const int count = sched_getaffinity(0, sizeof sets, sets) == 0 ? CPU_COUNT_S(sizeof sets, sets) : 1;
    return count > 0 ? count : 1;
}

void preceptor_processor_mask(void *mask, size_t size) {
    cpu_set_t sets[8192 / CPU_SETSIZE];
    memset(mask, 0, size);
    if (sched_getaffinity(0, sizeof sets, sets) == 0) memcpy(mask, sets, size < sizeof sets ? size : sizeof sets);
}

int preceptor_unnamed_file(void) { return O_TMPFILE; }

void preceptor_widen_pipe(int descriptor) {
    struct stat status;
    if (fstat(descriptor, &status) != 0 || !S_ISFIFO(status.st_mode)) return;
    // Refused to a user with very many wide pipes: then it stays as it is.
    const int wide = 1 << 20;
    if (fcntl(descriptor, F_GETPIPE_SZ) < wide) fcntl(descriptor, F_SETPIPE_SZ, wide);
}
