// Rows of scores: their cap, softmax and its gradient. Included by kernels.inc.h.

/// tanh x within 1.3 units in the last place: up to 0.625 the odd polynomial x + x^3 Q(x^2), Q of degree 4, relative error 2e-8 (a fit of our own on Cephes's
/// interval); beyond 1 - 2 / (e^2x + 1).
INLINE vf tanh_vector(vf x) {
    const vf u = larger(x, -x);
    const vf square = x * x;
    vf q = splat(-6.096937059349056e-3f);
    q = q * square + splat(2.0997354013429607e-2f);
    q = q * square + splat(-5.385095261019824e-2f);
    q = q * square + splat(0.13332770076782055f);
    q = q * square + splat(-0.33333328948358654f);
    const vf near = x + x * square * q;
    const vf far = splat(1.0f) - splat(2.0f) / (exp_vector(u + u) + splat(1.0f));
    const vi sign = (vi)x & (vi)splat(-0.0f);
    return where(u < splat(0.625f), near, (vf)((vi)far | sign));
}

static void soft_cap(float *x, ptrdiff_t n, float cap) {
    const vf inverse = splat(1.0f / cap);
    EACH_VECTOR(n, WRITE(x, splat(cap) * tanh_vector(READ(x) * inverse)););
}

static double softmax_row(float *x, ptrdiff_t first, ptrdiff_t n, ptrdiff_t width, float *largest) {
    const ptrdiff_t begin = n > first ? first / W * W : width, end = n > first ? (n + W - 1) / W * W : width, whole = n / W * W;
    // 1. Hidden scores of the first and last vector are out of the way for both passes.
    if (begin < end && begin < first) store(x + begin, but_first_lanes(load(x + begin), first - begin, -INFINITY));
    if (begin < end && whole < n) store(x + whole, first_lanes(load(x + whole), n - whole, -INFINITY));
    const float found = maximum(x + begin, end - begin), peak = *largest >= found ? *largest : found;
    const vf shift = splat(peak == -INFINITY ? 0.0f : peak);
    // 2. Terms and their sum.
    vd sum = {0};
    for (ptrdiff_t i = begin; i < end;) {
        const ptrdiff_t stop = i + LANE_RUN * W < end ? i + LANE_RUN * W : end;
        vf partial = splat(0.0f);
        for (; i < stop; i += W) {
            const vf e = exp_vector(load(x + i) - shift);
            store(x + i, e);
            partial += e;
        }
        sum += widen(partial);
    }
    // 3. Nothing before and beyond.
    for (ptrdiff_t i = 0; i < begin; i += W) store(x + i, splat(0.0f));
    for (ptrdiff_t i = end; i < width; i += W) store(x + i, splat(0.0f));
    *largest = peak;
    return total(sum);
}

static void softmax_row_gradient(
    float *s, float *dp, ptrdiff_t first, ptrdiff_t n, ptrdiff_t width, float lse, float delta, float scale, float inverse_cap) {
    ptrdiff_t i = 0;
    const ptrdiff_t begin = n > first ? first / W * W : width;
    for (; i < begin; i += W) {
        store(s + i, splat(0.0f));
        store(dp + i, splat(0.0f));
    }
    for (; i < n; i += W) {
        const ptrdiff_t hidden = first - i, part = n - i;
        const vf score = load(s + i), turn = score * splat(inverse_cap);
        // s = cap * tanh(s0 / cap): ds0 = ds (1 - (s / cap)^2); without a cap the factor is 1.
        const vf slope = splat(scale) * (splat(1.0f) - turn * turn);
        vf p = exp_vector(score - splat(lse));
        vf ds = slope * p * (load(dp + i) - splat(delta));
        if (hidden > 0) {
            p = but_first_lanes(p, hidden, 0.0f);
            ds = but_first_lanes(ds, hidden, 0.0f);
        }
        if (part < W) {
            p = first_lanes(p, part, 0.0f);
            ds = first_lanes(ds, part, 0.0f);
        }
        store(s + i, p);
        store(dp + i, ds);
    }
    for (; i < width; i += W) {
        store(s + i, splat(0.0f));
        store(dp + i, splat(0.0f));
    }
}
