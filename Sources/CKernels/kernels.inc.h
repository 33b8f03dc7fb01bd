// The inner loops, compiled once per instruction set: see CKernels.h for what each computes.
//
// One vector is 16 floats whatever the instruction set (the compiler splits it). A loop runs over whole vectors; the rest, fewer than 16
// elements, goes through a padded copy and the same code, so that an element's result does not depend on where it stands.
// a * b + c is contracted to a fused multiply-add where the instruction set has one.
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

/// The first n < 16 elements, the rest `filler`.
INLINE vf load_part(const float *x, ptrdiff_t n, float filler) {
    vf v = splat(filler);
    memcpy(&v, x, (size_t)n * sizeof(float));
    return v;
}
INLINE void store_part(float *x, vf v, ptrdiff_t n) { memcpy(x, &v, (size_t)n * sizeof(float)); }

INLINE vf larger(vf a, vf b) {
    vi mask = a > b;
    return (vf)(((vi)a & mask) | ((vi)b & ~mask));
}
INLINE vf smaller(vf a, vf b) {
    vi mask = a < b;
    return (vf)(((vi)a & mask) | ((vi)b & ~mask));
}

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
    const vi mask = lanes < (int32_t)n;
    return (vf)(((vi)v & mask) | ((vi)splat(filler) & ~mask));
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

// MARK: Elementwise

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

static void add(float *y, const float *x, ptrdiff_t n) { EACH_VECTOR(n, WRITE(y, READ(y) + READ(x));); }

static void scale(float *x, float factor, ptrdiff_t n) { EACH_VECTOR(n, WRITE(x, READ(x) * splat(factor));); }

static void swiglu_forward(float *h, const float *gate, const float *up, ptrdiff_t n) {
    EACH_VECTOR(n, {
        const vf z = READ(gate);
        WRITE(h, z * sigmoid(z) * READ(up));
    });
}

static void swiglu_backward(float *dgate, float *dup, const float *dh, const float *gate, const float *up, ptrdiff_t n) {
    EACH_VECTOR(n, {
        const vf z = READ(gate), s = sigmoid(z), d = READ(dh);
        // h = gate * s * up
        WRITE(dgate, READ(dgate) + d * READ(up) * s * (splat(1.0f) + z * (splat(1.0f) - s)));
        WRITE(dup, READ(dup) + d * z * s);
    });
}

static void rotate(float *x, const float *row, ptrdiff_t half, float sign) {
    EACH_VECTOR(half, {
        const vf a = READ(x), b = READ(x + half), c = READ(row), s = READ(row + half) * splat(sign);
        WRITE(x, a * c - b * s);
        WRITE(x + half, b * c + a * s);
    });
}

static void adamw(float *p, float *m, float *v, const float *g, ptrdiff_t n, const struct preceptor_adamw *c) {
    EACH_VECTOR(n, {
        const vf gradient = READ(g) * splat(c->gradient_scale);
        const vf first = READ(m) * splat(c->beta1) + gradient * splat(c->one_minus_beta1);
        const vf second = READ(v) * splat(c->beta2) + gradient * gradient * splat(c->one_minus_beta2);
        const vf divisor = __builtin_elementwise_sqrt(second) * splat(c->root_correction2) + splat(c->epsilon);
        WRITE(m, first);
        WRITE(v, second);
        WRITE(p, READ(p) * splat(c->decay) - splat(c->step) * first / divisor);
    });
}

// MARK: Reductions

static double sum_of_squares(const float *x, ptrdiff_t n) {
    vd sum = {0};
    EACH_VECTOR(n, {
        const vd v = widen(READ(x));
        sum += v * v;
    });
    return total(sum);
}

static double dot(const float *x, const float *y, ptrdiff_t n) {
    vd sum = {0};
    EACH_VECTOR(n, sum += widen(READ(x)) * widen(READ(y)););
    return total(sum);
}

INLINE float largest_lane(vf v) {
    v = larger(v, __builtin_shufflevector(v, v, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7));
    v = larger(v, __builtin_shufflevector(v, v, 4, 5, 6, 7, 0, 1, 2, 3, 8, 9, 10, 11, 12, 13, 14, 15));
    v = larger(v, __builtin_shufflevector(v, v, 2, 3, 0, 1, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15));
    return v[0] > v[1] ? v[0] : v[1];
}

