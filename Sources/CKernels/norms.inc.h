// Normalisation of rows, and sums of columns: included by kernels.inc.h.

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

// MARK: Layer normalisation

static float layer_forward(float *y, const float *x, const float *g, const float *b, ptrdiff_t n, float epsilon, float *mean) {
    // 1. The mean.
    vd sum = {0};
    EACH_VECTOR(n, sum += widen(READ(x)););
    const double exact = n > 0 ? total(sum) / (double)n : 0.0;
    const float middle = (float)exact;
    // 2. The variance, of differences: a sum of squares less the mean's would cancel.
    vd squares = {0};
    EACH_VECTOR(n, {
        const vd d = widen(part == W ? load(x + i) : load_part(x + i, part, middle)) - exact;
        squares += d * d;
    });
    // The lanes behind the end held the rounded mean.
    const ptrdiff_t behind = (W - n % W) % W;
    const double rounding = (double)middle - exact;
    const float r = (float)(1.0 / sqrt((total(squares) - (double)behind * rounding * rounding) / (double)n + (double)epsilon));
    // 3. The row.
    EACH_VECTOR(n, WRITE(y, READ(g) * ((READ(x) - splat(middle)) * splat(r)) + READ(b)););
    *mean = middle;
    return r;
}

static void layer_backward(float *dx, const float *dy, const float *x, const float *g, float mean, float r, ptrdiff_t n) {
    // y = g * z + b,  z = (x - mean) * r: with e = g * dy, the means of e and of z * e are what the mean and r take away.
    vd sum = {0};
    vd product = {0};
    EACH_VECTOR(n, {
        const vf e = READ(g) * READ(dy);
        sum += widen(e);
        product += widen((READ(x) - splat(mean)) * splat(r)) * widen(e);
    });
    const float first = (float)(total(sum) / (double)n), second = (float)(total(product) / (double)n);
    EACH_VECTOR(n, {
        const vf z = (READ(x) - splat(mean)) * splat(r);
        WRITE(dx, READ(dx) + splat(r) * (READ(g) * READ(dy) - splat(first) - z * splat(second)));
    });
}

static void layer_backward_gain(
    float *dg, const float *dy, const float *x, const float *mean, const float *r, ptrdiff_t rows, ptrdiff_t stride, ptrdiff_t n) {
    EACH_VECTOR(n, {
        vd sum = {0};
        for (ptrdiff_t t = 0; t < rows; t++)
            sum += widen(READ(dy + t * stride)) * widen((READ(x + t * stride) - splat(mean[t])) * splat(r[t]));
        WRITE(dg, __builtin_convertvector(widen(READ(dg)) + sum, vf));
    });
}

// MARK: Columns

static void add_columns(float *sums, const float *x, ptrdiff_t rows, ptrdiff_t stride, ptrdiff_t n) {
    EACH_VECTOR(n, {
        vd sum = {0};
        for (ptrdiff_t t = 0; t < rows; t++) sum += widen(READ(x + t * stride));
        WRITE(sums, __builtin_convertvector(widen(READ(sums)) + sum, vf));
    });
}
