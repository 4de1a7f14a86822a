/* Dense: y = x W + b with W (inputs, outputs). */
#include "network.h"
#include "product.h"
#include "tile.h"

/* Where nothing else is compiled in than plain SGD on one sample at a time. */
#define HAS_ONLY_SGD (((SHOAL_OPTIMIZERS) & ~UINT64_C(1)) == UINT64_C(1) << SGD)

struct dense {
    const real       *x, *dy;
    struct parameters w, b;
    size_t            inputs, outputs, stride; /* stride: of a row of W, the capacity */
};

SHOAL_INLINE struct dense describe(const struct shoal *net, const struct operation *op,
                                   const struct tensor *y)
{
    const struct tensor in = tensor_at(net, op->in), w = tensor_at(net, op->weights);
    struct dense        d;
    d.x = values_of(net, &in);
    d.dy = values_of(net, y); /* where this is backward */
    d.w = parameters_of(net, op->weights);
    d.b = parameters_of(net, op->bias);
    d.inputs = w.shape[1];
    d.stride = w.shape[2];
    d.outputs = channels_of(net, y);
    return d;
}

#if SCALAR

SHOAL_INLINE void multiply(const struct dense *d, real *y, bool shared)
{
    (void)shared;
    shoal_multiply(y, d->b.at, d->outputs, d->x, 1, d->inputs, d->w.at, d->stride);
}

/* Plain SGD takes its step at once, in rows [row, row + rows). */
SHOAL_INLINE void descend(const struct dense *d, real *w, float rate, size_t row, size_t rows,
                          struct channels run)
{
    if (run.first < run.end)
        shoal_descend(w + row * d->stride + run.first, d->stride, rate, d->x + row, rows,
                      d->dy + run.first, run.end - run.first);
}

#else

