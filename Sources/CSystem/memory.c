// Memory that the machine will not give: one line and status 74, nothing left behind, instead of the trap that Swift and C++ end in.
//
// The linker sends the allocations of our objects and of the Swift runtime through here (--wrap in Package.swift).
#define _GNU_SOURCE
#include "CSystem.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

static void (*clean_up)(void);

void preceptor_when_out_of_memory(void (*action)(void)) { clean_up = action; }

void preceptor_out_of_memory(size_t bytes) {
    static atomic_flag told = ATOMIC_FLAG_INIT;
    // Of several threads that meet it at once the first one speaks.
    while (atomic_flag_test_and_set(&told)) pause();
    if (clean_up != NULL) clean_up();
    char limit[80] = "", line[400];
    struct rlimit space;
    if (getrlimit(RLIMIT_AS, &space) == 0 && space.rlim_cur != RLIM_INFINITY)
        snprintf(limit, sizeof limit, " (ulimit -v allows %llu KiB in all)", (unsigned long long)space.rlim_cur / 1024);
    const int length = snprintf(
        line, sizeof line, "%.200s: out of memory: cannot allocate %zu bytes%s\n", program_invocation_short_name, bytes, limit);
    (void)!write(STDERR_FILENO, line, (size_t)length);
    _exit(74);
}

void *__real_malloc(size_t bytes);
void *__real_calloc(size_t count, size_t bytes);
void *__real_realloc(void *old, size_t bytes);
int __real_posix_memalign(void **memory, size_t alignment, size_t bytes);

static void *checked(void *memory, size_t bytes) {
    if (memory == NULL && bytes > 0) preceptor_out_of_memory(bytes);
    return memory;
}

void *__wrap_malloc(size_t bytes) { return checked(__real_malloc(bytes), bytes); }

void *__wrap_calloc(size_t count, size_t bytes) {
    size_t whole;
    if (__builtin_mul_overflow(count, bytes, &whole)) whole = SIZE_MAX;
    return checked(__real_calloc(count, bytes), whole);
}

void *__wrap_realloc(void *old, size_t bytes) { return checked(__real_realloc(old, bytes), bytes); }

int __wrap_posix_memalign(void **memory, size_t alignment, size_t bytes) {
    const int code = __real_posix_memalign(memory, alignment, bytes);
    if (code == ENOMEM) preceptor_out_of_memory(bytes);
    return code;
}

// operator new(size_t) and operator new(size_t, align_val_t): what they return is given back with free(3).
void *__wrap__Znwm(size_t bytes) { return __wrap_malloc(bytes > 0 ? bytes : 1); }

void *__wrap__ZnwmSt11align_val_t(size_t bytes, size_t alignment) {
    void *memory = NULL;
    __wrap_posix_memalign(&memory, alignment, bytes > 0 ? bytes : 1);
    return memory;
}
