// Memory that the machine will not give: one line and status 74, nothing left behind, instead of the trap that Swift and C++ end in.
//
// The linker sends the allocations of our objects and of the Swift runtime through here (--wrap in Package.swift).
#define _GNU_SOURCE
#include "CSystem.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <ucontext.h>
#include <unistd.h>

static void (*clean_up)(void);

void preceptor_when_out_of_memory(void (*action)(void)) { clean_up = action; }

/// Ends with a line: what could not be had, and the limit (of `ulimit -letter`) that may be why.
static _Noreturn void end_without_memory(const char *what, int limited, char letter) {
    static atomic_flag told = ATOMIC_FLAG_INIT;
    // Of several threads that meet it at once the first one speaks.
    while (atomic_flag_test_and_set(&told)) pause();
    if (clean_up != NULL) clean_up();
    char limit[80] = "", line[400];
    struct rlimit set;
    if (getrlimit(limited, &set) == 0 && set.rlim_cur != RLIM_INFINITY)
        snprintf(limit, sizeof limit, " (ulimit -%c allows %llu KiB in all)", letter, (unsigned long long)set.rlim_cur / 1024);
    const int length = snprintf(line, sizeof line, "%.200s: out of memory: %s%s\n", program_invocation_short_name, what, limit);
    (void)!write(STDERR_FILENO, line, (size_t)length);
    _exit(74);
}

void preceptor_out_of_memory(size_t bytes) {
    char what[64];
    snprintf(what, sizeof what, "cannot allocate %zu bytes", bytes);
    end_without_memory(what, RLIMIT_AS, 'v');
}

static void segmentation_fault(int number, siginfo_t *information, void *context) {
    const ucontext_t *const at = context;
#if defined(__x86_64__)
    const uintptr_t stack = (uintptr_t)at->uc_mcontext.gregs[REG_RSP];
#else
    const uintptr_t stack = (uintptr_t)at->uc_mcontext.sp;
#endif
    // A push, a call or a local variable: a little above or below the end of the stack. Its growth counts as address space too.
    const uintptr_t address = (uintptr_t)information->si_addr, near = 256 * 1024;
    struct rlimit space;
    if (address + near > stack && address < stack + near) {
        const int isSpace = getrlimit(RLIMIT_AS, &space) == 0 && space.rlim_cur != RLIM_INFINITY;
        end_without_memory("the stack cannot grow", isSpace ? RLIMIT_AS : RLIMIT_STACK, isSpace ? 'v' : 's');
    }
    // Another fault is a bug: it happens again, and ends the process. One that somebody sent does not happen again by itself.
    signal(number, SIG_DFL);
    if (information->si_code <= 0) raise(number);
}

void preceptor_watch_stack(void) {
    // The stack that has ended cannot serve its handler.
    static char room[64 * 1024];
    const stack_t other = {.ss_sp = room, .ss_size = sizeof room};
    struct sigaction action = {.sa_sigaction = segmentation_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    if (sigaltstack(&other, NULL) == 0) sigaction(SIGSEGV, &action, NULL);
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
