/* Conv2D: weights (kernel row, kernel column, input channel, output channel). */
#include "network.h"
#include "product.h"
#include "tile.h"
#include "window.h"

struct conv {
    struct window     s;
    const real       *x, *dy;
    struct parameters w, b;
};

static struct conv describe(const struct shoal *net, const struct operation *op, const struct tensor *y)
{
    const struct tensor in = tensor_at(net, op->in);
    struct conv         c = {0};
    c.s = window_of(op, &in, y);
    c.x = values_of(net, &in);
    c.w = parameters_of(net, op->weights);
    c.b = parameters_of(net, op->bias);
    return c;
}

/* --- Forward -------------------------------------------------------------------------------- */

#if SCALAR

SHOAL_INLINE void convolve(const struct conv *c, real *y, bool shared)
{
    const struct window *s = &c->s;
    const size_t         in = s->in[2], channels = s->out[2];
    (void)shared;
    for (size_t oy = 0; oy < s->out[0]; oy++)
        for (size_t ox = 0; ox < s->out[1]; ox++, y += channels) {
            const real *w = c->w.at, *from = c->b.at;
            size_t      ky, ky1, kx, kx1;
            kernel_range(s, 0, oy, &ky, &ky1);
            kernel_range(s, 1, ox, &kx, &kx1);
            for (; ky < ky1; ky++, from = y) {
                const size_t x = (under(s, 0, oy, ky) * s->in[1] + under(s, 1, ox, kx)) * in;
                shoal_multiply(y, from, channels, c->x + x, 1, (kx1 - kx) * in,
                               w + (ky * s->kernel[1] + kx) * in * channels, channels);
            }
        }
}

#else

/* `positions` neighbouring outputs in a row, whose windows hold the kernel columns [kx0, kx1). */
SHOAL_INLINE void multiply(const struct conv *c, real *y, bool shared, size_t oy, size_t ox,
                           size_t positions, size_t kx0, size_t kx1)
{
    const struct window *s = &c->s;
    const size_t         channels = s->out[2], between = s->stride[1] * s->in[2];
    size_t               ky0, ky1;
    kernel_range(s, 0, oy, &ky0, &ky1);
    y += (oy * s->out[1] + ox) * channels;
#define TILE(unit, units)                                                                        \
    do {                                                                                         \
        unit sum[(size_t)TILE_POSITIONS * (units)];                                              \
        begin_##unit(sum, positions, c->b.at, c->b.shared, first, 0, units);                     \
        for (size_t ky = ky0; ky < ky1; ky++) {                                                  \
            const size_t x = (under(s, 0, oy, ky) * s->in[1] + under(s, 1, ox, kx0)) * s->in[2]; \
            const size_t row = (ky * s->kernel[1] + kx0) * s->in[2] * channels;                  \
            const struct factors w = {c->w.at, shared, row + first, channels, SIZE_##unit};      \
            accumulate_##unit(sum, (kx1 - kx0) * s->in[2], c->x + x, 1, between, positions, w,   \
                              units);                                                            \
        }                                                                                        \
        end_##unit(sum, positions, y + first, channels, units);                                  \
    } while (0)
    FOR_UNITS(first, channels, TILE_UNITS, TILE);
#undef TILE
}

SHOAL_INLINE void convolve(const struct conv *c, real *y, bool shared)
{
    const struct window *s = &c->s;
    for (size_t oy = 0; oy < s->out[0]; oy++)
        for (size_t ox = 0, size; ox < s->out[1]; ox += size) {
            size_t kx0, kx1, last0, last1;
            kernel_range(s, 1, ox, &kx0, &kx1);
            size = kx0 == 0 && kx1 == s->kernel[1] ? tile_of(s->out[1] - ox) : 1;
            for (; size > 1; size /= 2) { /* until the whole tile lies inside */
                kernel_range(s, 1, ox + size - 1, &last0, &last1);
                if (last1 == kx1) break;
            }
#define TILE(positions) multiply(c, y, shared, oy, ox, positions, kx0, kx1)
            WITH_POSITIONS(size, TILE);
#undef TILE
        }
}

#endif

