/* DepthwiseConv2D: weights (kernel row, kernel column, output channel); each input channel
 * has `multiplier` output channels of its own. */
#include "network.h"
#include "product.h"
#include "tile.h"
#include "window.h"

struct depthwise {
    struct window s;
    const real   *x, *dy;
    real         *y, *dx;
    const void   *w, *b;
    bool          w_shared, b_shared;
    size_t        multiplier;
};

SHOAL_INLINE size_t input_at(const struct window *s, size_t oy, size_t ox, size_t ky, size_t kx)
{
    return (under(s, 0, oy, ky) * s->in[1] + under(s, 1, ox, kx)) * s->in[2];
}

SHOAL_INLINE size_t output_at(const struct window *s, size_t oy, size_t ox)
{
    return (oy * s->out[1] + ox) * s->out[2];
}

SHOAL_INLINE size_t weight_at(const struct window *s, size_t ky, size_t kx)
{
    return (ky * s->kernel[1] + kx) * s->out[2];
}

#if SCALAR

static void outputs(const struct depthwise *d, bool shared, size_t oy, size_t ox)
{
    const struct window *s = &d->s;
    const size_t         in = s->in[2], out = s->out[2], m = d->multiplier;
    const real          *from = d->b;
    real                *y = d->y + output_at(s, oy, ox);
    size_t               ky, ky1, kx, kx1;
    (void)shared;
    kernel_range(s, 0, oy, &ky, &ky1);
    kernel_range(s, 1, ox, &kx, &kx1);
    for (; ky < ky1; ky++, from = y) {
        const real *x = d->x + input_at(s, oy, ox, ky, kx);
        const real *w = (const real *)d->w + weight_at(s, ky, kx);
        if (m == 1) shoal_multiply_each(y, from, out, x, (ptrdiff_t)in, kx1 - kx, w, out);
        else
            for (size_t i = 0; i < in; i++)
                shoal_multiply(y + i * m, from ? from + i * m : NULL, m, x + i, in, kx1 - kx, w + i * m, out);
    }
}

/* The kernel positions first, first + stride, ... below end through which an input meets outputs. */
static void input_range(const struct window *w, size_t axis, size_t position, size_t *first, size_t *end)
{
    const size_t reach = position + w->padding[axis], stride = w->stride[axis];
    const size_t last = (w->out[axis] - 1) * stride; /* where the last window starts */
    *first = reach > last ? reach - last : reach % stride;
    *end = w->kernel[axis] < reach + 1 ? w->kernel[axis] : reach + 1;
}

/* Adds to dx what one input receives from all windows that it lies in. */
static void input_gradients_at(const struct depthwise *d, size_t iy, size_t ix)
{
    const struct window *s = &d->s;
    const size_t         in = s->in[2], out = s->out[2], m = d->multiplier, stride = s->stride[1];
    real                *dx = d->dx + (iy * s->in[1] + ix) * in;
    size_t               ky, ky1, kx0, kx1;
    input_range(s, 0, iy, &ky, &ky1);
    input_range(s, 1, ix, &kx0, &kx1);
    for (; ky < ky1 && kx0 < kx1; ky += s->stride[0]) {
        const size_t oy = (iy + s->padding[0] - ky) / s->stride[0];
        const real  *dy = d->dy + output_at(s, oy, (ix + s->padding[1] - kx0) / stride);
        const real  *w = (const real *)d->w + weight_at(s, ky, kx0);
        if (m == 1)
            shoal_multiply_each(dx, dx, in, dy, -(ptrdiff_t)out, (kx1 - kx0 + stride - 1) / stride, w,
                                stride * out);
        else
            for (size_t kx = kx0; kx < kx1; kx += stride, dy -= out, w += stride * out)
                for (size_t i = 0; i < in; i++)
                    shoal_multiply_turned(dx + i, dx + i, 1, dy + i * m, m, w + i * m, 0);
    }
}

static void input_gradients(const struct depthwise *d, bool shared)
{
    (void)shared;
    for (size_t iy = 0; iy < d->s.in[0]; iy++)
        for (size_t ix = 0; ix < d->s.in[1]; ix++) input_gradients_at(d, iy, ix);
}

/* Adds to `sum` the products of one row of outputs, channels [o, o + n). */
static void add_products(const struct depthwise *d, real *sum, size_t o, size_t n, size_t oy,
                         size_t column, size_t columns, size_t ky, size_t kx)
{
    const struct window *s = &d->s;
    const size_t         step = s->stride[1] * s->in[2], m = d->multiplier;
    const real          *x = d->x + input_at(s, oy, column, ky, kx);
    const real          *dy = d->dy + output_at(s, oy, column) + o;
    if (m == 1) shoal_multiply_each(sum, sum, n, x + o, (ptrdiff_t)step, columns, dy, s->out[2]);
    else
        for (size_t k = 0; k < n; k++)
            shoal_multiply(sum + k, sum + k, 1, x + (o + k) / m, step, columns, dy + k, s->out[2]);
}

#else

