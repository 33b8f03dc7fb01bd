// Inner loops of Compute, one copy per instruction set, and the few machine facts that Swift cannot ask for.
#pragma once

/// One relaxed turn of a spin loop.
static inline void preceptor_pause(void) {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}
