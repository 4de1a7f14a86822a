/* Learning on integers: forward is int8, gradients are float, weights stay int8 and biases int32.
 *
 * The gradient of a weight in real terms is divided by the weight's own scale (quantization-aware scaling:
 * Lin et al., On-device training under 256KB memory, 2022, equation 5), which is the step of plain descent
 * on the real weight, measured in units of its grid. What the grid cannot hold is rounded up or down at random,
 * in proportion, so that small steps count in the mean. The random numbers follow from the step and the
 * parameter alone: the same bits everywhere. */
#include "network.h"
#include "window.h"

#if SHOAL_WIDTH == 1

#define BLOCK 8 /* gradients of neighbouring weights that are summed side by side */

struct weighted {
    struct window  window;
    const int8_t  *x;
    const float   *dy, *scales; /* scales: of the weights of each output channel */
    float         *dx;          /* NULL: no earlier layer learns */
    int8_t        *w;
    size_t         area;
    int32_t        zero;        /* zero point of x */
    float          scale;       /* of x */
};

static struct weighted describe(const struct shoal *net, const struct operation *op)
{
    const struct tensor x = tensor_at(net, op->in), dy = tensor_at(net, op->in2);
    const struct tensor w = tensor_at(net, op->weights), scales = tensor_at(net, op->aux);
    struct weighted     d;
    d.window = window_of(op, &x, &dy);
    d.x = (const int8_t *)bytes_of(net, &x, 0);
    d.dy = values_of(net, &dy);
    d.scales = constants_of(net, &scales);
    d.dx = NULL;
    /* Constants are read only: what is written passed updates(). */
    d.w = w.space == STATE ? (int8_t *)bytes_of(net, &w, 0) : (int8_t *)(uintptr_t)constants_of(net, &w);
    d.area = d.window.kernel[0] * d.window.kernel[1];
    d.zero = zero_point_of(&x);
    d.scale = op->value[0];
    if (op->out != NONE) {
        const struct tensor dx = tensor_at(net, op->out);
        d.dx = values_of(net, &dx);
        memset(d.dx, 0, sizeof(float) * tensor_size(&dx));
    }
    return d;
}

/* Dense is a convolution over one position. */
static struct weighted describe_dense(const struct shoal *net, const struct operation *op)
{
    struct weighted d = describe(net, op);
    const size_t    inputs = d.window.in[0] * d.window.in[1] * d.window.in[2];
    for (size_t i = 0; i < 2; i++) {
        d.window.in[i] = d.window.kernel[i] = d.window.stride[i] = 1;
        d.window.padding[i] = 0;
    }
    d.window.in[2] = inputs;
    d.area = 1;
    return d;
}

/* --- Steps on a grid ------------------------------------------------------------------------- */

/* A number in [0, 1), of 24 bits, from the step and the parameter. */
static float chance(uint32_t step, uint32_t parameter)
{
    uint32_t h = step * 0x9E3779B9u ^ parameter;
    h = (h ^ h >> 16) * 0x85EBCA6Bu;
    h = (h ^ h >> 13) * 0xC2B2AE35u;
    return (float)((h ^ h >> 16) >> 8) * (1.0f / 16777216.0f);
}

static int32_t floor_of(float value) /* |value| < 2^31 */
{
    const int32_t whole = (int32_t)value;
    return (float)whole > value ? whole - 1 : whole;
}

static int8_t stepped(int8_t w, float step, float random)
{
    const float moved = (float)w - step + random;
    if (moved >= 127.0f) return 127;
    if (moved >= -128.0f) return (int8_t)floor_of(moved);
    return moved < -128.0f ? -128 : w; /* not a number: no step */
}

/* A bias has a fine grid: the nearest integer will do. */
static int32_t stepped_bias(int32_t b, float step)
{
    const float limit = 1073741824.0f;
    const float moved = (float)b - step;
    if (!(moved > -limit && moved < limit) || !(step > -limit && step < limit)) return b;
    return b - floor_of(step + 0.5f);
}

static void learn_bias(struct shoal *net, const struct operation *op, const struct weighted *d)
{
    const size_t        channels = d->window.out[2], positions = d->window.out[0] * d->window.out[1];
    const struct tensor t = tensor_at(net, op->bias);
    int32_t            *bias = (int32_t *)(void *)values_of(net, &t);
    for (size_t r = 0; r < runs_of(op); r++) {
        const struct channels run = run_at(net, op, r, channels);
        for (size_t o = run.first; o < run.end; o++) {
            float g = 0.0f;
            for (size_t p = 0; p < positions; p++) g += d->dy[p * channels + o];
            bias[o] = stepped_bias(bias[o], net->optimizer.rate * g / (d->scale * d->scales[o]));
        }
    }
}

/* --- Dense and Conv2D: weights (outputs, area, inputs) ------------------------------------------ */

