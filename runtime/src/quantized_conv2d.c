/* Dense and Conv2D on integers; weights (outputs, kernel positions, inputs). */
#include "quantized.h"
#include "window.h"

#define CHANNELS 4 /* outputs that share each input value */

struct convolution {
    struct window  window;
    const uint8_t *w;
    const int32_t *bias, *limits, *scales; /* bias may be NULL; scales: multiplier, shift for each output */
    int32_t        x_zero, w_zero, y_zero;
    uint8_t        type;
    bool           dense;
};

static struct convolution describe(const struct shoal *net, const struct operation *op,
                                   const struct tensor *x, const struct tensor *y)
{
    const struct tensor w = tensor_at(net, op->weights), aux = tensor_at(net, op->aux);
    struct convolution  c;
    c.window = window_of(op, x, y);
    c.w = integers_of(net, &w);
    c.bias = NULL;
    if (op->bias != NONE) {
        const struct tensor bias = tensor_at(net, op->bias);
        c.bias = integers_of(net, &bias);
    }
    c.limits = integers_of(net, &aux);
    c.scales = c.limits + 2;
    c.x_zero = zero_point_of(x);
    c.w_zero = zero_point_of(&w);
    c.y_zero = zero_point_of(y);
    c.type = x->type;
    c.dense = op->code == QUANTIZED + DENSE;
    return c;
}

/* sum[k] += sum over i of (x[i] - x_zero) * (w[k * step + i] - w_zero) */
SHOAL_INLINE void dot(const struct convolution *c, uint32_t *sum, const uint8_t *x, const uint8_t *w, size_t n,
                      size_t step, size_t channels)
{
    if (c->type == I8) {
        const int8_t *a = (const int8_t *)x, *b = (const int8_t *)w;
        for (size_t k = 0; k < channels; k++, b += step)
            for (size_t i = 0; i < n; i++) sum[k] += (uint32_t)((a[i] - c->x_zero) * b[i]);
    } else {
        for (size_t k = 0; k < channels; k++, w += step)
            for (size_t i = 0; i < n; i++)
                sum[k] += (uint32_t)(((int32_t)x[i] - c->x_zero) * ((int32_t)w[i] - c->w_zero));
    }
}

SHOAL_INLINE void convolve_position(const struct convolution *c, const uint8_t *x, uint8_t *y, size_t row,
                                    size_t column, size_t o, size_t channels)
{
    const struct window *v = &c->window;
    const size_t         area = v->kernel[0] * v->kernel[1];
    size_t               first[2], end[2];
    uint32_t             sum[CHANNELS];
    kernel_range(v, 0, row, &first[0], &end[0]);
    kernel_range(v, 1, column, &first[1], &end[1]);
    for (size_t k = 0; k < channels; k++) sum[k] = c->bias ? (uint32_t)c->bias[o + k] : 0;
    /* A kernel row lies in one piece, in the input and in the weights. */
    for (size_t ky = first[0]; ky < end[0]; ky++)
        dot(c, sum, x + (under(v, 0, row, ky) * v->in[1] + under(v, 1, column, first[1])) * v->in[2],
            c->w + (o * area + ky * v->kernel[1] + first[1]) * v->in[2], (end[1] - first[1]) * v->in[2],
            area * v->in[2], channels);
    for (size_t k = 0; k < channels; k++) {
        const int32_t *scale = c->scales + 2 * (o + k);
        const int32_t  q = c->dense ? scaled_once((int32_t)sum[k], scale[0], scale[1])
                                    : scaled((int32_t)sum[k], scale[0], scale[1]);
        y[o + k] = (uint8_t)clamped(q + c->y_zero, c->limits[0], c->limits[1]);
    }
}

static void convolve(const struct convolution *c, const uint8_t *x, uint8_t *y)
{
    const struct window *v = &c->window;
    for (size_t row = 0; row < v->out[0]; row++)
        for (size_t column = 0; column < v->out[1]; column++, y += v->out[2]) {
            size_t o = 0;
            for (; o + CHANNELS <= v->out[2]; o += CHANNELS)
                convolve_position(c, x, y, row, column, o, CHANNELS);
            for (; o < v->out[2]; o++) convolve_position(c, x, y, row, column, o, 1);
        }
}

void SHOAL_NAME(quantized_conv2d)(struct shoal *net, const struct operation *op)
{
    const struct tensor      x = tensor_at(net, op->in), y = tensor_at(net, op->out);
    const struct convolution c = describe(net, op, &x, &y);
    for (size_t l = 0; l < SHOAL_WIDTH; l++) convolve(&c, bytes_of(net, &x, l), bytes_of(net, &y, l));
}

/* Dense is a convolution over one position. */
void SHOAL_NAME(quantized_dense)(struct shoal *net, const struct operation *op)
{
    const struct tensor x = tensor_at(net, op->in), y = tensor_at(net, op->out);
    struct convolution  c = describe(net, op, &x, &y);
    for (size_t i = 0; i < 2; i++) {
        c.window.in[i] = c.window.kernel[i] = c.window.stride[i] = 1;
        c.window.padding[i] = 0;
    }
    c.window.in[2] = tensor_size(&x);
    for (size_t l = 0; l < SHOAL_WIDTH; l++) convolve(&c, bytes_of(net, &x, l), bytes_of(net, &y, l));
}
