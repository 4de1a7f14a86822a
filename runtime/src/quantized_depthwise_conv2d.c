/* DepthwiseConv2D on integers; weights (kernel positions, outputs). */
#include "quantized.h"
#include "window.h"

#define CHANNELS 8 /* outputs whose sums lie side by side */

struct depthwise {
    struct window  window;
    const uint8_t *w;
    const int32_t *bias, *limits, *scales;
    size_t         multiplier;
    int32_t        x_zero, w_zero, y_zero;
    uint8_t        type;
};

SHOAL_INLINE void convolve_position(const struct depthwise *d, const uint8_t *x, uint8_t *y, size_t row,
                                    size_t column, size_t o, size_t channels)
{
    const struct window *v = &d->window;
    size_t               first[2], end[2];
    uint32_t             sum[CHANNELS];
    kernel_range(v, 0, row, &first[0], &end[0]);
    kernel_range(v, 1, column, &first[1], &end[1]);
    for (size_t k = 0; k < channels; k++) sum[k] = d->bias ? (uint32_t)d->bias[o + k] : 0;
    for (size_t ky = first[0]; ky < end[0]; ky++)
        for (size_t kx = first[1]; kx < end[1]; kx++) {
            const size_t   at = under(v, 0, row, ky) * v->in[1] + under(v, 1, column, kx);
            const uint8_t *a = x + at * v->in[2], *b = d->w + (ky * v->kernel[1] + kx) * v->out[2] + o;
            if (d->multiplier == 1)
                for (size_t k = 0; k < channels; k++)
                    sum[k] += (uint32_t)((as_integer(a[o + k], d->type) - d->x_zero) *
                                         (as_integer(b[k], d->type) - d->w_zero));
            else
                for (size_t k = 0; k < channels; k++)
                    sum[k] += (uint32_t)((as_integer(a[(o + k) / d->multiplier], d->type) - d->x_zero) *
                                         (as_integer(b[k], d->type) - d->w_zero));
        }
    for (size_t k = 0; k < channels; k++) {
        const int32_t *scale = d->scales + 2 * (o + k);
        const int32_t  q = scaled((int32_t)sum[k], scale[0], scale[1]) + d->y_zero;
        y[o + k] = (uint8_t)clamped(q, d->limits[0], d->limits[1]);
    }
}

static void convolve(const struct depthwise *d, const uint8_t *x, uint8_t *y)
{
    const struct window *v = &d->window;
    for (size_t row = 0; row < v->out[0]; row++)
        for (size_t column = 0; column < v->out[1]; column++, y += v->out[2]) {
            size_t o = 0;
            for (; o + CHANNELS <= v->out[2]; o += CHANNELS)
                convolve_position(d, x, y, row, column, o, CHANNELS);
            for (; o < v->out[2]; o++) convolve_position(d, x, y, row, column, o, 1);
        }
}

void SHOAL_NAME(quantized_depthwise_conv2d)(struct shoal *net, const struct operation *op)
{
    const struct tensor x = tensor_at(net, op->in), y = tensor_at(net, op->out);
    const struct tensor w = tensor_at(net, op->weights), aux = tensor_at(net, op->aux);
    struct depthwise    d = {window_of(op, &x, &y), integers_of(net, &w), NULL, integers_of(net, &aux), NULL,
                             y.shape[2] / x.shape[2], zero_point_of(&x), zero_point_of(&w), zero_point_of(&y), x.type};
    d.scales = d.limits + 2;
    if (op->bias != NONE) {
        const struct tensor bias = tensor_at(net, op->bias);
        d.bias = integers_of(net, &bias);
    }
    for (size_t l = 0; l < SHOAL_WIDTH; l++) convolve(&d, bytes_of(net, &x, l), bytes_of(net, &y, l));
}
