// State spaces: softplus, the causal convolution before them, the selective scan and its gradient. Included by kernels.inc.h.
//
// Lanes are channels: a state's recurrence needs no sum across lanes, and any number of states will do. A group is 16 channels; parameters
// of a group lie packed, (states, 16), zero in lanes without a channel.

// MARK: Softplus

/// log(1 + e^x) = max(x, 0) + log(1 + f) with f = e^-|x|, and log(1 + f) = 2 atanh(s), s = f / (2 + f) <= 1/3: 2 s + s^3 Q(s^2), Q of degree 4,
/// relative error 1e-9 in all (our own fit). Measured within 2.6 units in the last place; x itself from 17 on.
INLINE vf softplus_vector(vf x) {
    const vf u = larger(x, -x);
    const vf f = exp_vector(-u);
    const vf s = f / (splat(2.0f) + f);
    const vf square = s * s;
    vf q = splat(0.23233556607736866f);
    q = q * square + splat(0.21704533726726796f);
    q = q * square + splat(0.2859249898963453f);
    q = q * square + splat(0.3999970322551228f);
    q = q * square + splat(0.6666666733116253f);
    return larger(splat(0.0f), x) + (s + s + s * square * q);
}

static void softplus_forward(float *y, const float *x, ptrdiff_t n) { EACH_VECTOR(n, WRITE(y, softplus_vector(READ(x)));); }

static void softplus_backward(float *dx, const float *dy, const float *x, ptrdiff_t n) {
    EACH_VECTOR(n, WRITE(dx, READ(dx) + READ(dy) * sigmoid(READ(x))););
}

// MARK: Convolution

static void convolve_row(float *y, const float *x, const float *w, ptrdiff_t before, ptrdiff_t taps, ptrdiff_t stride, ptrdiff_t n) {
    EACH_VECTOR(n, {
        vf sum = READ(y);
        for (ptrdiff_t k = before; k >= 0; k--) sum += READ(w + (taps - 1 - k) * stride) * READ(x - k * stride);
        WRITE(y, sum);
    });
}

static void convolve_row_backward(
    float *dx, const float *dy, const float *w, ptrdiff_t behind, ptrdiff_t taps, ptrdiff_t stride, ptrdiff_t n) {
    // y[t] += w[taps - 1 - k] * x[t - k], so x[t] is in y[t + k]
    EACH_VECTOR(n, {
        vf sum = READ(dx);
        for (ptrdiff_t k = 0; k <= behind; k++) sum += READ(w + (taps - 1 - k) * stride) * READ(dy + k * stride);
        WRITE(dx, sum);
    });
}

/// Lags summed in one pass over the rows: their sums fill eight registers of AVX-512.
enum { LAGS = 4 };

static void convolve_backward_taps(
    float *dw, const float *dy, const float *x, const ptrdiff_t *splits, ptrdiff_t segments, ptrdiff_t taps, ptrdiff_t stride, ptrdiff_t n) {
    for (ptrdiff_t lag = 0; lag < taps; lag += LAGS) {
        EACH_VECTOR(n, {
            vd sums[LAGS] = {{0}};
            for (ptrdiff_t j = 0; j < segments; j++) {
                // 1. Rows that lack some of the rows before, then those that have all.
                const ptrdiff_t whole = splits[j] + lag + LAGS - 1 < splits[j + 1] ? splits[j] + lag + LAGS - 1 : splits[j + 1];
                for (ptrdiff_t t = splits[j] + lag; t < whole; t++)
                    for (ptrdiff_t k = 0; k < LAGS && t - lag - k >= splits[j]; k++)
                        sums[k] += widen(READ(dy + t * stride)) * widen(READ(x + (t - lag - k) * stride));
                for (ptrdiff_t t = whole; t < splits[j + 1]; t++) {
                    const vd d = widen(READ(dy + t * stride));
                    const float *back = x + (t - lag) * stride;
                    sums[0] += d * widen(READ(back));
                    sums[1] += d * widen(READ(back - stride));
                    sums[2] += d * widen(READ(back - 2 * stride));
                    sums[3] += d * widen(READ(back - 3 * stride));
                }
            }
            // 2. The sums of lags that are taps.
            for (ptrdiff_t k = 0; k < LAGS && lag + k < taps; k++) {
                float *row = dw + (taps - 1 - lag - k) * n;
                WRITE(row, __builtin_convertvector(widen(READ(row)) + sums[k], vf));
            }
        });
    }
}

