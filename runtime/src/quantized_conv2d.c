/* Dense and Conv2D on integers; weights (outputs, kernel positions, inputs). */
#include "dot.h"
#include "window.h"

struct convolution {
    struct window    window;
    const uint8_t   *w;
    struct rescaling rescaling;
    struct patch     patch; /* of the position at hand */
};

static struct convolution describe(const struct shoal *net, const struct operation *op)
{
    const struct tensor x = tensor_at(net, op->in), y = tensor_at(net, op->out);
    const struct tensor w = tensor_at(net, op->weights);
    struct convolution  c;
    memset(&c, 0, sizeof c);
    c.window = window_of(op, &x, &y);
    c.w = integers_of(net, &w);
    c.rescaling = SHOAL_NAME(rescaling_of)(net, op);
    c.patch.x_zero = zero_point_of(&x);
    c.patch.w_zero = zero_point_of(&w);
    c.patch.type = x.type;
    return c;
}

/* All outputs of a position, or of two; `skipped` weights of each lie before the patch. */
static void convolve_patch(const struct convolution *c, size_t skipped, uint8_t *y)
{
    const size_t outputs = c->window.out[2], size = c->patch.w_step * c->window.kernel[0];
    const size_t positions = c->patch.second != NULL ? 2 : 1;
    uint32_t     sum[POSITIONS * OUTPUTS];
    for (size_t first = 0, count; first < outputs; first += count) {
        count = outputs - first < OUTPUTS ? outputs - first : OUTPUTS;
        for (size_t i = 0; i < positions; i++)
            SHOAL_NAME(begin_sums)(sum + i * OUTPUTS, &c->rescaling, first, count);
        dot(sum, &c->patch, c->w + first * size + skipped, size, count);
        for (size_t i = 0; i < positions; i++)
            SHOAL_NAME(rescale)(y + i * outputs + first, sum + i * OUTPUTS, &c->rescaling, first, count);
    }
}

/* The window of the next column, where two are computed at once and both lie inside the input. */
static const uint8_t *second_window(const struct convolution *c, size_t column, size_t kx, size_t kx_end)
{
    const struct window *v = &c->window;
    size_t               next, next_end;
    if (POSITIONS == 1 || c->patch.type != I8 || column + 1 == v->out[1] || kx > 0) return NULL;
    kernel_range(v, 1, column + 1, &next, &next_end);
    return next_end == kx_end ? c->patch.x + v->stride[1] * v->in[2] : NULL;
}

static void convolve(struct convolution *c, const uint8_t *x, uint8_t *y)
{
    const struct window *v = &c->window;
    struct patch        *p = &c->patch;
    const size_t         channels = v->in[2];
    p->x_step = v->in[1] * channels;
    p->w_step = v->kernel[1] * channels;
    for (size_t row = 0; row < v->out[0]; row++) {
        size_t ky, ky_end;
        kernel_range(v, 0, row, &ky, &ky_end);
        const uint8_t *at = x + under(v, 0, row, ky) * p->x_step;
        for (size_t column = 0; column < v->out[1]; column++, y += v->out[2]) {
            size_t kx, kx_end;
            kernel_range(v, 1, column, &kx, &kx_end);
            p->x = at + under(v, 1, column, kx) * channels;
            p->n = (kx_end - kx) * channels;
            p->rows = ky_end - ky;
            p->second = second_window(c, column, kx, kx_end);
            if (p->n == p->x_step && p->n == p->w_step) p->n *= p->rows, p->rows = 1; /* in one piece */
            convolve_patch(c, ky * p->w_step + kx * channels, y);
            if (p->second != NULL) column++, y += v->out[2];
        }
    }
}

void SHOAL_NAME(quantized_conv2d)(struct shoal *net, const struct operation *op)
{
    const struct tensor x = tensor_at(net, op->in), y = tensor_at(net, op->out);
    struct convolution  c = describe(net, op);
    for (size_t l = 0; l < SHOAL_WIDTH; l++) convolve(&c, bytes_of(net, &x, l), bytes_of(net, &y, l));
}

/* Dense is a convolution over one position. */
void SHOAL_NAME(quantized_dense)(struct shoal *net, const struct operation *op)
{
    const struct tensor x = tensor_at(net, op->in), y = tensor_at(net, op->out);
    struct convolution  c = describe(net, op);
    c.window.in[2] = tensor_size(&x);
    for (size_t i = 0; i < 2; i++) {
        c.window.in[i] = c.window.kernel[i] = c.window.stride[i] = 1;
        c.window.padding[i] = 0;
    }
    for (size_t l = 0; l < SHOAL_WIDTH; l++) convolve(&c, bytes_of(net, &x, l), bytes_of(net, &y, l));
}