static float maximum(const float *x, ptrdiff_t n) {
    vf m[4];
    for (int j = 0; j < 4; j++) m[j] = splat(-INFINITY);
    ptrdiff_t i = 0;
    for (; i + 4 * W <= n; i += 4 * W)
        for (int j = 0; j < 4; j++) m[j] = larger(load(x + i + j * W), m[j]);
    for (; i + W <= n; i += W) m[0] = larger(load(x + i), m[0]);
    if (i < n) m[1] = larger(load_part(x + i, n - i, -INFINITY), m[1]);
    float best = largest_lane(larger(larger(m[0], m[1]), larger(m[2], m[3])));
    // Comparisons pass NaN over: where nothing else was found, look for it.
    for (i = 0; best == -INFINITY && i < n; i++)
        if (x[i] != x[i]) return NAN;
    return best;
}

/// Sums of exponentials: in float32 within a vector lane for at most this many vectors, then in Double.
enum { LANE_RUN = 32 };

static double sum_exponentials(const float *x, ptrdiff_t n, float shift) {
    vd sum = {0};
    ptrdiff_t i = 0;
    while (i + W <= n) {
        const ptrdiff_t left = (n - i) / W, run = left < LANE_RUN ? left : LANE_RUN;
        vf partial = splat(0.0f);
        for (ptrdiff_t j = 0; j < run; j++, i += W) partial += exp_vector(load(x + i) - splat(shift));
        sum += widen(partial);
    }
    if (i < n) sum += widen(exp_vector(load_part(x + i, n - i, -INFINITY) - splat(shift)));
    return total(sum);
}

// MARK: Rows of softmax

static double softmax_row(float *x, ptrdiff_t n, ptrdiff_t width, float *largest) {
    const ptrdiff_t whole = n / W * W;
    // 1. Hidden scores of the last vector are out of the way for both passes.
    if (whole < n) store(x + whole, first_lanes(load(x + whole), n - whole, -INFINITY));
    const ptrdiff_t end = (n + W - 1) / W * W;
    const float peak = maximum(x, end);
    // 2. Terms and their sum.
    vd sum = {0};
    for (ptrdiff_t i = 0; i < end;) {
        const ptrdiff_t stop = i + LANE_RUN * W < end ? i + LANE_RUN * W : end;
        vf partial = splat(0.0f);
        for (; i < stop; i += W) {
            const vf e = exp_vector(load(x + i) - splat(peak));
            store(x + i, e);
            partial += e;
        }
        sum += widen(partial);
    }
    // 3. Nothing beyond.
    for (ptrdiff_t i = end; i < width; i += W) store(x + i, splat(0.0f));
    *largest = peak;
    return total(sum);
}

static void scaled_exponentials(float *x, ptrdiff_t n, float shift, float factor) {
    EACH_VECTOR(n, WRITE(x, splat(factor) * exp_vector(READ(x) - splat(shift))););
}

static void softmax_row_gradient(float *s, float *dp, ptrdiff_t n, ptrdiff_t width, float lse, float delta, float scale) {
    ptrdiff_t i = 0;
    for (; i < n; i += W) {
        const ptrdiff_t part = n - i < W ? n - i : W;
        const vf p = exp_vector(first_lanes(load(s + i) - splat(lse), part, -INFINITY));
        const vf ds = splat(scale) * p * (load(dp + i) - splat(delta));
        store(s + i, p);
        store(dp + i, first_lanes(ds, part, 0.0f));
    }
    for (; i < width; i += W) {
        store(s + i, splat(0.0f));
        store(dp + i, splat(0.0f));
    }
}

// MARK: RMS normalisation

static float rms_forward(float *y, const float *x, const float *g, ptrdiff_t n, float epsilon) {
    const float r = (float)(1.0 / sqrt(sum_of_squares(x, n) / (double)n + (double)epsilon));
    EACH_VECTOR(n, WRITE(y, READ(g) * (READ(x) * splat(r))););
    return r;
}

static void rms_backward(float *dx, const float *dy, const float *x, const float *g, float r, ptrdiff_t n) {
    vd sum = {0};
    EACH_VECTOR(n, sum += widen(READ(x)) * widen(READ(g) * READ(dy)););
    // y = g * x * r, and r falls by x * r^3 / n with each x
    const float c = (float)(total(sum) / (double)n * r * r);
    EACH_VECTOR(n, WRITE(dx, READ(dx) + splat(r) * (READ(g) * READ(dy) - READ(x) * splat(c))););
}

