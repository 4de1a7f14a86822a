/* The sum of two quantized values: both are brought to one scale with 20 bits of fraction. */
#include "quantized.h"

void SHOAL_NAME(quantized_add)(struct shoal *net, const struct operation *op)
{
    const struct tensor a = tensor_at(net, op->in), b = tensor_at(net, op->in2);
    const struct tensor out = tensor_at(net, op->out), aux = tensor_at(net, op->aux);
    const int32_t      *n = integers_of(net, &aux);
    const int32_t       a_zero = zero_point_of(&a), b_zero = zero_point_of(&b), zero = zero_point_of(&out);
    for (size_t l = 0; l < SHOAL_WIDTH; l++) {
        const uint8_t *p = bytes_of(net, &a, l), *q = bytes_of(net, &b, l);
        uint8_t       *y = bytes_of(net, &out, l);
        for (size_t i = 0; i < tensor_size(&out); i++) {
            const int32_t u = scaled((as_integer(p[i], a.type) - a_zero) * (1 << 20), n[2], n[3]);
            const int32_t v = scaled((as_integer(q[i], b.type) - b_zero) * (1 << 20), n[4], n[5]);
            const int32_t sum = (int32_t)((uint32_t)u + (uint32_t)v);
            y[i] = (uint8_t)clamped(scaled(sum, n[6], n[7]) + zero, n[0], n[1]);
        }
    }
}
