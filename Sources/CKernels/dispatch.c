// Chooses among the copies of the kernels by what the processor and the operating system support.
//
// Our own cpuid and xgetbv, not __builtin_cpu_supports: that needs a runtime library which Swift's linker does not always bring.
#include "CKernels.h"
#include "Products.h"

extern const struct preceptor_kernels preceptor_kernels_baseline;
extern const struct preceptor_products preceptor_products_baseline;

#if defined(__x86_64__)
#include <cpuid.h>

extern const struct preceptor_kernels preceptor_kernels_v3, preceptor_kernels_v4;
extern const struct preceptor_products preceptor_products_v3, preceptor_products_v4, preceptor_products_bf16;

/// Register states that the operating system saves (XCR0); 0 without XSAVE.
static uint64_t saved_states(uint32_t leaf1_ecx) {
    if (!(leaf1_ecx & bit_OSXSAVE)) return 0;
    uint32_t low, high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return (uint64_t)high << 32 | low;
}

static bool all(uint32_t value, uint32_t bits) { return (value & bits) == bits; }

enum preceptor_level preceptor_best_level(void) {
    uint32_t a, b, c, d, ebx7, ecx1, ecx81;
    if (!__get_cpuid(1, &a, &b, &ecx1, &d)) return preceptor_baseline;
    if (!__get_cpuid_count(7, 0, &a, &ebx7, &c, &d)) return preceptor_baseline;
    if (!__get_cpuid(0x80000001, &a, &b, &ecx81, &d)) return preceptor_baseline;
    const uint64_t states = saved_states(ecx1);
    const bool ymm = (states & 0x06) == 0x06, zmm = (states & 0xe6) == 0xe6;
    const uint32_t v3_ecx1 = bit_SSE3 | bit_SSSE3 | bit_FMA | bit_CMPXCHG16B | bit_SSE4_1 | bit_SSE4_2 | bit_MOVBE | bit_POPCNT
        | bit_AVX | bit_F16C;
    const bool v3 = ymm && all(ecx1, v3_ecx1) && all(ebx7, bit_BMI | bit_AVX2 | bit_BMI2) && all(ecx81, bit_LAHF_LM | bit_LZCNT);
    const bool v4 = v3 && zmm && all(ebx7, bit_AVX512F | bit_AVX512DQ | bit_AVX512CD | bit_AVX512BW | bit_AVX512VL);
    return v4 ? preceptor_v4 : v3 ? preceptor_v3 : preceptor_baseline;
}

const struct preceptor_kernels *preceptor_kernels_for(enum preceptor_level level) {
    const enum preceptor_level best = preceptor_best_level();
    if (level > best) level = best;
    if (level == preceptor_v4) return &preceptor_kernels_v4;
    if (level == preceptor_v3) return &preceptor_kernels_v3;
    return &preceptor_kernels_baseline;
}

static bool has_bf16(void) {
    uint32_t a, b, c, d;
    return __get_cpuid_count(7, 1, &a, &b, &c, &d) && (a & 1u << 5) != 0;
}

const struct preceptor_products *preceptor_products_for(enum preceptor_level level, bool native) {
    const enum preceptor_level best = preceptor_best_level();
    if (level > best) level = best;
    if (level == preceptor_v4 && native && has_bf16()) return &preceptor_products_bf16;
    if (level == preceptor_v4) return &preceptor_products_v4;
    if (level == preceptor_v3) return &preceptor_products_v3;
    return &preceptor_products_baseline;
}

#else

enum preceptor_level preceptor_best_level(void) { return preceptor_baseline; }
const struct preceptor_kernels *preceptor_kernels_for(enum preceptor_level level) {
    (void)level;
    return &preceptor_kernels_baseline;
}
const struct preceptor_products *preceptor_products_for(enum preceptor_level level, bool native) {
    (void)level, (void)native;
    return &preceptor_products_baseline;
}

#endif
