// Nonlinearities of feed-forwards, their derivatives, and the gate made of them: included by kernels.inc.h.

// MARK: The normal distribution

/// x within -limit ... limit; NaN stays.
INLINE vf within(vf x, float limit) { return smaller(splat(limit), larger(splat(-limit), x)); }

/// The normal distribution Phi(z) = 1/2 erfc(-z / sqrt 2), and e = e^(-z^2/2), for |z| <= 20 and NaN.
///
/// - |z| < 1: 1/2 + z Q(z^2), Q of degree 5, relative error 7e-10.
/// - Else the ratio of the smaller tail to e (Mills's), which falls from 1/2 as 1 / (|z| sqrt(2 pi)): with t = 1 / (|z| + 2.5) it is
///   t P((|z| - 2.5) t), P of degree 9, relative error 1.5e-8 on 0 ... 14.5, where e ends. The low half of z * z is applied to e.
/// - So GELU keeps its digits where 1 + erf(z / sqrt 2) has none left. Measured, in units in the last place of GELU: 1.7 for z >= -0.1,
///   2.9 to -1, 5.5 to -13 (without fused products 1.8, 3.4 and 66).
INLINE vf normal(vf z, vf *e) {
    const vf u = larger(z, -z);
    const vf square = u * u;
    const vf rest = u * u - square;
    const vf power = exp_vector(splat(-0.5f) * square);
    *e = power - power * (splat(0.5f) * rest);
    const vf t = splat(1.0f) / (u + splat(2.5f));
    const vf w = (u - splat(2.5f)) * t;
    vf p = splat(-1.5726719342215118e-4f);
    p = p * w + splat(-3.108656114749737e-4f);
    p = p * w + splat(6.843447683065394e-4f);
    p = p * w + splat(2.5232979119404714e-3f);
    p = p * w + splat(-1.6009610059828034e-3f);
    p = p * w + splat(-1.6386021786191987e-2f);
    p = p * w + splat(9.235914794973162e-3f);
    p = p * w + splat(0.13198696539379307f);
    p = p * w + splat(-0.4336920144530013f);
    p = p * w + splat(0.7066566600768192f);
    const vf below = *e * (p * t);
    vf q = splat(-7.654207597724406e-6f);
    q = q * square + splat(1.1348637002709586e-4f);
    q = q * square + splat(-1.1863299401499742e-3f);
    q = q * square + splat(9.973323409233365e-3f);
    q = q * square + splat(-6.6490359923429e-2f);
    q = q * square + splat(0.3989422801176626f);
    const vf far = where(z < splat(0.0f), below, splat(1.0f) - below);
    return where(u < splat(1.0f), z * q + splat(0.5f), far);
}

// MARK: Values and derivatives

/// 2u of gelu_tanh, for 1/2 (1 + tanh u) = 1 / (1 + e^-2u): no difference of near numbers.
INLINE vf twice_tanh_argument(vf z) { return z * (splat(1.5957691216057308f) + splat(0.07135481627f) * (z * z)); }

INLINE vf activate(vf z, enum preceptor_activation kind) {
    if (kind == preceptor_silu) return z * sigmoid(z);
    if (kind == preceptor_relu) return larger(splat(0.0f), z);
    // Beyond 20 the factor is 0 or 1 to the last bit.
    if (kind == preceptor_gelu_tanh) return z * sigmoid(twice_tanh_argument(within(z, 20.0f)));
    vf e;
    return z * normal(within(z, 20.0f), &e);
}

/// The value at z, and its derivative.
INLINE vf activate_slope(vf z, vf *slope, enum preceptor_activation kind) {
    const vf one = splat(1.0f);
    if (kind == preceptor_silu) {
        const vf s = sigmoid(z);
        *slope = s * (one + z * (one - s));
        return z * s;
    }
    if (kind == preceptor_relu) {
        *slope = (vf)((vi)one & (z > splat(0.0f)));
        return larger(splat(0.0f), z);
    }
    const vf near = within(z, 20.0f);
    if (kind == preceptor_gelu_tanh) {
        // (2u)' = 2 sqrt(2 / pi) (1 + 3 * 0.044715 z^2)
        const vf s = sigmoid(twice_tanh_argument(near));
        const vf turn = splat(1.5957691216057308f) + splat(0.21406444881f) * (near * near);
        *slope = s + near * (s * (one - s)) * turn;
        return z * s;
    }
    // z Phi(z), and Phi + z phi
    vf e;
    const vf phi = normal(near, &e);
    *slope = phi + near * (splat(0.3989422804014327f) * e);
    return z * phi;
}

// MARK: Loops

/// Runs BODY with `kind` a constant.
#define BY_ACTIVATION(activation, ...) \
    do { \
        switch (activation) { \
        case preceptor_silu: { const enum preceptor_activation kind = preceptor_silu; __VA_ARGS__ } break; \
        case preceptor_gelu: { const enum preceptor_activation kind = preceptor_gelu; __VA_ARGS__ } break; \
        case preceptor_gelu_tanh: { const enum preceptor_activation kind = preceptor_gelu_tanh; __VA_ARGS__ } break; \
        case preceptor_relu: { const enum preceptor_activation kind = preceptor_relu; __VA_ARGS__ } break; \
        } \
    } while (0)

static void activation_forward(float *h, const float *x, ptrdiff_t n, enum preceptor_activation activation) {
    BY_ACTIVATION(activation, EACH_VECTOR(n, WRITE(h, activate(READ(x), kind));););
}

static void activation_backward(float *dx, const float *dh, const float *x, ptrdiff_t n, enum preceptor_activation activation) {
    BY_ACTIVATION(activation, EACH_VECTOR(n, {
        vf slope;
        activate_slope(READ(x), &slope, kind);
        WRITE(dx, READ(dx) + READ(dh) * slope);
    }););
}

static void gated_forward(float *h, const float *gate, const float *up, ptrdiff_t n, enum preceptor_activation activation) {
    BY_ACTIVATION(activation, EACH_VECTOR(n, WRITE(h, activate(READ(gate), kind) * READ(up));););
}

static void gated_backward(
    float *dgate, float *dup, const float *dh, const float *gate, const float *up, ptrdiff_t n, enum preceptor_activation activation) {
    // h = act(gate) * up
    BY_ACTIVATION(activation, EACH_VECTOR(n, {
        vf slope;
        const vf d = READ(dh), value = activate_slope(READ(gate), &slope, kind);
        WRITE(dgate, READ(dgate) + d * READ(up) * slope);
        WRITE(dup, READ(dup) + d * value);
    }););
}