SHOAL_INLINE void outputs(const struct depthwise *d, bool shared, size_t oy, size_t ox)
{
    const struct window *s = &d->s;
    const size_t         channels = s->out[2], m = d->multiplier;
    size_t               ky0, ky1, kx0, kx1;
    real                *y = d->y + output_at(s, oy, ox);
    kernel_range(s, 0, oy, &ky0, &ky1);
    kernel_range(s, 1, ox, &kx0, &kx1);
    for (size_t o = 0; o < channels; o++)
        y[o] = d->b ? parameter(d->b, d->b_shared, o) : splat(0.0f);
    for (size_t ky = ky0; ky < ky1; ky++)
        for (size_t kx = kx0; kx < kx1; kx++) {
            const real  *x = d->x + input_at(s, oy, ox, ky, kx);
            const size_t w = weight_at(s, ky, kx);
            if (m == 1)
                for (size_t o = 0; o < channels; o++) y[o] += x[o] * parameter(d->w, shared, w + o);
            else
                for (size_t o = 0; o < channels; o++)
                    y[o] += x[o / m] * parameter(d->w, shared, w + o);
        }
}

/* Adds to dx what kernel position (ky, kx) contributes from all output positions. */
SHOAL_INLINE void input_gradients_of(const struct depthwise *d, bool shared, size_t ky, size_t kx)
{
    const struct window *s = &d->s;
    const size_t         channels = s->out[2], m = d->multiplier, w = weight_at(s, ky, kx);
    size_t               row, row_end, column, column_end;
    position_range(s, 0, ky, &row, &row_end);
    position_range(s, 1, kx, &column, &column_end);
    for (size_t oy = row; oy < row_end; oy++)
        for (size_t ox = column; ox < column_end; ox++) {
            const real *dy = d->dy + output_at(s, oy, ox);
            real       *dx = d->dx + input_at(s, oy, ox, ky, kx);
            if (m == 1)
                for (size_t o = 0; o < channels; o++) dx[o] += dy[o] * parameter(d->w, shared, w + o);
            else
                for (size_t o = 0; o < channels; o++)
                    dx[o / m] += dy[o] * parameter(d->w, shared, w + o);
        }
}

SHOAL_INLINE void input_gradients(const struct depthwise *d, bool shared)
{
    for (size_t ky = 0; ky < d->s.kernel[0]; ky++)
        for (size_t kx = 0; kx < d->s.kernel[1]; kx++) input_gradients_of(d, shared, ky, kx);
}

/* Adds to `sum` the products of one row of outputs, channels [o, o + n). */
SHOAL_INLINE void add_products(const struct depthwise *d, real *sum, size_t o, size_t n, size_t oy,
                               size_t column, size_t columns, size_t ky, size_t kx)
{
    for (size_t ox = column; ox < column + columns; ox++) {
        const real *dy = d->dy + output_at(&d->s, oy, ox) + o;
        const real *x = d->x + input_at(&d->s, oy, ox, ky, kx);
        for (size_t k = 0; k < n; k++) sum[k] += x[(o + k) / d->multiplier] * dy[k];
    }
}

#endif

static void weight_gradients(struct shoal *net, const struct depthwise *d, real *w, size_t ky, size_t kx,
                             struct channels run)
{
    const struct window *s = &d->s;
    size_t               row, row_end, column, column_end;
    position_range(s, 0, ky, &row, &row_end);
    position_range(s, 1, kx, &column, &column_end);
    for (size_t o = run.first; o < run.end; o += TILE_ROW) {
        const size_t n = run.end - o < TILE_ROW ? run.end - o : TILE_ROW;
        real         sum[TILE_ROW];
        for (size_t k = 0; k < n; k++) sum[k] = splat(0.0f);
        for (size_t oy = row; oy < row_end && column < column_end; oy++)
            add_products(d, sum, o, n, oy, column, column_end - column, ky, kx);
        update_parameters(net, w + weight_at(s, ky, kx) + o, sum, n);
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
    d.dy = values_of(net, &gradient);
    if (op->out != NONE) {
        const struct tensor dx = tensor_at(net, op->out);
        d.dx = values_of(net, &dx);
        memset(d.dx, 0, sizeof(real) * tensor_size(&dx));
        if (SHOAL_WIDTH > 1 && d.w_shared) input_gradients(&d, true);
        else input_gradients(&d, false);
    }
    if (updates(net, op, UPDATE_WEIGHTS)) {
        const struct tensor w = tensor_at(net, op->weights);
        for (size_t ky = 0; ky < d.s.kernel[0]; ky++)
            for (size_t kx = 0; kx < d.s.kernel[1]; kx++)
                for (size_t r = 0; r < runs_of(op); r++)
                    weight_gradients(net, &d, values_of(net, &w), ky, kx, run_at(net, op, r, d.s.out[2]));
    }
    if (updates(net, op, UPDATE_BIAS)) update_bias(net, op, d.dy, d.s.out[0] * d.s.out[1], d.s.out[2]);
}
