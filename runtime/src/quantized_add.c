/* The sum of two quantized values: both are brought to one scale with 20 bits of fraction. */
#include "quantized.h"

#define FRACTION 20

/* What becomes of an integer before the sum: less its zero point, then scaled. */
struct term {
    uint8_t type;
    int32_t zero, multiplier, shift;
};

SHOAL_INLINE struct term term_of(const struct tensor *t, const int32_t scale[2])
{
    const struct term result = {t->type, zero_point_of(t), scale[0], scale[1]};
    return result;
}

SHOAL_INLINE int32_t value_of(const struct term *t, uint8_t byte)
{
    return scaled((as_integer(byte, t->type) - t->zero) * (1 << FRACTION), t->multiplier, t->shift);
}

void SHOAL_NAME(quantized_add)(struct shoal *net, const struct operation *op)
{
    const struct tensor in = tensor_at(net, op->in), in2 = tensor_at(net, op->in2);
    const struct tensor out = tensor_at(net, op->out), aux = tensor_at(net, op->aux);
    const int32_t      *n = integers_of(net, &aux), least = n[0], largest = n[1];
    const struct term   a = term_of(&in, n + 2), b = term_of(&in2, n + 4), y = term_of(&out, n + 6);
    const size_t        size = tensor_size(&out);
    for (size_t l = 0; l < SHOAL_WIDTH; l++) {
        const uint8_t *p = bytes_of(net, &in, l), *q = bytes_of(net, &in2, l);
        uint8_t       *to = bytes_of(net, &out, l);
        for (size_t i = 0; i < size; i++) {
            const int32_t sum = (int32_t)((uint32_t)value_of(&a, p[i]) + (uint32_t)value_of(&b, q[i]));
            to[i] = output_of(scaled(sum, y.multiplier, y.shift), y.zero, least, largest);
        }
    }
}