static void send_back(const struct weighted *d)
{
    const struct window *v = &d->window;
    const float         *dy = d->dy;
    for (size_t row = 0; row < v->out[0]; row++)
        for (size_t column = 0; column < v->out[1]; column++, dy += v->out[2]) {
            size_t first[2], end[2];
            kernel_range(v, 0, row, &first[0], &end[0]);
            kernel_range(v, 1, column, &first[1], &end[1]);
            for (size_t o = 0; o < v->out[2]; o++) {
                const float   g = dy[o] * d->scales[o];
                const int8_t *w = d->w + o * d->area * v->in[2];
                if (g == 0.0f) continue;
                for (size_t ky = first[0]; ky < end[0]; ky++)
                    for (size_t kx = first[1]; kx < end[1]; kx++) {
                        const size_t  y = under(v, 0, row, ky), x = under(v, 1, column, kx);
                        float        *dx = d->dx + (y * v->in[1] + x) * v->in[2];
                        const int8_t *at = w + (ky * v->kernel[1] + kx) * v->in[2];
                        for (size_t i = 0; i < v->in[2]; i++) dx[i] += g * (float)at[i];
                    }
            }
        }
}

/* The gradients of `n` neighbouring inputs' weights, divided by the scale of x. */
static void sum_gradients(const struct weighted *d, size_t o, size_t ky, size_t kx, size_t i, size_t n, float *g)
{
    const struct window *v = &d->window;
    size_t               first[2], end[2];
    position_range(v, 0, ky, &first[0], &end[0]);
    position_range(v, 1, kx, &first[1], &end[1]);
    for (size_t k = 0; k < BLOCK; k++) g[k] = 0.0f;
    for (size_t row = first[0]; row < end[0]; row++)
        for (size_t column = first[1]; column < end[1]; column++) {
            const float   dy = d->dy[(row * v->out[1] + column) * v->out[2] + o];
            const int8_t *x = d->x + (under(v, 0, row, ky) * v->in[1] + under(v, 1, column, kx)) * v->in[2] + i;
            if (dy == 0.0f) continue;
            for (size_t k = 0; k < n; k++) g[k] += (float)(x[k] - d->zero) * dy;
        }
}

static void learn_weights(struct shoal *net, const struct operation *op, const struct weighted *d)
{
    const struct window *v = &d->window;
    for (size_t r = 0; r < runs_of(op); r++) {
        const struct channels run = run_at(net, op, r, v->out[2]);
        for (size_t o = run.first; o < run.end; o++) {
            const float rate = net->optimizer.rate * d->scale / d->scales[o];
            for (size_t k = 0; k < d->area; k++)
                for (size_t i = 0; i < v->in[2]; i += BLOCK) {
                    const size_t n = v->in[2] - i < BLOCK ? v->in[2] - i : BLOCK;
                    const size_t at = (o * d->area + k) * v->in[2] + i;
                    float        g[BLOCK];
                    sum_gradients(d, o, k / v->kernel[1], k % v->kernel[1], i, n, g);
                    for (size_t j = 0; j < n; j++)
                        d->w[at + j] = stepped(d->w[at + j], rate * g[j], chance(net->steps, (uint32_t)(at + j)));
                }
        }
    }
}

static void go_back(struct shoal *net, const struct operation *op, const struct weighted *d)
{
    if (d->dx) send_back(d);
    if (updates(net, op, UPDATE_WEIGHTS)) learn_weights(net, op, d);
    if (updates(net, op, UPDATE_BIAS)) learn_bias(net, op, d);
}

void shoal_quantized_dense_backward(struct shoal *net, const struct operation *op)
{
    const struct weighted d = describe_dense(net, op);
    go_back(net, op, &d);
}

void shoal_quantized_conv2d_backward(struct shoal *net, const struct operation *op)
{
    const struct weighted d = describe(net, op);
    go_back(net, op, &d);
}

/* --- DepthwiseConv2D: weights (area, outputs) ---------------------------------------------------- */

static void send_back_depthwise(const struct weighted *d)
{
    const struct window *v = &d->window;
    const size_t         multiplier = v->out[2] / v->in[2];
    const float         *dy = d->dy;
    for (size_t row = 0; row < v->out[0]; row++)
        for (size_t column = 0; column < v->out[1]; column++, dy += v->out[2]) {
            size_t first[2], end[2];
            kernel_range(v, 0, row, &first[0], &end[0]);
            kernel_range(v, 1, column, &first[1], &end[1]);
            for (size_t ky = first[0]; ky < end[0]; ky++)
                for (size_t kx = first[1]; kx < end[1]; kx++) {
                    const size_t  y = under(v, 0, row, ky), x = under(v, 1, column, kx);
                    float        *dx = d->dx + (y * v->in[1] + x) * v->in[2];
                    const int8_t *w = d->w + (ky * v->kernel[1] + kx) * v->out[2];
                    for (size_t o = 0; o < v->out[2]; o++)
                        dx[o / multiplier] += dy[o] * d->scales[o] * (float)w[o];
                }
        }
}