// MARK: Selective scan

INLINE vf load_lanes(const float *x, ptrdiff_t n) { return n == W ? load(x) : load_part(x, n, 0.0f); }
INLINE void store_lanes(float *x, vf v, ptrdiff_t n) { n == W ? store(x, v) : store_part(x, v, n); }

static void scan_forward(
    float *y, float *state, const float *x, const float *delta, const float *a, const float *b, const float *c, const float *d,
    ptrdiff_t rows, ptrdiff_t stride, ptrdiff_t states, ptrdiff_t n) {
    const vf skip = load_lanes(d, n);
    for (ptrdiff_t t = 0; t < rows; t++) {
        // Rows lie a page and more apart: no hardware fetches them ahead.
        __builtin_prefetch(x + (t + 8) * stride);
        __builtin_prefetch(delta + (t + 8) * stride);
        const vf input = load_lanes(x + t * stride, n), step = load_lanes(delta + t * stride, n), drive = step * input;
        vf sum = skip * input;
        for (ptrdiff_t j = 0; j < states; j++) {
            const vf s = exp_vector(step * load(a + j * W)) * load(state + j * W) + drive * splat(b[t * states + j]);
            store(state + j * W, s);
            sum += s * splat(c[t * states + j]);
        }
        if (y) store_lanes(y + t * stride, sum, n);
    }
}

static void scan_backward(const struct preceptor_scan *g, ptrdiff_t rows, ptrdiff_t stride, ptrdiff_t states, ptrdiff_t n) {
    const ptrdiff_t size = states * W;
    float *decays = g->work, *trail = decays + rows * size, *da = trail + (rows + 1) * size;
    // 1. The block's states again, and their decays; trail[t] is the state before row t.
    memcpy(trail, g->state, (size_t)size * sizeof(float));
    for (ptrdiff_t t = 0; t < rows; t++) {
        const vf step = load_lanes(g->delta + t * stride, n), drive = step * load_lanes(g->x + t * stride, n);
        for (ptrdiff_t j = 0; j < states; j++) {
            const vf decay = exp_vector(step * load(g->a + j * W));
            store(decays + t * size + j * W, decay);
            store(trail + (t + 1) * size + j * W, decay * load(trail + t * size + j * W) + drive * splat(g->b[t * states + j]));
        }
    }
    // 2. Backward: y = sum_j c_j s_j + d x,  s = decay * before + delta b x,  decay = e^(delta a).
    memset(da, 0, (size_t)size * sizeof(float));
    const vf skip = load_lanes(g->d, n);
    vf dd = splat(0.0f);
    for (ptrdiff_t t = rows - 1; t >= 0; t--) {
        const vf input = load_lanes(g->x + t * stride, n), step = load_lanes(g->delta + t * stride, n), dy = load_lanes(g->dy + t * stride, n);
        const vf drive = step * input;
        vf through = splat(0.0f), faded = splat(0.0f);
        for (ptrdiff_t j = 0; j < states; j++) {
            const ptrdiff_t place = t * size + j * W;
            const vf ds = splat(g->c[t * states + j]) * dy + load(g->carry + j * W);
            store(g->dc + place, load(g->dc + place) + dy * load(trail + place + size));
            store(g->db + place, load(g->db + place) + ds * drive);
            through += ds * splat(g->b[t * states + j]);
            const vf carry = ds * load(decays + place), fade = carry * load(trail + place);
            store(g->carry + j * W, carry);
            faded += fade * load(g->a + j * W);
            store(da + j * W, load(da + j * W) + step * fade);
        }
        dd += dy * input;
        store_lanes(g->dx + t * stride, load_lanes(g->dx + t * stride, n) + skip * dy + step * through, n);
        store_lanes(g->ddelta + t * stride, load_lanes(g->ddelta + t * stride, n) + faded + input * through, n);
    }
    // 3. The block's sums over rows, in Double.
    for (ptrdiff_t j = 0; j < states; j++) *(vd *)(g->da + j * W) += widen(load(da + j * W));
    *(vd *)g->dd += widen(dd);
}

static void sum_lanes(float *sums, const float *lanes, ptrdiff_t n) {
    for (ptrdiff_t i = 0; i < n; i++) sums[i] = (float)total(widen(load(lanes + i * W)));
}
