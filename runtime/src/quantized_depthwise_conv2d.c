/* DepthwiseConv2D on integers; weights (kernel positions, outputs). */
#include "pairs.h"
#include "quantized.h"
#include "window.h"

#define TOGETHER 4 /* outputs whose sums stay in registers */

struct depthwise {
    struct window    window;
    struct rescaling rescaling;
    const uint8_t   *w;
    int32_t          x_zero, w_zero;
    uint8_t          type;
    size_t           rows, columns;  /* of the window at hand that lie inside the input */
    size_t           x_skip, w_skip; /* from the end of a row to the next */
};

/* Adds the products of a window to the sums of TOGETHER outputs. */
typedef void add_window(uint32_t sum[TOGETHER], const struct depthwise *d, const uint8_t *x,
                        const uint8_t *w);

#define FOR_POSITIONS                                                                               \
    const size_t x_step = d->window.in[2], w_step = d->window.out[2], columns = d->columns;         \
    const size_t x_skip = d->x_skip, w_skip = d->w_skip;                                            \
    for (size_t r = d->rows; r > 0; r--, x += x_skip, w += w_skip)                                  \
        for (size_t c = columns; c > 0; c--, x += x_step, w += w_step)

/* Outputs that read neighbouring channels. */
#ifdef PAIRS
#define NEIGHBOURS(type, byte, zero)                                                                \
    static void add_neighbours_##type(uint32_t sum[TOGETHER], const struct depthwise *d,            \
                                      const uint8_t *x, const uint8_t *w)                           \
    {                                                                                               \
        const int32_t x_offset = negated_pair(d->x_zero), w_offset = negated_pair(zero);            \
        int32_t       s0 = (int32_t)sum[0], s1 = (int32_t)sum[1];                                   \
        int32_t       s2 = (int32_t)sum[2], s3 = (int32_t)sum[3];                                   \
        FOR_POSITIONS                                                                               \
        {                                                                                           \
            const int32_t x4 = four_at(x), w4 = four_at(w);                                         \
            const int32_t x_even = x_even_##type(x_offset, x4), w_even = w_even_##type(w_offset, w4);   \
            const int32_t x_odd = x_odd_##type(x_offset, x4), w_odd = w_odd_##type(w_offset, w4);       \
            s0 = __smlabb(x_even, w_even, s0);                                                      \
            s1 = __smlabb(x_odd, w_odd, s1);                                                        \
            s2 = __smlatt(x_even, w_even, s2);                                                      \
            s3 = __smlatt(x_odd, w_odd, s3);                                                        \
        }                                                                                           \
        sum[0] = (uint32_t)s0, sum[1] = (uint32_t)s1, sum[2] = (uint32_t)s2, sum[3] = (uint32_t)s3; \
    }
#else
#define NEIGHBOURS(type, byte, zero)                                                                \
    static void add_neighbours_##type(uint32_t sum[TOGETHER], const struct depthwise *d,            \
                                      const uint8_t *x, const uint8_t *w)                           \
    {                                                                                               \
        const int32_t x_zero = d->x_zero, w_zero = (zero);                                          \
        uint32_t      s0 = sum[0], s1 = sum[1], s2 = sum[2], s3 = sum[3];                           \
        FOR_POSITIONS                                                                               \
        {                                                                                           \
            s0 += (uint32_t)(((byte)x[0] - x_zero) * ((byte)w[0] - w_zero));                        \
            s1 += (uint32_t)(((byte)x[1] - x_zero) * ((byte)w[1] - w_zero));                        \
            s2 += (uint32_t)(((byte)x[2] - x_zero) * ((byte)w[2] - w_zero));                        \
            s3 += (uint32_t)(((byte)x[3] - x_zero) * ((byte)w[3] - w_zero));                        \
        }                                                                                           \
        sum[0] = s0, sum[1] = s1, sum[2] = s2, sum[3] = s3;                                         \
    }
#endif