void SHOAL_NAME(conv2d_forward)(struct shoal *net, const struct operation *op)
{
    const struct tensor out = tensor_at(net, op->out);
    const struct conv   c = describe(net, op, &out);
    if (SHOAL_WIDTH > 1 && c.w.shared) convolve(&c, values_of(net, &out), true);
    else convolve(&c, values_of(net, &out), false);
}

/* --- Backward ------------------------------------------------------------------------------- */

/* Output positions at which one kernel position meets the input. */
struct field {
    size_t ky, kx, row, row_end, column, column_end;
};

static struct field field_of(const struct window *s, size_t ky, size_t kx)
{
    struct field f = {ky, kx, 0, 0, 0, 0};
    position_range(s, 0, ky, &f.row, &f.row_end);
    position_range(s, 1, kx, &f.column, &f.column_end);
    return f;
}

/* Input and output under a field's position, channel 0. */
SHOAL_INLINE size_t input_at(const struct window *s, const struct field *f, size_t oy, size_t ox)
{
    return (under(s, 0, oy, f->ky) * s->in[1] + under(s, 1, ox, f->kx)) * s->in[2];
}

SHOAL_INLINE size_t output_at(const struct window *s, size_t oy, size_t ox)
{
    return (oy * s->out[1] + ox) * s->out[2];
}

/* First weight at a field's kernel position. */
SHOAL_INLINE size_t weight_at(const struct window *s, const struct field *f)
{
    return (f->ky * s->kernel[1] + f->kx) * s->in[2] * s->out[2];
}

#if SCALAR

/* Adds to dx what one kernel position contributes. */
SHOAL_INLINE void input_gradients(const struct conv *c, real *dx, bool shared, const struct field *f)
{
    const struct window *s = &c->s;
    const real          *w = c->w.at;
    (void)shared;
    for (size_t oy = f->row; oy < f->row_end; oy++)
        for (size_t ox = f->column; ox < f->column_end; ox++) {
            real *to = dx + input_at(s, f, oy, ox);
            shoal_multiply_turned(to, to, s->in[2], c->dy + output_at(s, oy, ox), s->out[2],
                                  w + weight_at(s, f), s->out[2]);
        }
}

/* Gradients of the weights at one kernel position, for `rows` input channels from `i`, learnt at once. */
SHOAL_INLINE void weight_gradients(struct shoal *net, const struct conv *c, real *w,
                                   const struct field *f, size_t i, size_t rows, struct channels run)
{
    const struct window *s = &c->s;
    (void)rows; /* one */
    w += weight_at(s, f) + i * s->out[2];
    for (size_t o = run.first; o < run.end; o += TILE_ROW) {
        const size_t n = run.end - o < TILE_ROW ? run.end - o : TILE_ROW;
        real         g[TILE_ROW] = {0.0f};
        for (size_t oy = f->row; oy < f->row_end && f->column < f->column_end; oy++)
            shoal_multiply(g, g, n, c->x + input_at(s, f, oy, f->column) + i, s->stride[1] * s->in[2],
                           f->column_end - f->column, c->dy + output_at(s, oy, f->column) + o, s->out[2]);
        update_parameters(net, w + o, g, n);
    }
}

#else

/* Adds to dx what one kernel position contributes. A tile of positions shares the weights. */
SHOAL_INLINE void input_gradients(const struct conv *c, real *dx, bool shared, const struct field *f)
{
    const struct window *s = &c->s;
    const size_t         channels = s->out[2], between = s->stride[1] * s->in[2];
    float                room[TURNED_ROOM(TILE_UNITS)];
#define POSITIONS(unit, units, positions)                                                         \
    do {                                                                                          \
        unit  sum[(size_t)TILE_POSITIONS * (units)];                                              \
        real *to = dx + input_at(s, f, oy, ox) + first;                                           \
        begin_##unit(sum, positions, to, false, 0, between, units);                               \
        accumulate_##unit(sum, n, c->dy + output_at(s, oy, ox) + o, 1, channels, positions, w,    \
                          units);                                                                 \
        end_##unit(sum, positions, to, between, units);                                           \
    } while (0)
