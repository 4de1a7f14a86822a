#include "dot.h"
#include "pairs.h"

/* One row of a patch. Outputs that are computed together share what is read of x. */
typedef void add_row(uint32_t *sum, const struct patch *p, const uint8_t *x, const uint8_t *w, size_t size,
                     size_t outputs);

#define ROW(type)                                                                                  \
    static void add_row_##type(uint32_t *sum, const struct patch *p, const uint8_t *x,             \
                               const uint8_t *w, size_t size, size_t outputs)

#ifdef PAIRS

#define ADD_ROW(type, byte, zero)                                                                  \
    ROW(type)                                                                                      \
    {                                                                                              \
        const int32_t x_offset = negated_pair(p->x_zero), w_offset = negated_pair(zero);           \
        const size_t  n = p->n;                                                                    \
        for (;;) {                                                                                 \
            const uint8_t *w1 = outputs > 1 ? w + size : w;                                        \
            int32_t        s0 = (int32_t)sum[0], s1 = (int32_t)sum[1];                             \
            for (size_t i = n / 4; i > 0; i--, x += 4, w += 4, w1 += 4) {                          \
                const int32_t x4 = four_at(x), u4 = four_at(w), v4 = four_at(w1);                  \
                const int32_t even = x_even_##type(x_offset, x4), odd = x_odd_##type(x_offset, x4); \
                s0 = __smlad(even, w_even_##type(w_offset, u4), s0);                                 \
                s0 = __smlad(odd, w_odd_##type(w_offset, u4), s0);                                   \
                s1 = __smlad(even, w_even_##type(w_offset, v4), s1);                                 \
                s1 = __smlad(odd, w_odd_##type(w_offset, v4), s1);                                   \
            }                                                                                      \
            for (size_t i = n % 4; i > 0; i--) {                                                   \
                const int32_t value = (byte)*x++ - p->x_zero;                                      \
                s0 = (int32_t)((uint32_t)s0 + (uint32_t)(value * ((byte)*w++ - (zero))));          \
                s1 = (int32_t)((uint32_t)s1 + (uint32_t)(value * ((byte)*w1++ - (zero))));         \
            }                                                                                      \
            *sum++ = (uint32_t)s0;                                                                 \
            *sum++ = (uint32_t)s1;                                                                 \
            if (outputs <= 2) break;                                                               \
            outputs -= 2;                                                                          \
            x -= n;                                                                                \
            w += 2 * size - n;                                                                     \
        }                                                                                          \
    }

#else

/* A byte less its zero point has 9 bits. Processors with vectors multiply two pairs of 16 bits at once. */
#if defined(__SSE2__) || defined(__ARM_NEON)
typedef int16_t factor;
#else
typedef int32_t factor;
#endif

#define ADD_ROW(type, byte, zero)                                                                  \
    ROW(type)                                                                                      \
    {                                                                                              \
        const int32_t x_zero = p->x_zero, w_zero = (zero);                                         \
        for (size_t k = 0; k < outputs; k += 4, sum += 4) {                                        \
            const uint8_t *w0 = w + k * size, *w1 = outputs - k > 1 ? w0 + size : w;               \
            const uint8_t *w2 = outputs - k > 2 ? w1 + size : w;                                   \
            const uint8_t *w3 = outputs - k > 3 ? w2 + size : w;                                   \
            uint32_t       s0 = 0, s1 = 0, s2 = 0, s3 = 0;                                         \
            for (size_t i = 0; i < p->n; i++) {                                                    \
                const factor value = (factor)((byte)x[i] - x_zero);                                \
                s0 += (uint32_t)(value * (factor)((byte)w0[i] - w_zero));                          \
                s1 += (uint32_t)(value * (factor)((byte)w1[i] - w_zero));                          \
                s2 += (uint32_t)(value * (factor)((byte)w2[i] - w_zero));                          \
                s3 += (uint32_t)(value * (factor)((byte)w3[i] - w_zero));                          \
            }                                                                                      \
            sum[0] += s0, sum[1] += s1, sum[2] += s2, sum[3] += s3;                                \
        }                                                                                          \
    }

#endif

ADD_ROW(I8, int8_t, 0)
ADD_ROW(U8, uint8_t, p->w_zero)

void dot(uint32_t *sum, const struct patch *p, const uint8_t *w, size_t size, size_t outputs)
{
    add_row *const add = p->type == I8 ? add_row_I8 : add_row_U8;
    for (size_t r = 0; r < p->rows; r++)
        add(sum, p, p->x + r * p->x_step, w + r * p->w_step, size, outputs);
}
