/* Activations, element by element: forward in place, backward from the output y. */
#include "network.h"
#include "elementary.h"
#include "tile.h"

/* Both directions work in place on `to`; a separate source is copied there first. */
static real *in_place(const struct shoal *net, uint16_t from, uint16_t to, size_t *n)
{
    const struct tensor source = tensor_at(net, from), target = tensor_at(net, to);
    real               *at = values_of(net, &target);
    *n = elements_of(net, &target);
    if (source.offset != target.offset) memcpy(at, values_of(net, &source), sizeof *at * *n);
    return at;
}

/* x where it is positive or not a number, else 0; and g where y > 0. */
#if SCALAR
/* By their bits: to compare floats takes a processor's FPU longer, and a call where there is none. */
SHOAL_INLINE real rectified(real x)
{
    return (uint32_t)bits_of(x) - 0x80000001u < 0x7F800000u ? 0.0f : x;
}
SHOAL_INLINE real passed(real g, real y) { return (uint32_t)bits_of(y) - 1u < 0x7F800000u ? g : 0.0f; }
#else
SHOAL_INLINE real rectified(real x) { return larger(x, splat(0.0f)); }
SHOAL_INLINE real passed(real g, real y) { return select_real(less(splat(0.0f), y), g, splat(0.0f)); }
#endif

void SHOAL_NAME(activation_forward)(struct shoal *net, const struct operation *op)
{
    size_t      n;
    real       *y = in_place(net, op->in, op->out, &n);
    const real  zero = splat(0.0f), six = splat(6.0f);
    const float slope = op->value[0];
#define FORWARD(code, value)                            \
    case code:                                          \
        if (!HAS(SHOAL_OPERATIONS, code)) break;        \
        for (size_t i = 0; i < n; i++) y[i] = (value);  \
        break
    switch (op->code) {
        FORWARD(RELU, rectified(y[i]));
        FORWARD(RELU6, smaller(larger(y[i], zero), six));
        FORWARD(LEAKY_RELU, select_real(less(y[i], zero), slope * y[i], y[i]));
        FORWARD(TANH, real_tanh(y[i]));
        FORWARD(SIGMOID, real_sigmoid(y[i]));
    }
#undef FORWARD
}

void SHOAL_NAME(activation_backward)(struct shoal *net, const struct operation *op)
{
    size_t              n;
    const struct tensor out = tensor_at(net, op->in);
    const real         *y = values_of(net, &out);
    real               *d = in_place(net, op->in2, op->out, &n);
    const real          zero = splat(0.0f), six = splat(6.0f);
    const float         slope = op->value[0];
#define BACK(code, value)                               \
    case BACKWARD + code:                               \
        if (!HAS(SHOAL_BACKWARD, code)) break;          \
        for (size_t i = 0; i < n; i++) d[i] = (value);  \
        break
    switch (op->code) {
        BACK(RELU, passed(d[i], y[i]));
        BACK(RELU6, select_real(less(zero, y[i]) & less(y[i], six), d[i], zero));
        BACK(LEAKY_RELU, select_real(less(y[i], zero), slope * d[i], d[i]));
        BACK(TANH, d[i] * (1.0f - y[i] * y[i]));
        BACK(SIGMOID, d[i] * (y[i] * (1.0f - y[i])));
    }
#undef BACK
}

void SHOAL_NAME(add_forward)(struct shoal *net, const struct operation *op)
{
    size_t              n;
    const struct tensor other = tensor_at(net, op->in2);
    const real         *b = values_of(net, &other);
    real               *y = in_place(net, op->in, op->out, &n);
    for (size_t i = 0; i < n; i++) y[i] += b[i];
}

/* exp(x - largest) / sum: over the classes in use. No power exceeds 1. */
void SHOAL_NAME(softmax_forward)(struct shoal *net, const struct operation *op)
{
    size_t     n;
    real      *y = in_place(net, op->in, op->out, &n);
    real       largest = y[0], sum = splat(0.0f);
    const real least = splat(-104.0f); /* exp(-104) rounds to 0 */
    for (size_t i = 1; i < n; i++) largest = larger(largest, y[i]);
    for (size_t i = 0; i < n; i++) {
        y[i] = exp_in_range(larger(y[i] - largest, least));
        sum += y[i];
    }
    for (size_t i = 0; i < n; i++) y[i] = y[i] / sum;
}

/* dx = y (dy - sum(dy y)) */
void SHOAL_NAME(softmax_backward)(struct shoal *net, const struct operation *op)
{
    size_t              n;
    const struct tensor out = tensor_at(net, op->in);
    const real         *y = values_of(net, &out);
    real               *d = in_place(net, op->in2, op->out, &n);
    real                sum = splat(0.0f);
    for (size_t i = 0; i < n; i++) sum += d[i] * y[i];
    for (size_t i = 0; i < n; i++) d[i] = y[i] * (d[i] - sum);
}