static void rms_backward_gain(float *dg, const float *dy, const float *x, const float *r, ptrdiff_t rows, ptrdiff_t stride, ptrdiff_t n) {
    EACH_VECTOR(n, {
        vd sum = {0};
        for (ptrdiff_t t = 0; t < rows; t++)
            sum += widen(READ(dy + t * stride) * splat(r[t])) * widen(READ(x + t * stride));
        WRITE(dg, __builtin_convertvector(widen(READ(dg)) + sum, vf));
    });
}

// MARK: To float32

/// Half precision to float32 in integer arithmetic: the exponent is rebiased by an exact product, which also turns subnormals into normals.
INLINE float half_to_float(uint16_t h) {
    const uint32_t bits = (uint32_t)(h & 0x7fff) << 13;
    float f;
    memcpy(&f, &bits, sizeof f);
    f *= 0x1p112f;
    uint32_t result;
    memcpy(&result, &f, sizeof result);
    result |= (h & 0x7c00) == 0x7c00 ? 0x7f800000u : 0u;
    result |= (uint32_t)(h & 0x8000) << 16;
    memcpy(&f, &result, sizeof f);
    return f;
}

INLINE uint16_t u16(const uint8_t *bytes) {
    uint16_t v;
    memcpy(&v, bytes, sizeof v);
    return v;
}

static void from_f16(float *y, const void *x, ptrdiff_t n) {
    const uint8_t *bytes = x;
    for (ptrdiff_t i = 0; i < n; i++) y[i] = half_to_float(u16(bytes + 2 * i));
}

static void from_bf16(float *y, const void *x, ptrdiff_t n) {
    const uint8_t *bytes = x;
    for (ptrdiff_t i = 0; i < n; i++) {
        const uint32_t bits = (uint32_t)u16(bytes + 2 * i) << 16;
        memcpy(y + i, &bits, sizeof bits);
    }
}

/// Block of 32: scale (f16), 32 signed bytes.
static void from_q8_0(float *y, const void *x, ptrdiff_t n) {
    const uint8_t *block = x;
    for (ptrdiff_t i = 0; i + 32 <= n; i += 32, block += 34) {
        const float d = half_to_float(u16(block));
        for (int j = 0; j < 32; j++) y[i + j] = d * (float)(int8_t)block[2 + j];
    }
}

/// Block of 32: scale (f16), 16 bytes whose low halves are the first 16 values and high halves the rest, minus 8.
static void from_q4_0(float *y, const void *x, ptrdiff_t n) {
    const uint8_t *block = x;
    for (ptrdiff_t i = 0; i + 32 <= n; i += 32, block += 18) {
        const float d = half_to_float(u16(block));
        for (int j = 0; j < 16; j++) {
            y[i + j] = d * (float)((block[2 + j] & 15) - 8);
            y[i + 16 + j] = d * (float)((block[2 + j] >> 4) - 8);
        }
    }
}

/// Block of 32: scale and offset (f16), 16 bytes as above. A product of 4 and 11 bits is exact, so fusing the sum changes nothing.
static void from_q4_1(float *y, const void *x, ptrdiff_t n) {
    const uint8_t *block = x;
    for (ptrdiff_t i = 0; i + 32 <= n; i += 32, block += 20) {
        const float d = half_to_float(u16(block)), m = half_to_float(u16(block + 2));
        for (int j = 0; j < 16; j++) {
            y[i + j] = d * (float)(block[4 + j] & 15) + m;
            y[i + 16 + j] = d * (float)(block[4 + j] >> 4) + m;
        }
    }
}

#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)

const struct preceptor_kernels JOIN(preceptor_kernels_, KERNEL_SUFFIX) = {
    .name = KERNEL_NAME,
    .add = add, .scale = scale, .swiglu_forward = swiglu_forward, .swiglu_backward = swiglu_backward,
    .rotate = rotate, .adamw = adamw,
    .sum_of_squares = sum_of_squares, .dot = dot, .maximum = maximum, .sum_exponentials = sum_exponentials,
    .softmax_row = softmax_row, .scaled_exponentials = scaled_exponentials, .softmax_row_gradient = softmax_row_gradient,
    .rms_forward = rms_forward, .rms_backward = rms_backward, .rms_backward_gain = rms_backward_gain,
    .from_f16 = from_f16, .from_bf16 = from_bf16, .from_q8_0 = from_q8_0, .from_q4_0 = from_q4_0, .from_q4_1 = from_q4_1,
};
