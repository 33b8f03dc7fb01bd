// Vectors of 16 floats, their exponential, and the loop over whole vectors and a rest that the kernels are written with.
//
// One vector is 16 floats whatever the instruction set (the compiler splits it). A loop runs over whole vectors; the rest, fewer than 16
// elements, goes through a padded copy and the same code, so that an element's result does not depend on where it stands.
// a * b + c is contracted to a fused multiply-add where the instruction set has one.
#pragma once
#include "CKernels.h"
#include <math.h>
#include <string.h>

// Vectors pass between functions of this file only, all inlined: no calling convention is at stake.
#pragma clang diagnostic ignored "-Wpsabi"

#define INLINE static inline __attribute__((always_inline))

enum { W = 16 };
typedef float vf __attribute__((vector_size(64), aligned(4), may_alias));
typedef int32_t vi __attribute__((vector_size(64), aligned(4), may_alias));
typedef double vd __attribute__((vector_size(128), aligned(8), may_alias));

// MARK: Vectors

INLINE vf splat(float x) { return (vf){x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x}; }
INLINE vf load(const float *x) { return *(const vf *)x; }
INLINE void store(float *x, vf v) { *(vf *)x = v; }
INLINE vd widen(vf v) { return __builtin_convertvector(v, vd); }

#if KERNEL_MASKS
/// The first n < 16 elements, the rest `filler`. A masked load: 4 times as fast as a copy, whose parts a load of the whole must wait for.
INLINE vf load_part(const float *x, ptrdiff_t n, float filler) {
    return (vf)_mm512_mask_loadu_ps((__m512)splat(filler), (__mmask16)((1u << n) - 1), x);
}
INLINE void store_part(float *x, vf v, ptrdiff_t n) { _mm512_mask_storeu_ps(x, (__mmask16)((1u << n) - 1), (__m512)v); }
#else
/// Copies n < 16 elements by the bits of n: half the time of a call of memcpy with a size unknown.
INLINE void copy_part(float *to, const float *from, ptrdiff_t n) {
    for (ptrdiff_t step = 8; step > 0; step /= 2) {
        if (!(n & step)) continue;
        memcpy(to, from, (size_t)step * sizeof(float));
        to += step;
        from += step;
    }
}

/// The first n < 16 elements, the rest `filler`.
INLINE vf load_part(const float *x, ptrdiff_t n, float filler) {
    vf v = splat(filler);
    copy_part((float *)&v, x, n);
    return v;
}
INLINE void store_part(float *x, vf v, ptrdiff_t n) { copy_part(x, (const float *)&v, n); }
#endif

INLINE vf where(vi mask, vf a, vf b) { return (vf)(((vi)a & mask) | ((vi)b & ~mask)); }
/// Of NaN and another value the second, whatever it is.
INLINE vf larger(vf a, vf b) { return where(a > b, a, b); }
INLINE vf smaller(vf a, vf b) { return where(a < b, a, b); }

/// Halves added to halves.
INLINE double total(vd v) {
    typedef double v8 __attribute__((vector_size(64)));
    typedef double v4 __attribute__((vector_size(32)));
    const v8 a = __builtin_shufflevector(v, v, 0, 1, 2, 3, 4, 5, 6, 7) + __builtin_shufflevector(v, v, 8, 9, 10, 11, 12, 13, 14, 15);
    const v4 b = __builtin_shufflevector(a, a, 0, 1, 2, 3) + __builtin_shufflevector(a, a, 4, 5, 6, 7);
    return (b[0] + b[2]) + (b[1] + b[3]);
}

/// v where the lane's number is below n, else `filler`.
INLINE vf first_lanes(vf v, ptrdiff_t n, float filler) {
    const vi lanes = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    return where(lanes < (int32_t)n, v, splat(filler));
}

/// `filler` where the lane's number is below n, else v.
INLINE vf but_first_lanes(vf v, ptrdiff_t n, float filler) {
    const vi lanes = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    return where(lanes < (int32_t)n, splat(filler), v);
}

/// e^x within 1 ulp: x = n ln 2 + r with |r| <= ln 2 / 2 and ln 2 in two parts (Cody & Waite 1980), the polynomial of Cephes' expf,
/// and 2^n applied as two factors so that subnormal and infinite results round as they should.
INLINE vf exp_vector(vf x) {
    // The limits give 0 and infinity by themselves. The argument stands second: NaN fails both comparisons and passes.
    x = larger(splat(-104.0f), x);
    x = smaller(splat(89.0f), x);
    const vf magic = splat(12582912.0f);  // 1.5 * 2^23: adding it rounds to an integer
    const vf shifted = x * splat(1.44269504088896341f) + magic;
    const vf n = shifted - magic;
    vf r = x - n * splat(0.693359375f);
    r = r - n * splat(-2.12194440e-4f);
    vf p = splat(1.9875691500e-4f);
    p = p * r + splat(1.3981999507e-3f);
    p = p * r + splat(8.3334519073e-3f);
    p = p * r + splat(4.1665795894e-2f);
    p = p * r + splat(1.6666665459e-1f);
    p = p * r + splat(5.0000001201e-1f);
    p = p * (r * r) + r + splat(1.0f);
    const vi k = (vi)shifted - (vi)magic;
    const vi half = k >> 1;
    const vf first = (vf)((half + 127) << 23), second = (vf)((k - half + 127) << 23);
    return p * first * second;
}

INLINE vf sigmoid(vf x) { return splat(1.0f) / (splat(1.0f) + exp_vector(-x)); }

// MARK: Loops

/// Runs BODY for each whole vector with i its place and PART = 16, then for the rest with PART < 16.
/// BODY reads by READ(array) and writes by WRITE(array, value).
#define READ(array) (part == W ? load((array) + i) : load_part((array) + i, part, 0.0f))
#define WRITE(array, value) (part == W ? store((array) + i, value) : store_part((array) + i, value, part))
#define EACH_VECTOR(n, ...) \
    do { \
        ptrdiff_t i = 0; \
        for (; i + W <= (n); i += W) { const ptrdiff_t part = W; __VA_ARGS__ } \
        if (i < (n)) { const ptrdiff_t part = (n) - i; __VA_ARGS__ } \
    } while (0)
