// Rotary positions: pairs of a head's values turned by an angle. Included by kernels.inc.h.

static void rotate_halves(float *x, const float *row, ptrdiff_t half, float sign) {
    EACH_VECTOR(half, {
        const vf a = READ(x), b = READ(x + half), c = READ(row), s = READ(row + half) * splat(sign);
        WRITE(x, a * c - b * s);
        WRITE(x + half, b * c + a * s);
    });
}

static void rotate_neighbours(float *x, const float *row, ptrdiff_t half, float sign) {
    EACH_VECTOR(half, {
        float *pairs = x + 2 * i;
        const ptrdiff_t low = 2 * part < W ? 2 * part : W, high = 2 * part - low;
        const vf u = low == W ? load(pairs) : load_part(pairs, low, 0.0f);
        const vf v = high == W ? load(pairs + W) : load_part(pairs + low, high, 0.0f);
        const vf a = __builtin_shufflevector(u, v, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
        const vf b = __builtin_shufflevector(u, v, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31);
        const vf c = READ(row), s = READ(row + half) * splat(sign);
        const vf first = a * c - b * s, second = b * c + a * s;
        const vf low_pairs = __builtin_shufflevector(first, second, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
        const vf high_pairs = __builtin_shufflevector(first, second, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
        low == W ? store(pairs, low_pairs) : store_part(pairs, low_pairs, low);
        high == W ? store(pairs + W, high_pairs) : store_part(pairs + low, high_pairs, high);
    });
}
