/* Standardize: z = (x - mean) / deviation with running statistics of each feature.
 *
 * Without forgetting, the mean and the sum of squared deviations of all samples (Welford, 1962).
 * With forgetting rate r, exponentially weighted ones; the first 1 / r samples weigh alike, so
 * that the start is not biased. */
#include "network.h"
#include "elementary.h"

struct statistics {
    real  *mean, *spread, *count; /* spread: sum of squares, or variance when forgetting */
    size_t n;
    float  epsilon, forgetting;
};

static struct statistics describe(const struct shoal *net, const struct operation *op)
{
    const struct tensor aux = tensor_at(net, op->aux);
    struct statistics   s = {0};
    s.n = (aux.shape[2] - 1) / 2;
    s.mean = values_of(net, &aux);
    s.spread = s.mean + s.n;
    s.count = s.spread + s.n;
    s.epsilon = op->value[0];
    s.forgetting = op->value[1];
    return s;
}

/* A value of 2^50 or more is left out for its feature: of smaller ones no sum of squares overflows. After
 * 2^24 samples a float counts no further; without forgetting the statistics then stay as they are. */
void SHOAL_NAME(standardize_observe)(struct shoal *net, const struct operation *op)
{
    const struct tensor     in = tensor_at(net, op->in);
    const struct statistics s = describe(net, op);
    const real             *x = values_of(net, &in);
    const real              count = s.count[0] + 1.0f, zero = splat(0.0f);
    const real              rate = larger(splat(s.forgetting), 1.0f / count);
    const mask              open = less(s.count[0], count) | less(zero, splat(s.forgetting));
    s.count[0] = count;
    for (size_t i = 0; i < s.n; i++) {
        const real d = x[i] - s.mean[i];
        real       mean, spread;
        if (s.forgetting > 0.0f) {
            mean = s.mean[i] + rate * d;
            spread = (1.0f - rate) * (s.spread[i] + rate * (d * d));
        } else {
            mean = s.mean[i] + d / count;
            spread = s.spread[i] + d * (x[i] - mean);
        }
        const mask sound = open & less(magnitude(x[i]), splat(1125899906842624.0f));
        s.mean[i] = select_real(sound, mean, s.mean[i]);
        s.spread[i] = select_real(sound, spread, s.spread[i]);
    }
}

/* Before the first sample the deviation is 1. */
static real deviation(const struct statistics *s, size_t i)
{
    const real count = s->count[0], one = splat(1.0f);
    const real spread = s->forgetting > 0.0f ? s->spread[i] : s->spread[i] / larger(count, one);
    return real_sqrt(select_real(less(count, one), one, spread) + s->epsilon);
}

void SHOAL_NAME(standardize_forward)(struct shoal *net, const struct operation *op)
{
    const struct tensor     in = tensor_at(net, op->in), out = tensor_at(net, op->out);
    const struct statistics s = describe(net, op);
    const real             *x = values_of(net, &in);
    real                   *y = values_of(net, &out);
    for (size_t i = 0; i < s.n; i++) y[i] = (x[i] - s.mean[i]) / deviation(&s, i);
}

void SHOAL_NAME(standardize_backward)(struct shoal *net, const struct operation *op)
{
    const struct tensor     gradient = tensor_at(net, op->in2), out = tensor_at(net, op->out);
    const struct statistics s = describe(net, op);
    const real             *dy = values_of(net, &gradient);
    real                   *dx = values_of(net, &out);
    for (size_t i = 0; i < s.n; i++) dx[i] = dy[i] / deviation(&s, i);
}
