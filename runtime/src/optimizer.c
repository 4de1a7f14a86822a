/* How a gradient changes a parameter. */
#include "network.h"
#include "elementary.h"
#include "tile.h"

/* Plain SGD on one sample at a time, which may be all that is compiled in. */
static bool takes_step_at_once(const struct shoal *net)
{
    return ((SHOAL_OPTIMIZERS) & ~UINT64_C(1)) == UINT64_C(1) << SGD ||
           (net->header.optimizer == SGD && !(net->header.flags & ACCUMULATE));
}

/* The values of slot `number` that belong to the parameters at w. */
static real *slot(const struct shoal *net, real *w, uint32_t number)
{
    return w + (size_t)(1 + number) * net->header.parameters;
}

static uint32_t moments(const struct shoal *net)
{
    return net->header.optimizer == ADAM ? 2 : net->header.optimizer == MOMENTUM ? 1 : 0;
}

static void step(struct shoal *net, real *w, const real *g, size_t n)
{
    const struct shoal_optimizer *o = &net->optimizer;
    const uint8_t                 how = net->header.optimizer;
    const float                   rate = o->rate;
    if (HAS(SHOAL_OPTIMIZERS, SGD) && how == SGD) {
        for (size_t i = 0; i < n; i++) w[i] -= rate * g[i];
    } else if (HAS(SHOAL_OPTIMIZERS, MOMENTUM) && how == MOMENTUM) {
        real *m = slot(net, w, 0);
        for (size_t i = 0; i < n; i++) {
            m[i] = o->momentum * m[i] + g[i];
            w[i] -= rate * m[i];
        }
    } else if (HAS(SHOAL_OPTIMIZERS, ADAM)) {
        const float rest1 = 1.0f - o->beta1, rest2 = 1.0f - o->beta2;
        const float scale1 = 1.0f - net->beta1_power, scale2 = 1.0f - net->beta2_power;
        real       *m = slot(net, w, 0), *v = slot(net, w, 1);
        for (size_t i = 0; i < n; i++) {
            m[i] = o->beta1 * m[i] + rest1 * g[i];
            v[i] = o->beta2 * v[i] + rest2 * (g[i] * g[i]);
            w[i] -= rate * ((m[i] / scale1) / (real_sqrt(v[i] / scale2) + o->epsilon));
        }
    }
}

void update_parameters(struct shoal *net, real *w, const real *g, size_t n)
{
    if (HAS_ACCUMULATION && (net->header.flags & ACCUMULATE)) {
        real *sum = slot(net, w, moments(net));
        for (size_t i = 0; i < n; i++) sum[i] += g[i];
    } else {
        step(net, w, g, n);
    }
}

#if SCALAR

static void learn_bias(struct shoal *net, real *b, const real *dy, size_t positions, size_t channels,
                       size_t length)
{
    const float rate = net->optimizer.rate;
    const bool  at_once = takes_step_at_once(net);
    for (size_t k = 0; k < length; k++) {
        const real *at = dy + k;
        real        g = 0.0f + *at; /* not -0 */
        for (size_t left = positions - 1; left > 0; left--) g += *(at += channels);
        if (at_once) b[k] -= rate * g;
        else update_parameters(net, b + k, &g, 1);
    }
}

#else

static void learn_bias(struct shoal *net, real *b, const real *dy, size_t positions, size_t channels,
                       size_t length)
{
    const real  one_of_each = splat(1.0f);
    const float rate = net->optimizer.rate;
    const bool  at_once = takes_step_at_once(net);
#define TILE(unit, units)                                                                  \
    do {                                                                                   \
        unit                 sum[units];                                                   \
        const struct factors d = {dy, false, first, channels, SIZE_##unit};                \
        begin_##unit(sum, 1, NULL, false, 0, 0, units);                                    \
        accumulate_##unit(sum, positions, &one_of_each, 0, 0, 1, d, units);                \
        if (at_once) {                                                                     \
            real *at = b + first;                                                          \
            for (size_t k = 0; k < units; k++, at += SIZE_##unit)                          \
                store_##unit(at, load_##unit(at, false, 0) - rate * sum[k]);               \
        } else {                                                                           \
            real g[(units) * SIZE_##unit];                                                 \
            end_##unit(sum, 1, g, 0, units);                                               \
            update_parameters(net, b + first, g, (units) * SIZE_##unit);                   \
        }                                                                                  \
    } while (0)
    FOR_UNITS(first, length, TILE_ROW, TILE);
#undef TILE
}

#endif

void update_bias(struct shoal *net, const struct operation *op, const real *dy,
                 size_t positions, size_t channels)
{
    const struct tensor t = tensor_at(net, op->bias);
    real               *b = values_of(net, &t);
    for (size_t r = 0; r < runs_of(op); r++) {
        const struct channels run = run_at(net, op, r, channels);
        if (run.first < run.end)
            learn_bias(net, b + run.first, dy + run.first, positions, channels, run.end - run.first);
    }
}

/* Applies the mean of the gradients that were added for one tensor, and forgets them. */
static void settle(struct shoal *net, uint16_t number)
{
    const struct tensor t = tensor_at(net, number);
    const size_t        n = tensor_size(&t);
    const float         count = (float)net->pending, pull = net->optimizer.proximal;
    real               *w = values_of(net, &t), *g = slot(net, w, moments(net));
    for (size_t i = 0; i < n; i++) g[i] = g[i] / count;
    if ((net->header.flags & ANCHOR) && pull > 0.0f) {
        const real *anchor = slot(net, w, moments(net) + 1);
        for (size_t i = 0; i < n; i++) g[i] += pull * (w[i] - anchor[i]);
    }
    step(net, w, g, n);
    memset(g, 0, sizeof *g * n);
}

void SHOAL_NAME(take_step)(struct shoal *net)
{
    net->beta1_power *= net->optimizer.beta1;
    net->beta2_power *= net->optimizer.beta2;
    for (uint32_t i = 1; i < net->learning; i++) {
        const struct operation op = operation_at(net, net->header.forward + i);
        if (updates(net, &op, UPDATE_WEIGHTS)) settle(net, op.weights);
        if (updates(net, &op, UPDATE_BIAS)) settle(net, op.bias);
    }
    net->pending = 0;
    net->steps++;
}

void SHOAL_NAME(drop_anchor)(struct shoal *net)
{
    real *anchor = slot(net, net->state, moments(net) + 1);
    memcpy(anchor, net->state, sizeof *anchor * net->header.parameters);
}
