/* Losses of one sample, and the gradient that backward starts from. */
#include "network.h"
#include "elementary.h"
#include "tile.h"

/* mean (y - t)^2 */
static real mean_squared_error(const real *y, const real *t, real *d, size_t n, bool learn)
{
    const float count = (float)n;
    real        sum = splat(0.0f);
    for (size_t i = 0; i < n; i++) {
        const real e = y[i] - t[i];
        sum += e * e;
        if (learn) d[i] = (2.0f * e) / count;
    }
    return sum / count;
}

/* mean of max(z, 0) - z t + log(1 + exp(-|z|)), from the logits z */
static real binary_cross_entropy(const real *z, const real *t, real *d, size_t n, bool learn)
{
    const float count = (float)n;
    real        sum = splat(0.0f);
    for (size_t i = 0; i < n; i++) {
        const real zi = z[i];
        sum += (larger(zi, splat(0.0f)) - zi * t[i]) + real_log(1.0f + real_exp(-magnitude(zi)));
        if (learn) d[i] = (real_sigmoid(zi) - t[i]) / count;
    }
    return sum / count;
}

/* -log p of the true class, p no smaller than the least normal number; gradient p - 1{true}. */
static real cross_entropy(const real *p, real label, real *d, size_t n, bool learn)
{
    real chosen = splat(0.0f);
#if SCALAR
    const size_t here = (size_t)label; /* a whole number: every call checks it */
    if (here < n) chosen = p[here];
    if (learn && d != p) memcpy(d, p, sizeof *d * n);
    if (learn && here < n) d[here] = chosen - 1.0f;
#else
    for (size_t i = 0; i < n; i++) {
        const real pi = p[i];
        const mask here = equal(label, splat((float)i));
        chosen = select_real(here, pi, chosen);
        if (learn) d[i] = select_real(here, pi - 1.0f, pi);
    }
#endif
    return -real_log(larger(chosen, splat(1.17549435e-38f)));
}

real SHOAL_NAME(loss)(struct shoal *net, const struct operation *op, const real *target, bool learn)
{
    const struct tensor in = tensor_at(net, op->in), out = tensor_at(net, op->out);
    const real         *from = values_of(net, &in);
    real               *to = values_of(net, &out);
    const size_t        n = elements_of(net, &in);
#define LOSS(code, call) \
    case code: return HAS(SHOAL_OPERATIONS, code) ? call : splat(0.0f)
    switch (op->code) {
        LOSS(MSE, mean_squared_error(from, target, to, n, learn));
        LOSS(BINARY_CROSS_ENTROPY, binary_cross_entropy(from, target, to, n, learn));
        LOSS(CROSS_ENTROPY, cross_entropy(from, target[0], to, n, learn));
    }
#undef LOSS
    return splat(0.0f);
}
