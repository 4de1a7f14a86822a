/* Activations, element by element: forward in place, backward from the output y. */
#include "network.h"
#include "elementary.h"

/* Both directions work in place on `to`; a separate source is copied there first. */
static real *in_place(const struct shoal *net, uint16_t from, uint16_t to, size_t *n)
{
    const struct tensor source = tensor_at(net, from), target = tensor_at(net, to);
    real               *at = values_of(net, &target);
    *n = elements_of(net, &target);
    if (source.offset != target.offset) memcpy(at, values_of(net, &source), sizeof *at * *n);
    return at;
}

void SHOAL_NAME(activation_forward)(struct shoal *net, const struct operation *op)
{
    size_t      n;
    real       *y = in_place(net, op->in, op->out, &n);
    const real  zero = splat(0.0f), six = splat(6.0f);
    const float slope = op->value[0];
    switch (op->code) {
    case RELU:
        for (size_t i = 0; i < n; i++) y[i] = larger(y[i], zero);
        break;
    case RELU6:
        for (size_t i = 0; i < n; i++) y[i] = smaller(larger(y[i], zero), six);
        break;
    case LEAKY_RELU:
        for (size_t i = 0; i < n; i++) y[i] = select_real(less(y[i], zero), slope * y[i], y[i]);
        break;
    case TANH:
        for (size_t i = 0; i < n; i++) y[i] = real_tanh(y[i]);
        break;
    default:
        for (size_t i = 0; i < n; i++) y[i] = real_sigmoid(y[i]);
        break;
    }
}

void SHOAL_NAME(activation_backward)(struct shoal *net, const struct operation *op)
{
    size_t              n;
    const struct tensor out = tensor_at(net, op->in);
    const real         *y = values_of(net, &out);
    real               *d = in_place(net, op->in2, op->out, &n);
    const real          zero = splat(0.0f), six = splat(6.0f);
    const float         slope = op->value[0];
    switch (op->code - BACKWARD) {
    case RELU:
        for (size_t i = 0; i < n; i++) d[i] = select_real(less(zero, y[i]), d[i], zero);
        break;
    case RELU6:
        for (size_t i = 0; i < n; i++)
            d[i] = select_real(less(zero, y[i]) & less(y[i], six), d[i], zero);
        break;
    case LEAKY_RELU:
        for (size_t i = 0; i < n; i++) d[i] = select_real(less(y[i], zero), slope * d[i], d[i]);
        break;
    case TANH:
        for (size_t i = 0; i < n; i++) d[i] *= 1.0f - y[i] * y[i];
        break;
    default:
        for (size_t i = 0; i < n; i++) d[i] *= y[i] * (1.0f - y[i]);
        break;
    }
}

void SHOAL_NAME(add_forward)(struct shoal *net, const struct operation *op)
{
    size_t              n;
    const struct tensor other = tensor_at(net, op->in2);
    const real         *b = values_of(net, &other);
    real               *y = in_place(net, op->in, op->out, &n);
    for (size_t i = 0; i < n; i++) y[i] += b[i];
}

/* exp(x - largest) / sum: over the classes in use. */
void SHOAL_NAME(softmax_forward)(struct shoal *net, const struct operation *op)
{
    size_t n;
    real  *y = in_place(net, op->in, op->out, &n);
    real   largest = y[0], sum = splat(0.0f);
    for (size_t i = 1; i < n; i++) largest = larger(largest, y[i]);
    for (size_t i = 0; i < n; i++) y[i] = real_exp(y[i] - largest);
    for (size_t i = 0; i < n; i++) sum += y[i];
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