/* Outputs that all read one channel. */
#define SIBLINGS(type, byte, zero)                                                                  \
    static void add_siblings_##type(uint32_t sum[TOGETHER], const struct depthwise *d,              \
                                    const uint8_t *x, const uint8_t *w)                             \
    {                                                                                               \
        const int32_t x_zero = d->x_zero, w_zero = (zero);                                          \
        uint32_t      s0 = sum[0], s1 = sum[1], s2 = sum[2], s3 = sum[3];                           \
        FOR_POSITIONS                                                                               \
        {                                                                                           \
            const int32_t value = (byte)x[0] - x_zero;                                              \
            s0 += (uint32_t)(value * ((byte)w[0] - w_zero));                                        \
            s1 += (uint32_t)(value * ((byte)w[1] - w_zero));                                        \
            s2 += (uint32_t)(value * ((byte)w[2] - w_zero));                                        \
            s3 += (uint32_t)(value * ((byte)w[3] - w_zero));                                        \
        }                                                                                           \
        sum[0] = s0, sum[1] = s1, sum[2] = s2, sum[3] = s3;                                         \
    }

NEIGHBOURS(I8, int8_t, 0)
NEIGHBOURS(U8, uint8_t, d->w_zero)
SIBLINGS(I8, int8_t, 0)
SIBLINGS(U8, uint8_t, d->w_zero)

/* What is left over: one output. */
static void add_one(uint32_t *sum, const struct depthwise *d, const uint8_t *x, const uint8_t *w)
{
    FOR_POSITIONS
    *sum += (uint32_t)((as_integer(*x, d->type) - d->x_zero) * (as_integer(*w, d->type) - d->w_zero));
}

/* All outputs of a position; x and w are at the first value of the window. */
static void convolve_window(const struct depthwise *d, const uint8_t *x, const uint8_t *w, uint8_t *y)
{
    const size_t outputs = d->window.out[2], multiplier = outputs / d->window.in[2];
    const size_t alike = multiplier == 1 ? outputs : multiplier; /* all neighbours, or all siblings */
    const bool   is_signed = is_int8(d->type);
    add_window *const neighbours = is_signed ? add_neighbours_I8 : add_neighbours_U8;
    add_window *const together = multiplier == 1 ? neighbours : is_signed ? add_siblings_I8 : add_siblings_U8;
    uint32_t sum[OUTPUTS];
    for (size_t first = 0, count; first < outputs; first += count) {
        const size_t left = alike - first % alike;
        count = left < OUTPUTS ? left : OUTPUTS;
        SHOAL_NAME(begin_sums)(sum, &d->rescaling, first, count);
        for (size_t k = 0, step; k < count; k += step) {
            const uint8_t *at = x + (multiplier == 1 ? first + k : first / multiplier);
            step = count - k < TOGETHER ? 1 : TOGETHER;
            (step == 1 ? add_one : together)(sum + k, d, at, w + first + k);
        }
        SHOAL_NAME(rescale)(y + first, sum, &d->rescaling, first, count);
    }
}

static void convolve(struct depthwise *d, const uint8_t *x, uint8_t *y)
{
    const struct window *v = &d->window;
    for (size_t row = 0; row < v->out[0]; row++) {
        size_t ky, ky_end;
        kernel_range(v, 0, row, &ky, &ky_end);
        d->rows = ky_end - ky;
        for (size_t column = 0; column < v->out[1]; column++, y += v->out[2]) {
            size_t kx, kx_end;
            kernel_range(v, 1, column, &kx, &kx_end);
            d->columns = kx_end - kx;
            d->x_skip = (v->in[1] - d->columns) * v->in[2];
            d->w_skip = (v->kernel[1] - d->columns) * v->out[2];
            convolve_window(d, x + (under(v, 0, row, ky) * v->in[1] + under(v, 1, column, kx)) * v->in[2],
                            d->w + (ky * v->kernel[1] + kx) * v->out[2], y);
        }
    }
}

void SHOAL_NAME(quantized_depthwise_conv2d)(struct shoal *net, const struct operation *op)
{
    const struct tensor x = tensor_at(net, op->in), y = tensor_at(net, op->out);
    const struct tensor w = tensor_at(net, op->weights);
    struct depthwise    d = {window_of(op, &x, &y), SHOAL_NAME(rescaling_of)(net, op), integers_of(net, &w),
                             zero_point_of(&x), zero_point_of(&w), x.type, 0, 0, 0, 0};
    for (size_t l = 0; l < SHOAL_WIDTH; l++) convolve(&d, bytes_of(net, &x, l), bytes_of(net, &y, l));
}