#define TILE(unit, units)                                                                         \
    for (size_t o = 0; o < channels; o += TURNED_OUTPUTS) {                                       \
        const size_t n = channels - o < TURNED_OUTPUTS ? channels - o : TURNED_OUTPUTS;           \
        const struct factors w = turned_##unit(room, c->w.at, shared,                             \
                                               weight_at(s, f) + first * channels + o, channels,  \
                                               n, units);                                         \
        for (size_t oy = f->row; oy < f->row_end; oy++)                                           \
            for (size_t ox = f->column, size; ox < f->column_end; ox += size) {                   \
                size = tile_of(f->column_end - ox);                                               \
                if (size == 1) POSITIONS(unit, units, 1);                                         \
                else if (size == 2) POSITIONS(unit, units, 2);                                    \
                else POSITIONS(unit, units, TILE_POSITIONS);                                      \
            }                                                                                     \
    }
    FOR_UNITS(first, s->in[2], TILE_UNITS, TILE);
#undef TILE
#undef POSITIONS
}

/* Gradients of the weights at one kernel position, for `rows` input channels from `i`, learnt at once. */
SHOAL_INLINE void weight_gradients(struct shoal *net, const struct conv *c, real *w,
                                   const struct field *f, size_t i, size_t rows, struct channels run)
{
    const struct window *s = &c->s;
    const size_t         length = run.first < run.end ? run.end - run.first : 0;
    w += weight_at(s, f) + i * s->out[2] + run.first;
#define TILE(unit, units)                                                                          \
    do {                                                                                           \
        unit sum[(size_t)TILE_POSITIONS * (units)];                                                \
        real g[(size_t)TILE_POSITIONS * (units) * SIZE_##unit];                                    \
        begin_##unit(sum, rows, NULL, false, 0, 0, units);                                         \
        for (size_t oy = f->row; oy < f->row_end && f->column < f->column_end; oy++) {             \
            const size_t dy = output_at(s, oy, f->column) + run.first + first;                     \
            const struct factors b = {c->dy, false, dy, s->out[2], SIZE_##unit};                   \
            accumulate_##unit(sum, f->column_end - f->column,                                      \
                              c->x + input_at(s, f, oy, f->column) + i, s->stride[1] * s->in[2],   \
                              1, rows, b, units);                                                  \
        }                                                                                          \
        end_##unit(sum, rows, g, (units) * SIZE_##unit, units);                                    \
        for (size_t r = 0; r < rows; r++)                                                          \
            update_parameters(net, w + r * s->out[2] + first, g + r * (units) * SIZE_##unit,       \
                              (units) * SIZE_##unit);                                              \
    } while (0)
    FOR_UNITS(first, length, TILE_UNITS, TILE);
#undef TILE
}

#endif

static void update_weights(struct shoal *net, const struct operation *op, const struct conv *c,
                           const struct field *f)
{
    const struct tensor t = tensor_at(net, op->weights);
    real               *w = values_of(net, &t);
    for (size_t r = 0; r < runs_of(op); r++) {
        const struct channels run = run_at(net, op, r, c->s.out[2]);
        for (size_t i = 0, size; i < c->s.in[2]; i += size) {
            size = tile_of(c->s.in[2] - i);
#define ROWS(rows) weight_gradients(net, c, w, f, i, rows, run)
            WITH_POSITIONS(size, ROWS);
#undef ROWS
        }
    }
}

void SHOAL_NAME(conv2d_backward)(struct shoal *net, const struct operation *op)
{
    const struct tensor gradient = tensor_at(net, op->in2);
    struct conv         c = describe(net, op, &gradient);
    real               *dx = NULL;
    c.dy = values_of(net, &gradient);
    if (op->out != NONE) {
        const struct tensor out = tensor_at(net, op->out);
        dx = values_of(net, &out);
        memset(dx, 0, sizeof *dx * tensor_size(&out));
    }
    for (size_t ky = 0; ky < c.s.kernel[0]; ky++)
        for (size_t kx = 0; kx < c.s.kernel[1]; kx++) {
            const struct field f = field_of(&c.s, ky, kx);
            if (dx != NULL) {
                if (SHOAL_WIDTH > 1 && c.w.shared) input_gradients(&c, dx, true, &f);
                else input_gradients(&c, dx, false, &f);
            }
            if (updates(net, op, UPDATE_WEIGHTS)) update_weights(net, op, &c, &f);
        }
    if (updates(net, op, UPDATE_BIAS)) update_bias(net, op, c.dy, c.s.out[0] * c.s.out[1], c.s.out[2]);
}
