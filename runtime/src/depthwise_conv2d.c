/* DepthwiseConv2D: weights (kernel row, kernel column, output channel); each input channel
 * has `multiplier` output channels of its own. */
#include "network.h"
#include "window.h"

struct depthwise {
    struct window s;
    const real   *x, *dy;
    real         *y, *dx;
    const void   *w, *b;
    bool          w_shared, b_shared;
    size_t        multiplier;
};

SHOAL_INLINE void outputs(const struct depthwise *d, bool shared, size_t oy, size_t ox)
{
    const struct window *s = &d->s;
    const size_t         channels = s->out[2], m = d->multiplier;
    size_t               ky0, ky1, kx0, kx1;
    real                *y = d->y + (oy * s->out[1] + ox) * channels;
    kernel_range(s, 0, oy, &ky0, &ky1);
    kernel_range(s, 1, ox, &kx0, &kx1);
    for (size_t o = 0; o < channels; o++)
        y[o] = d->b ? parameter(d->b, d->b_shared, o) : splat(0.0f);
    for (size_t ky = ky0; ky < ky1; ky++)
        for (size_t kx = kx0; kx < kx1; kx++) {
            const real  *x = d->x + (under(s, 0, oy, ky) * s->in[1] + under(s, 1, ox, kx)) * s->in[2];
            const size_t w = (ky * s->kernel[1] + kx) * channels;
            if (m == 1)
                for (size_t o = 0; o < channels; o++) y[o] += x[o] * parameter(d->w, shared, w + o);
            else
                for (size_t o = 0; o < channels; o++)
                    y[o] += x[o / m] * parameter(d->w, shared, w + o);
        }
}

/* Adds to dx what kernel position (ky, kx) contributes from all output positions. */
SHOAL_INLINE void input_gradients(const struct depthwise *d, bool shared, size_t ky, size_t kx)
{
    const struct window *s = &d->s;
    const size_t         channels = s->out[2], m = d->multiplier;
    const size_t         w = (ky * s->kernel[1] + kx) * channels;
    size_t               row, row_end, column, column_end;
    position_range(s, 0, ky, &row, &row_end);
    position_range(s, 1, kx, &column, &column_end);
    for (size_t oy = row; oy < row_end; oy++)
        for (size_t ox = column; ox < column_end; ox++) {
            const real *dy = d->dy + (oy * s->out[1] + ox) * channels;
            real *dx = d->dx + (under(s, 0, oy, ky) * s->in[1] + under(s, 1, ox, kx)) * s->in[2];
            if (m == 1)
                for (size_t o = 0; o < channels; o++) dx[o] += dy[o] * parameter(d->w, shared, w + o);
            else
                for (size_t o = 0; o < channels; o++)
                    dx[o / m] += dy[o] * parameter(d->w, shared, w + o);
        }
}

#define TILE 8 /* gradients side by side */

static void weight_gradients(struct shoal *net, const struct depthwise *d, real *w, size_t ky, size_t kx,
                             struct channels run)
{
    const struct window *s = &d->s;
    const size_t         channels = s->out[2];
    size_t               row, row_end, column, column_end;
    position_range(s, 0, ky, &row, &row_end);
    position_range(s, 1, kx, &column, &column_end);
    for (size_t o = run.first; o < run.end; o += TILE) {
        const size_t n = run.end - o < TILE ? run.end - o : TILE;
        real         sum[TILE];
        for (size_t k = 0; k < n; k++) sum[k] = splat(0.0f);
        for (size_t oy = row; oy < row_end; oy++)
            for (size_t ox = column; ox < column_end; ox++) {
                const real *dy = d->dy + (oy * s->out[1] + ox) * channels + o;
                const real *x = d->x + (under(s, 0, oy, ky) * s->in[1] + under(s, 1, ox, kx)) * s->in[2];
                for (size_t k = 0; k < n; k++) sum[k] += x[(o + k) / d->multiplier] * dy[k];
            }
        update_parameters(net, w + (ky * s->kernel[1] + kx) * channels + o, sum, n);
    }
}

static struct depthwise describe(const struct shoal *net, const struct operation *op, uint16_t output)
{
    const struct tensor     in = tensor_at(net, op->in), out = tensor_at(net, output);
    const struct parameters weights = parameters_of(net, op->weights);
    const struct parameters bias = parameters_of(net, op->bias);
    struct depthwise        d = {0};
    d.s = window_of(op, &in, &out);
    d.x = values_of(net, &in);
    d.w = weights.at, d.w_shared = weights.shared;
    d.b = bias.at, d.b_shared = bias.shared;
    d.multiplier = d.s.out[2] / d.s.in[2];
    return d;
}

void SHOAL_NAME(depthwise_conv2d_forward)(struct shoal *net, const struct operation *op)
{
    const struct tensor out = tensor_at(net, op->out);
    struct depthwise    d = describe(net, op, op->out);
    d.y = values_of(net, &out);
    for (size_t oy = 0; oy < d.s.out[0]; oy++)
        for (size_t ox = 0; ox < d.s.out[1]; ox++) {
            if (SHOAL_WIDTH > 1 && d.w_shared) outputs(&d, true, oy, ox);
            else outputs(&d, false, oy, ox);
        }
}

void SHOAL_NAME(depthwise_conv2d_backward)(struct shoal *net, const struct operation *op)
{
    const struct tensor gradient = tensor_at(net, op->in2);
    struct depthwise    d = describe(net, op, op->in2);
    const size_t        channels = d.s.out[2], positions = d.s.out[0] * d.s.out[1];
    d.dy = values_of(net, &gradient);
    if (op->out != NONE) {
        const struct tensor dx = tensor_at(net, op->out);
        d.dx = values_of(net, &dx);
        memset(d.dx, 0, sizeof(real) * tensor_size(&dx));
    }
    for (size_t ky = 0; ky < d.s.kernel[0]; ky++)
        for (size_t kx = 0; kx < d.s.kernel[1]; kx++) {
            if (d.dx != NULL) {
                if (SHOAL_WIDTH > 1 && d.w_shared) input_gradients(&d, true, ky, kx);
                else input_gradients(&d, false, ky, kx);
            }
            if (!updates(net, op, UPDATE_WEIGHTS)) continue;
            const struct tensor w = tensor_at(net, op->weights);
            for (size_t r = 0; r < runs_of(op); r++)
                weight_gradients(net, &d, values_of(net, &w), ky, kx, run_at(net, op, r, channels));
        }
    if (updates(net, op, UPDATE_BIAS)) update_bias(net, op, d.dy, positions, channels);
}
