// Searches of a few words of memory at once, which Swift's own loops do not reliably become: vectors of 16 bytes, which every processor of
// the two architectures has.
#pragma once
#include <stdint.h>

typedef uint32_t preceptor_u32x4 __attribute__((vector_size(16)));
typedef int32_t preceptor_s32x4 __attribute__((vector_size(16)));
typedef uint64_t preceptor_u64x2 __attribute__((vector_size(16)));

/// Of eight tags and the eight values behind them: the value whose tag it is, or 0. At most one tag with a value other than 0 may be it.
/// The address is a multiple of 16.
static inline uint32_t preceptor_tagged(const void *_Nonnull tags, uint32_t tag) {
    const preceptor_u32x4 *words = tags;
    preceptor_u32x4 wanted = {tag, tag, tag, tag};
    preceptor_u32x4 found = ((preceptor_u32x4)(words[0] == wanted) & words[2]) | ((preceptor_u32x4)(words[1] == wanted) & words[3]);
    preceptor_u64x2 pairs = (preceptor_u64x2)found;
    uint64_t folded = pairs[0] | pairs[1];
    return (uint32_t)(folded | folded >> 32);
}

static inline preceptor_s32x4 preceptor_lesser(preceptor_s32x4 a, preceptor_s32x4 b) {
    preceptor_s32x4 isLess = a < b;
    return (a & isLess) | (b & ~isLess);
}

/// The least of 16, 32, 48 or 64 numbers. The address is a multiple of 16.
static inline int32_t preceptor_least(const int32_t *_Nonnull numbers, int32_t count) {
    const preceptor_s32x4 *four = (const preceptor_s32x4 *)numbers;
    preceptor_s32x4 least = preceptor_lesser(preceptor_lesser(four[0], four[1]), preceptor_lesser(four[2], four[3]));
    for (int32_t at = 4; at < count / 4; at += 4)
        least = preceptor_lesser(
            least, preceptor_lesser(preceptor_lesser(four[at], four[at + 1]), preceptor_lesser(four[at + 2], four[at + 3])));
    least = preceptor_lesser(least, __builtin_shufflevector(least, least, 2, 3, 0, 1));
    least = preceptor_lesser(least, __builtin_shufflevector(least, least, 1, 0, 3, 2));
    return least[0];
}
