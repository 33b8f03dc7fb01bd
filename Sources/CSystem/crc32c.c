// CRC-32C by the processor's own instruction, eight bytes in three cycles, where it has one: compiled by target attribute, asked at run time.
#include "CSystem.h"

#include <string.h>

#if defined(__x86_64__)
#include <cpuid.h>
#include <stdatomic.h>

// cpuid is slow in virtual machines: asked once. 1: has SSE 4.2, -1: has not. Not __builtin_cpu_supports: see CKernels/dispatch.c.
static bool has_instruction(void) {
    static _Atomic int known;
    int answer = atomic_load_explicit(&known, memory_order_relaxed);
    if (answer == 0) {
        unsigned a, b, c = 0, d;
        answer = __get_cpuid(1, &a, &b, &c, &d) && (c & bit_SSE4_2) ? 1 : -1;
        atomic_store_explicit(&known, answer, memory_order_relaxed);
    }
    return answer > 0;
}

__attribute__((target("sse4.2"))) static uint32_t by_instruction(uint32_t crc, const uint8_t *bytes, ptrdiff_t count) {
    uint64_t wide = crc;
    for (; count >= 8; bytes += 8, count -= 8) {
        uint64_t word;
        memcpy(&word, bytes, 8);
        wide = __builtin_ia32_crc32di(wide, word);
    }
    crc = (uint32_t)wide;
    for (; count > 0; bytes++, count--) crc = __builtin_ia32_crc32qi(crc, *bytes);
    return crc;
}

bool preceptor_crc32c(uint32_t *crc, const void *bytes, ptrdiff_t count) {
    if (!has_instruction()) return false;
    *crc = by_instruction(*crc, bytes, count);
    return true;
}

#else

bool preceptor_crc32c(uint32_t *crc, const void *bytes, ptrdiff_t count) {
    (void)crc, (void)bytes, (void)count;
    return false;
}

#endif
