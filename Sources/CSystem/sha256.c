// SHA-256 by the processor's own instructions, two rounds in one, where it has them: compiled by target attribute, asked at run time.
#include "CSystem.h"

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>
#include <stdatomic.h>

// Asked once, by our own cpuid, as in crc32c.c. 1: has them, -1: has not.
static bool has_instructions(void) {
    static _Atomic int known;
    int answer = atomic_load_explicit(&known, memory_order_relaxed);
    if (answer == 0) {
        unsigned a, b, c, d, b7;
        answer = __get_cpuid(1, &a, &b, &c, &d) && (c & bit_SSSE3) && (c & bit_SSE4_1) //
                && __get_cpuid_count(7, 0, &a, &b7, &c, &d) && (b7 & bit_SHA)
            ? 1
            : -1;
        atomic_store_explicit(&known, answer, memory_order_relaxed);
    }
    return answer > 0;
}

// The instructions hold a … h in two registers, which they name from the highest lane: abef and cdgh. Other names here begin at the lowest.
__attribute__((target("ssse3,sse4.1,sha"))) static void by_instructions(
    uint32_t *state, const uint8_t *bytes, ptrdiff_t blocks, const uint32_t *constants) {
    const __m128i big_endian = _mm_set_epi8(12, 13, 14, 15, 8, 9, 10, 11, 4, 5, 6, 7, 0, 1, 2, 3);
    const __m128i badc = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)state), 0xB1);
    const __m128i hgfe = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)(state + 4)), 0x1B);
    __m128i abef = _mm_alignr_epi8(badc, hgfe, 8), cdgh = _mm_blend_epi16(hgfe, badc, 0xF0);
    for (; blocks > 0; bytes += 64, blocks--) {
        const __m128i abef_before = abef, cdgh_before = cdgh;
        __m128i w[4];  // the last 16 words of the schedule, a ring
#pragma clang loop unroll(full)
        for (int four = 0; four < 16; four++) {
            __m128i *now = &w[four & 3];
            if (four < 4) {
                *now = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)bytes + four), big_endian);
            } else {
                const __m128i before = w[(four - 1) & 3], seven_back = _mm_alignr_epi8(before, w[(four - 2) & 3], 4);
                *now = _mm_sha256msg2_epu32(_mm_add_epi32(_mm_sha256msg1_epu32(*now, w[(four - 3) & 3]), seven_back), before);
            }
            const __m128i sum = _mm_add_epi32(*now, _mm_loadu_si128((const __m128i *)constants + four));
            cdgh = _mm_sha256rnds2_epu32(cdgh, abef, sum);  // two rounds exchange the two registers, four bring them back
            abef = _mm_sha256rnds2_epu32(abef, cdgh, _mm_shuffle_epi32(sum, 0x0E));
        }
        abef = _mm_add_epi32(abef, abef_before);
        cdgh = _mm_add_epi32(cdgh, cdgh_before);
    }
    const __m128i low_abef = _mm_shuffle_epi32(abef, 0x1B), ghcd = _mm_shuffle_epi32(cdgh, 0xB1);
    _mm_storeu_si128((__m128i *)state, _mm_blend_epi16(low_abef, ghcd, 0xF0));
    _mm_storeu_si128((__m128i *)(state + 4), _mm_alignr_epi8(ghcd, low_abef, 8));
}

bool preceptor_sha256(uint32_t *state, const void *bytes, ptrdiff_t blocks, const uint32_t *constants) {
    if (!has_instructions()) return false;
    by_instructions(state, bytes, blocks, constants);
    return true;
}

#else

bool preceptor_sha256(uint32_t *state, const void *bytes, ptrdiff_t blocks, const uint32_t *constants) {
    (void)state, (void)bytes, (void)blocks, (void)constants;
    return false;
}

#endif