SHOAL_INLINE void multiply(const struct dense *d, real *y, bool shared)
{
#define TILE(unit, units)                                                                \
    do {                                                                                 \
        unit                 sum[units];                                                 \
        const struct factors w = {d->w.at, shared, first, d->stride, SIZE_##unit};       \
        begin_##unit(sum, 1, d->b.at, d->b.shared, first, 0, units);                     \
        accumulate_##unit(sum, d->inputs, d->x, 1, 0, 1, w, units);                      \
        end_##unit(sum, 1, y + first, 0, units);                                         \
    } while (0)
    FOR_UNITS(first, d->outputs, TILE_ROW, TILE);
#undef TILE
}

SHOAL_INLINE void descend(const struct dense *d, real *w, float rate, size_t row, size_t rows,
                          struct channels run)
{
    const size_t length = run.first < run.end ? run.end - run.first : 0;
    w += row * d->stride + run.first;
#define TILE(unit, units)                                                               \
    do {                                                                                \
        unit  dy[units];                                                                \
        real *at = w + first;                                                           \
        begin_##unit(dy, 1, d->dy + run.first, false, first, 0, units);                 \
        for (size_t i = row; i < row + rows; i++, at += d->stride) {                    \
            const real scaled = rate * d->x[i];                                         \
            for (size_t k = 0; k < units; k++)                                          \
                store_##unit(at + k * SIZE_##unit,                                      \
                             load_##unit(at, false, k * SIZE_##unit) - scaled * dy[k]); \
        }                                                                               \
    } while (0)
    FOR_UNITS(first, length, TILE_ROW, TILE);
#undef TILE
}

#endif

/* Other optimizers, and accumulation, take gradients. */
static void learn_gradients(struct shoal *net, const struct dense *d, real *w, size_t row, size_t rows,
                            struct channels run)
{
    for (size_t i = row; i < row + rows; i++)
        for (size_t o = run.first; o < run.end; o += TILE_ROW) {
            const size_t n = run.end - o < TILE_ROW ? run.end - o : TILE_ROW;
            real         g[TILE_ROW];
            for (size_t k = 0; k < n; k++) g[k] = d->x[i] * d->dy[o + k];
            update_parameters(net, w + i * d->stride + o, g, n);
        }
}

SHOAL_INLINE void update_rows(struct shoal *net, const struct operation *op, const struct dense *d,
                              real *w, size_t row, size_t rows)
{
    for (size_t r = 0; r < runs_of(op); r++) {
        const struct channels run = run_at(net, op, r, d->outputs);
        if (HAS_ONLY_SGD || (net->header.optimizer == SGD && !(net->header.flags & ACCUMULATE)))
            descend(d, w, net->optimizer.rate, row, rows, run);
        else learn_gradients(net, d, w, row, rows, run);
    }
}

/* The gradients of the inputs, then the update of W, unless w is NULL. */
#if SCALAR

SHOAL_INLINE void go_back(struct shoal *net, const struct operation *op, const struct dense *d,
                          real *dx, real *w, bool shared)
{
    (void)shared;
    shoal_multiply_turned(dx, NULL, d->inputs, d->dy, d->outputs, d->w.at, d->stride);
    if (w != NULL) update_rows(net, op, d, w, 0, d->inputs);
}

#elif SHOAL_WIDTH > 1

/* sum[k] += dy[o] w[k][o], o ascending; plain SGD takes its step with the same weights. Those of an
 * output are all read before one is written: a processor takes two that lie a multiple of 4096 bytes
 * apart for one, and waits. */
SHOAL_INLINE void learn_rows(const struct dense *d, real *sum, const real *x, real *w, float rate,
                             size_t rows)
{
    real scaled[TILE_UNITS], v[TILE_UNITS];
    for (size_t k = 0; k < rows; k++) scaled[k] = rate * x[k];
    for (size_t o = 0; o < d->outputs; o++, w++) {
        const real dy = d->dy[o];
        for (size_t k = 0; k < rows; k++) v[k] = w[k * d->stride];
        for (size_t k = 0; k < rows; k++) sum[k] += dy * v[k];
        for (size_t k = 0; k < rows; k++) w[k * d->stride] = v[k] - scaled[k] * dy;
    }
}

SHOAL_INLINE void go_back(struct shoal *net, const struct operation *op, const struct dense *d,
                          real *dx, real *w, bool shared)
{
    const float rate = net->optimizer.rate;
    const bool  at_once = w != NULL && op->runs == 0 && net->header.optimizer == SGD &&
                         !(net->header.flags & ACCUMULATE);
#define TILE(unit, units)                                                                      \
    do {                                                                                       \
        const struct factors f = {d->w.at, shared, first * d->stride, 1, d->stride};           \
        real                 sum[units];                                                       \
        begin_##unit(sum, 1, NULL, false, 0, 0, units);                                        \
        if (at_once) learn_rows(d, sum, d->x + first, w + first * d->stride, rate, units);     \
        else accumulate_##unit(sum, d->outputs, d->dy, 1, 0, 1, f, units);                     \
        end_##unit(sum, 1, dx + first, 0, units);                                              \
        if (w != NULL && !at_once) update_rows(net, op, d, w, first, units);                   \
    } while (0)
    FOR_UNITS_DOWN(first, d->inputs, TILE_UNITS, TILE);
#undef TILE
}

#else

/* Tile by tile, while the nearest cache holds its rows. */
SHOAL_INLINE void go_back(struct shoal *net, const struct operation *op, const struct dense *d,
                          real *dx, real *w, bool shared)
{
    float room[TURNED_ROOM(TILE_UNITS)];
#define TILE(unit, units)                                                                           \
    do {                                                                                            \
        unit sum[units];                                                                            \
        begin_##unit(sum, 1, NULL, false, 0, 0, units);                                             \
        for (size_t o = 0; o < d->outputs; o += TURNED_OUTPUTS) {                                   \
            const size_t n = d->outputs - o < TURNED_OUTPUTS ? d->outputs - o : TURNED_OUTPUTS;     \
            const struct factors f =                                                                \
                turned_##unit(room, d->w.at, shared, first * d->stride + o, d->stride, n, units);   \
            accumulate_##unit(sum, n, d->dy + o, 1, 0, 1, f, units);                                \
        }                                                                                           \
        end_##unit(sum, 1, dx + first, 0, units);                                                   \
        if (w != NULL) update_rows(net, op, d, w, first, (units) * SIZE_##unit);                    \
    } while (0)
    FOR_UNITS_DOWN(first, d->inputs, TILE_UNITS, TILE);
#undef TILE
}

#endif

void SHOAL_NAME(dense_forward)(struct shoal *net, const struct operation *op)
{
    const struct tensor out = tensor_at(net, op->out);
    const struct dense  d = describe(net, op, &out);
    if (SHOAL_WIDTH > 1 && d.w.shared) multiply(&d, values_of(net, &out), true);
    else multiply(&d, values_of(net, &out), false);
}

void SHOAL_NAME(dense_backward)(struct shoal *net, const struct operation *op)
{
    const struct tensor gradient = tensor_at(net, op->in2);
    const struct dense  d = describe(net, op, &gradient);
    real               *w = NULL;
    if (updates(net, op, UPDATE_WEIGHTS)) {
        const struct tensor t = tensor_at(net, op->weights);
        w = values_of(net, &t);
    }
    if (op->out != NONE) {
        const struct tensor t = tensor_at(net, op->out);
        if (SHOAL_WIDTH > 1 && d.w.shared) go_back(net, op, &d, values_of(net, &t), w, true);
        else go_back(net, op, &d, values_of(net, &t), w, false);
    } else if (w != NULL) {
        update_rows(net, op, &d, w, 0, d.inputs);
    }
    if (updates(net, op, UPDATE_BIAS)) update_bias(net, op, d.dy, 1, d.outputs);
}
