#include "dot.h"
#include "pairs.h"

/* Outputs that are computed together share what is read of x. */
#ifdef PAIRS

SHOAL_INLINE int32_t plus(int32_t sum, int32_t product)
{
    return (int32_t)((uint32_t)sum + (uint32_t)product);
}

#define DOT(type, byte, zero)                                                                            \
    SHOAL_OUTLINED void dot_##type(uint32_t *sum, const struct patch *p, const uint8_t *w, size_t size,  \
                                   size_t outputs)                                                       \
    {                                                                                                    \
        const int32_t x_offset = negated_pair(p->x_zero), w_offset = negated_pair(zero);                 \
        const size_t  n = p->n, x_skip = p->x_step - n, w_skip = p->w_step - n;                          \
        for (;;) {                                                                                       \
            const uint8_t *x = p->x, *w0 = w, *w1 = outputs > 1 ? w + size : w;                          \
            int32_t        s0 = (int32_t)sum[0], s1 = (int32_t)sum[1];                                   \
            for (size_t r = p->rows;; x += x_skip, w0 += w_skip, w1 += w_skip) {                         \
                for (size_t i = n / 4; i > 0; i--, x += 4, w0 += 4, w1 += 4) {                           \
                    const int32_t x4 = four_at(x), u4 = four_at(w0), v4 = four_at(w1);                   \
                    const int32_t even = x_even_##type(x_offset, x4), odd = x_odd_##type(x_offset, x4);  \
                    s0 = __smlad(even, w_even_##type(w_offset, u4), s0);                                 \
                    s0 = __smlad(odd, w_odd_##type(w_offset, u4), s0);                                   \
                    s1 = __smlad(even, w_even_##type(w_offset, v4), s1);                                 \
                    s1 = __smlad(odd, w_odd_##type(w_offset, v4), s1);                                   \
                }                                                                                        \
                for (size_t i = n % 4; i > 0; i--) {                                                     \
                    const int32_t value = (byte)*x++ - p->x_zero;                                        \
                    s0 = plus(s0, value * ((byte)*w0++ - (zero)));                                       \
                    s1 = plus(s1, value * ((byte)*w1++ - (zero)));                                       \
                }                                                                                        \
                if (--r == 0) break;                                                                     \
            }                                                                                            \
            *sum++ = (uint32_t)s0;                                                                       \
            *sum++ = (uint32_t)s1;                                                                       \
            if (outputs <= 2) break;                                                                     \
            outputs -= 2;                                                                                \
            w += 2 * size;                                                                               \
        }                                                                                                \
    }

/* The same for int8 at two positions, which share what is read of the weights too. */
SHOAL_OUTLINED void dot_twice(uint32_t *sum, const struct patch *p, const uint8_t *w, size_t size,
                              size_t outputs)
{
    const int32_t x_offset = negated_pair(p->x_zero);
    const size_t  n = p->n, x_skip = p->x_step - n, w_skip = p->w_step - n;
    for (;;) {
        const uint8_t *x = p->x, *z = p->second, *w0 = w, *w1 = outputs > 1 ? w + size : w;
        int32_t        s0 = (int32_t)sum[0], s1 = (int32_t)sum[1];
        int32_t        t0 = (int32_t)sum[OUTPUTS], t1 = (int32_t)sum[OUTPUTS + 1];
        for (size_t r = p->rows;; x += x_skip, z += x_skip, w0 += w_skip, w1 += w_skip) {
            for (const uint8_t *end = x + (n & ~(size_t)3); x < end; x += 4, z += 4, w0 += 4, w1 += 4) {
                const int32_t x4 = four_at(x), z4 = four_at(z);
                const int32_t x_even = x_even_I8(x_offset, x4), x_odd = x_odd_I8(x_offset, x4);
                const int32_t z_even = x_even_I8(x_offset, z4), z_odd = x_odd_I8(x_offset, z4);
                int32_t       w4 = four_at(w0), even = w_even_I8(0, w4), odd = w_odd_I8(0, w4);
                s0 = __smlad(x_odd, odd, __smlad(x_even, even, s0));
                t0 = __smlad(z_odd, odd, __smlad(z_even, even, t0));
                w4 = four_at(w1), even = w_even_I8(0, w4), odd = w_odd_I8(0, w4);
                s1 = __smlad(x_odd, odd, __smlad(x_even, even, s1));
                t1 = __smlad(z_odd, odd, __smlad(z_even, even, t1));
            }
            for (size_t i = n % 4; i > 0; i--) {
                const int32_t value = (int8_t)*x++ - p->x_zero, other = (int8_t)*z++ - p->x_zero;
                const int32_t u = (int8_t)*w0++, v = (int8_t)*w1++;
                s0 = plus(s0, value * u);
                t0 = plus(t0, other * u);
                s1 = plus(s1, value * v);
                t1 = plus(t1, other * v);
            }
            if (--r == 0) break;
        }
        sum[0] = (uint32_t)s0, sum[1] = (uint32_t)s1;
        sum[OUTPUTS] = (uint32_t)t0, sum[OUTPUTS + 1] = (uint32_t)t1;
        if (outputs <= 2) break;
        outputs -= 2;
        sum += 2;
        w += 2 * size;
    }
}

#else

/* A byte less its zero point has 9 bits. Processors with vectors multiply two pairs of 16 bits at once. */
#if defined(__SSE2__) || defined(__ARM_NEON)
typedef int16_t factor;
#else
typedef int32_t factor;
#endif

#define DOT(type, byte, zero)                                                                            \
    SHOAL_OUTLINED void dot_##type(uint32_t *sum, const struct patch *p, const uint8_t *w, size_t size,  \
                                   size_t outputs)                                                       \
    {                                                                                                    \
        const int32_t x_zero = p->x_zero, w_zero = (zero);                                               \
        for (size_t k = 0; k < outputs; k += 4, sum += 4) {                                              \
            /* Where fewer than four are left, the first stands in for the others. */                    \
            const size_t left = outputs - k, first = k * size, second = left > 1 ? size : 0;             \
            const size_t third = left > 2 ? 2 * size : 0, fourth = left > 3 ? 3 * size : 0;              \
            for (size_t r = 0; r < p->rows; r++) {                                                       \
                const uint8_t *x = p->x + r * p->x_step, *w0 = w + first + r * p->w_step;                \
                const uint8_t *w1 = w0 + second, *w2 = w0 + third, *w3 = w0 + fourth;                    \
                uint32_t       s0 = 0, s1 = 0, s2 = 0, s3 = 0;                                           \
                for (size_t i = 0; i < p->n; i++) {                                                      \
                    const factor value = (factor)((byte)x[i] - x_zero);                                  \
                    s0 += (uint32_t)(value * (factor)((byte)w0[i] - w_zero));                            \
                    s1 += (uint32_t)(value * (factor)((byte)w1[i] - w_zero));                            \
                    s2 += (uint32_t)(value * (factor)((byte)w2[i] - w_zero));                            \
                    s3 += (uint32_t)(value * (factor)((byte)w3[i] - w_zero));                            \
                }                                                                                        \
                sum[0] += s0, sum[1] += s1, sum[2] += s2, sum[3] += s3;                                  \
            }                                                                                            \
        }                                                                                                \
    }

#endif

DOT(I8, int8_t, 0)
DOT(U8, uint8_t, p->w_zero)

void dot(uint32_t *sum, const struct patch *p, const uint8_t *w, size_t size, size_t outputs)
{
#ifdef PAIRS
    if (p->second != NULL) {
        dot_twice(sum, p, w, size, outputs);
        return;
    }
#endif
    (is_int8(p->type) ? dot_I8 : dot_U8)(sum, p, w, size, outputs);
}
