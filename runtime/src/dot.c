#include "dot.h"
#include "pairs.h"

/* Outputs that are computed together share what is read of x. */
#ifdef PAIRS

#define DOT(type, byte, zero)                                                                            \
    static void dot_##type(uint32_t *sum, const struct patch *p, const uint8_t *w, size_t size,          \
                           size_t outputs)                                                               \
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
                    s0 = (int32_t)((uint32_t)s0 + (uint32_t)(value * ((byte)*w0++ - (zero))));           \
                    s1 = (int32_t)((uint32_t)s1 + (uint32_t)(value * ((byte)*w1++ - (zero))));           \
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

#else

/* A byte less its zero point has 9 bits. Processors with vectors multiply two pairs of 16 bits at once. */
#if defined(__SSE2__) || defined(__ARM_NEON)
typedef int16_t factor;
#else
typedef int32_t factor;
#endif

#define DOT(type, byte, zero)                                                                            \
    static void dot_##type(uint32_t *sum, const struct patch *p, const uint8_t *w, size_t size,          \
                           size_t outputs)                                                               \
    {                                                                                                    \
        const int32_t x_zero = p->x_zero, w_zero = (zero);                                               \
        for (size_t k = 0; k < outputs; k += 4, sum += 4) {                                              \
            const size_t   left = outputs - k, steps[] = {0, left > 1, left > 2 ? 2 : 0, left > 3 ? 3 : 0}; \
            for (size_t r = 0; r < p->rows; r++) {                                                       \
                const uint8_t *x = p->x + r * p->x_step, *w0 = w + k * size + r * p->w_step;             \
                const uint8_t *w1 = w0 + steps[1] * size, *w2 = w0 + steps[2] * size;                    \
                const uint8_t *w3 = w0 + steps[3] * size;                                                \
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
    (p->type == I8 ? dot_I8 : dot_U8)(sum, p, w, size, outputs);
}
