/* relu and softmax in fixed point. */
#include "fixed.h"

#if SHOAL_WIDTH == 1

void shoal_fixed_relu(struct shoal *net, const struct operation *op)
{
    const struct tensor in = tensor_at(net, op->in), out = tensor_at(net, op->out);
    const int16_t      *x = fixed_values(net, &in);
    int16_t            *y = fixed_values(net, &out);
    for (size_t i = 0; i < tensor_size(&in); i++) y[i] = x[i] > 0 ? x[i] : 0;
}

void shoal_fixed_relu_backward(struct shoal *net, const struct operation *op)
{
    const struct tensor out = tensor_at(net, op->in), dy = tensor_at(net, op->in2), dx = tensor_at(net, op->out);
    const int16_t      *y = fixed_values(net, &out), *from = fixed_values(net, &dy);
    int16_t            *to = fixed_values(net, &dx);
    for (size_t i = 0; i < tensor_size(&out); i++) to[i] = y[i] > 0 ? from[i] : 0;
}

/* 2^-x of 15 bits for x of 12: a cubic over one octave (largest error 1.1e-4), then a shift. */
static uint32_t power_of_half(uint32_t x)
{
    const int32_t f = (int32_t)(x & 4095);
    int32_t       p = (-1295 * f >> 12) + 7556;
    p = (p * f >> 12) - 22645;
    p = (p * f >> 12) + 32765;
    return (uint32_t)p >> (x >> 12);
}

#define LOG2_E 23637u /* of 14 bits */

/* The largest input is subtracted from all. One division, by the upper 16 bits of the sum. */
void shoal_fixed_softmax(struct shoal *net, const struct operation *op)
{
    const struct tensor in = tensor_at(net, op->in), out = tensor_at(net, op->out);
    const size_t        n = tensor_size(&in);
    const int16_t      *x = fixed_values(net, &in);
    int16_t            *y = fixed_values(net, &out);
    int32_t             largest = x[0];
    uint32_t            sum = 0, shift = 32;
    for (size_t i = 1; i < n; i++)
        if (x[i] > largest) largest = x[i];
    for (size_t i = 0; i < n; i++) {
        const uint32_t t = ((uint32_t)(largest - x[i]) * LOG2_E) >> (in.zero_point + 2);
        const uint32_t power = t < 65536 ? power_of_half(t) : 0;
        y[i] = (int16_t)power;
        sum += power;
    }
    while (sum >> 31 == 0) {
        sum <<= 1;
        shift--;
    }
    const uint32_t inverse = (UINT32_MAX / (sum >> 16)) >> 1, half = UINT32_C(1) << (shift - 1);
    for (size_t i = 0; i < n; i++) y[i] = saturated((int32_t)(((uint32_t)y[i] * inverse + half) >> shift));
}

#else
typedef int fixed_activation_is_for_devices; /* a translation unit must not be empty */
#endif
