/* MaxPool2D and AveragePool2D; positions in the padding do not count. */
#include "network.h"
#include "window.h"

struct pool {
    struct window s;
    size_t        ky0, ky1, kx0, kx1; /* of the window at hand */
};

static struct pool describe(const struct shoal *net, const struct operation *op, uint16_t small, uint16_t large)
{
    const struct tensor y = tensor_at(net, small), x = tensor_at(net, large);
    struct pool         p = {0};
    p.s = window_of(op, &x, &y);
    return p;
}

static void move_to(struct pool *p, size_t oy, size_t ox)
{
    kernel_range(&p->s, 0, oy, &p->ky0, &p->ky1);
    kernel_range(&p->s, 1, ox, &p->kx0, &p->kx1);
}

/* Index of channel 0 under kernel position (ky, kx) of the window at (oy, ox). */
static size_t input_index(const struct pool *p, size_t oy, size_t ox, size_t ky, size_t kx)
{
    return (under(&p->s, 0, oy, ky) * p->s.in[1] + under(&p->s, 1, ox, kx)) * p->s.in[2];
}

/* The window at hand, position by position: `index` is that of its channel 0 in the input. */
#define FOR_WINDOW(p, oy, ox, index)                                   \
    for (size_t ky = (p).ky0; ky < (p).ky1; ky++)                      \
        for (size_t kx = (p).kx0, index = input_index(&(p), oy, ox, ky, kx); kx < (p).kx1; \
             kx++, index += (p).s.in[2])

void SHOAL_NAME(max_pool2d_forward)(struct shoal *net, const struct operation *op)
{
    const struct tensor in = tensor_at(net, op->in), out = tensor_at(net, op->out);
    const real         *x = values_of(net, &in);
    real               *y = values_of(net, &out);
    struct pool         p = describe(net, op, op->out, op->in);
    const size_t        channels = p.s.in[2];
    for (size_t oy = 0; oy < p.s.out[0]; oy++)
        for (size_t ox = 0; ox < p.s.out[1]; ox++, y += channels) {
            move_to(&p, oy, ox);
            memcpy(y, x + input_index(&p, oy, ox, p.ky0, p.kx0), sizeof *y * channels);
            FOR_WINDOW(p, oy, ox, i)
                for (size_t c = 0; c < channels; c++) y[c] = larger(y[c], x[i + c]);
        }
}

/* The first position that holds the largest value receives the gradient. */
void SHOAL_NAME(max_pool2d_backward)(struct shoal *net, const struct operation *op)
{
    const struct tensor in = tensor_at(net, op->in), saved = tensor_at(net, op->aux);
    const struct tensor gradient = tensor_at(net, op->in2), out = tensor_at(net, op->out);
    const real         *x = values_of(net, &in), *y = values_of(net, &saved);
    const real         *dy = values_of(net, &gradient);
    real               *dx = values_of(net, &out);
    struct pool         p = describe(net, op, op->in2, op->out);
    const size_t        channels = p.s.in[2];
    memset(dx, 0, sizeof *dx * tensor_size(&out));
    for (size_t oy = 0; oy < p.s.out[0]; oy++)
        for (size_t ox = 0; ox < p.s.out[1]; ox++, y += channels, dy += channels) {
            move_to(&p, oy, ox);
            for (size_t c = 0; c < channels; c++) {
                mask open = equal(y[c], y[c]);
                FOR_WINDOW(p, oy, ox, i) {
                    const mask here = open & equal(x[i + c], y[c]);
                    dx[i + c] += select_real(here, dy[c], splat(0.0f));
                    open &= ~here;
                }
            }
        }
}

static float window_size(const struct pool *p)
{
    return (float)((p->ky1 - p->ky0) * (p->kx1 - p->kx0));
}

void SHOAL_NAME(average_pool2d_forward)(struct shoal *net, const struct operation *op)
{
    const struct tensor in = tensor_at(net, op->in), out = tensor_at(net, op->out);
    const real         *x = values_of(net, &in);
    real               *y = values_of(net, &out);
    struct pool         p = describe(net, op, op->out, op->in);
    const size_t        channels = p.s.in[2];
    memset(y, 0, sizeof *y * tensor_size(&out));
    for (size_t oy = 0; oy < p.s.out[0]; oy++)
        for (size_t ox = 0; ox < p.s.out[1]; ox++, y += channels) {
            move_to(&p, oy, ox);
            FOR_WINDOW(p, oy, ox, i)
                for (size_t c = 0; c < channels; c++) y[c] += x[i + c];
            for (size_t c = 0; c < channels; c++) y[c] = y[c] / window_size(&p);
        }
}

void SHOAL_NAME(average_pool2d_backward)(struct shoal *net, const struct operation *op)
{
    const struct tensor gradient = tensor_at(net, op->in2), out = tensor_at(net, op->out);
    const real         *dy = values_of(net, &gradient);
    real               *dx = values_of(net, &out);
    struct pool         p = describe(net, op, op->in2, op->out);
    const size_t        channels = p.s.in[2];
    memset(dx, 0, sizeof *dx * tensor_size(&out));
    for (size_t oy = 0; oy < p.s.out[0]; oy++)
        for (size_t ox = 0; ox < p.s.out[1]; ox++, dy += channels) {
            move_to(&p, oy, ox);
            FOR_WINDOW(p, oy, ox, i)
                for (size_t c = 0; c < channels; c++) dx[i + c] += dy[c] / window_size(&p);
        }
}
