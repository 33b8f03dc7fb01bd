// CRC-32C by the processor's own instruction, where it has one: compiled by target attribute, asked at run time.
//
// The instruction takes eight bytes and gives its result after three cycles, but a new one can begin in each: three runs of bytes, one
// behind the other in memory, go side by side. A CRC is linear over GF(2), so that of the whole is the exclusive or of their CRCs, each
// moved over the zero bytes that stand for what follows it; moving over a run of fixed length is four look-ups.
// Source: Gopal et al. 2011; Adler's crc32c.c.
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

enum { run = 2048 };  // bytes of each of the three

// By byte of a register, its value and place: what `run` zero bytes make of it.
static uint32_t moved[4][256];
static _Atomic int is_ready;

__attribute__((target("sse4.2"))) static void make_moved(void) {
    uint32_t bits[32];
    for (int bit = 0; bit < 32; bit++) {
        uint64_t crc = 1u << bit;
        for (int word = 0; word < run / 8; word++) crc = __builtin_ia32_crc32di(crc, 0);
        bits[bit] = (uint32_t)crc;
    }
    for (int place = 0; place < 4; place++)
        for (int byte = 0; byte < 256; byte++) {
            uint32_t sum = 0;
            for (int bit = 0; bit < 8; bit++)
                if (byte >> bit & 1) sum ^= bits[8 * place + bit];
            __atomic_store_n(&moved[place][byte], sum, __ATOMIC_RELAXED);  // two threads may make it at once: the same
        }
    atomic_store_explicit(&is_ready, 1, memory_order_release);
}

static inline uint32_t moved_over_run(uint32_t crc) {
    return moved[0][crc & 255] ^ moved[1][crc >> 8 & 255] ^ moved[2][crc >> 16 & 255] ^ moved[3][crc >> 24];
}

static inline uint64_t word_at(const uint8_t *bytes) {
    uint64_t word;
    memcpy(&word, bytes, 8);
    return word;
}

__attribute__((target("sse4.2"))) static uint32_t by_instruction(uint32_t crc, const uint8_t *bytes, ptrdiff_t count) {
    if (count >= 3 * run && !atomic_load_explicit(&is_ready, memory_order_acquire)) make_moved();
    for (; count >= 3 * run; bytes += 3 * run, count -= 3 * run) {
        uint64_t first = crc, second = 0, third = 0;
        for (int at = 0; at < run; at += 8) {
            first = __builtin_ia32_crc32di(first, word_at(bytes + at));
            second = __builtin_ia32_crc32di(second, word_at(bytes + run + at));
            third = __builtin_ia32_crc32di(third, word_at(bytes + 2 * run + at));
        }
        crc = moved_over_run(moved_over_run((uint32_t)first) ^ (uint32_t)second) ^ (uint32_t)third;
    }
    uint64_t wide = crc;
    for (; count >= 8; bytes += 8, count -= 8) wide = __builtin_ia32_crc32di(wide, word_at(bytes));
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