static void learn_depthwise(struct shoal *net, const struct operation *op, const struct weighted *d)
{
    const struct window *v = &d->window;
    const size_t         multiplier = v->out[2] / v->in[2];
    for (size_t r = 0; r < runs_of(op); r++) {
        const struct channels run = run_at(net, op, r, v->out[2]);
        for (size_t o = run.first; o < run.end; o++) {
            const float rate = net->optimizer.rate * d->scale / d->scales[o];
            for (size_t k = 0; k < d->area; k++) {
                const size_t at = k * v->out[2] + o;
                float        g[BLOCK];
                sum_gradients(d, o, k / v->kernel[1], k % v->kernel[1], o / multiplier, 1, g);
                d->w[at] = stepped(d->w[at], rate * g[0], chance(net->steps, (uint32_t)at));
            }
        }
    }
}

void shoal_quantized_depthwise_conv2d_backward(struct shoal *net, const struct operation *op)
{
    const struct weighted d = describe(net, op);
    if (d.dx) send_back_depthwise(&d);
    if (updates(net, op, UPDATE_WEIGHTS)) learn_depthwise(net, op, &d);
    if (updates(net, op, UPDATE_BIAS)) learn_bias(net, op, &d);
}

/* --- Without weights ----------------------------------------------------------------------------- */

void shoal_quantized_average_pool2d_backward(struct shoal *net, const struct operation *op)
{
    const struct tensor in = tensor_at(net, op->out), gradient = tensor_at(net, op->in2);
    const struct window v = window_of(op, &in, &gradient);
    const float        *dy = values_of(net, &gradient);
    float              *dx = values_of(net, &in);
    memset(dx, 0, sizeof(float) * tensor_size(&in));
    for (size_t row = 0; row < v.out[0]; row++)
        for (size_t column = 0; column < v.out[1]; column++, dy += v.out[2]) {
            size_t first[2], end[2];
            kernel_range(&v, 0, row, &first[0], &end[0]);
            kernel_range(&v, 1, column, &first[1], &end[1]);
            const float share = 1.0f / (float)((end[0] - first[0]) * (end[1] - first[1]));
            for (size_t ky = first[0]; ky < end[0]; ky++)
                for (size_t kx = first[1]; kx < end[1]; kx++) {
                    float *at = dx + (under(&v, 0, row, ky) * v.in[1] + under(&v, 1, column, kx)) * v.in[2];
                    for (size_t i = 0; i < v.in[2]; i++) at[i] += share * dy[i];
                }
        }
}

/* Of equal values the first position receives the gradient. */
void shoal_quantized_max_pool2d_backward(struct shoal *net, const struct operation *op)
{
    const struct tensor in = tensor_at(net, op->in), out = tensor_at(net, op->aux);
    const struct tensor gradient = tensor_at(net, op->in2), to = tensor_at(net, op->out);
    const struct window v = window_of(op, &in, &gradient);
    const uint8_t      *x = bytes_of(net, &in, 0), *y = bytes_of(net, &out, 0);
    const float        *dy = values_of(net, &gradient);
    float              *dx = values_of(net, &to);
    memset(dx, 0, sizeof(float) * tensor_size(&in));
    for (size_t row = 0; row < v.out[0]; row++)
        for (size_t column = 0; column < v.out[1]; column++) {
            size_t first[2], end[2];
            kernel_range(&v, 0, row, &first[0], &end[0]);
            kernel_range(&v, 1, column, &first[1], &end[1]);
            for (size_t i = 0; i < v.out[2]; i++, y++, dy++) {
                bool found = false;
                for (size_t ky = first[0]; ky < end[0] && !found; ky++)
                    for (size_t kx = first[1]; kx < end[1] && !found; kx++) {
                        const size_t at = (under(&v, 0, row, ky) * v.in[1] + under(&v, 1, column, kx)) * v.in[2] + i;
                        found = x[at] == *y;
                        if (found) dx[at] += *dy;
                    }
            }
        }
}

/* No gradient passes where the answer was clamped. */
void shoal_quantized_clamp_backward(struct shoal *net, const struct operation *op)
{
    const struct tensor y = tensor_at(net, op->in), gradient = tensor_at(net, op->in2);
    const struct tensor out = tensor_at(net, op->out), aux = tensor_at(net, op->aux);
    const uint8_t      *at = bytes_of(net, &y, 0);
    const float        *dy = values_of(net, &gradient);
    const int32_t      *limits = constants_of(net, &aux);
    float              *dx = values_of(net, &out);
    for (size_t i = 0; i < tensor_size(&y); i++) {
        const int32_t code = as_integer(at[i], y.type);
        dx[i] = code > limits[0] && code < limits[1] ? dy[i] : 0.0f;
    }
}

#else
typedef int quantized_backward_is_for_devices; /* a translation unit must not be empty */
#endif
