/* The ways between float32 and integers, and tables of answers. */
#include "quantized.h"

void SHOAL_NAME(quantize_forward)(struct shoal *net, const struct operation *op)
{
    const struct tensor in = tensor_at(net, op->in), out = tensor_at(net, op->out);
    const real         *x = values_of(net, &in);
    const int32_t       least = out.type == I8 ? -128 : 0, zero = zero_point_of(&out);
    const float         scale = op->value[0];
    const size_t        size = tensor_size(&in);
    for (size_t l = 0; l < SHOAL_WIDTH; l++) {
        uint8_t *y = bytes_of(net, &out, l);
        for (size_t i = 0; i < size; i++) {
            /* Beyond 1000 every zero point clamps. */
            float ratio = lane(x[i], l) / scale;
            ratio = ratio < -1000.0f ? -1000.0f : ratio < 1000.0f ? ratio : 1000.0f;
            const int32_t whole = (int32_t)ratio; /* towards 0; the rest is exact */
            const float   rest = ratio - (float)whole;
            const int32_t nearest = whole + (rest >= 0.5f ? 1 : rest <= -0.5f ? -1 : 0);
            y[i] = (uint8_t)clamped(nearest + zero, least, least + 255);
        }
    }
}

void SHOAL_NAME(dequantize_forward)(struct shoal *net, const struct operation *op)
{
    const struct tensor in = tensor_at(net, op->in), out = tensor_at(net, op->out);
    const int32_t       zero = zero_point_of(&in);
    const float         scale = op->value[0];
    const size_t        size = tensor_size(&in);
    real               *y = values_of(net, &out);
    for (size_t l = 0; l < SHOAL_WIDTH; l++) {
        const uint8_t *x = bytes_of(net, &in, l);
        for (size_t i = 0; i < size; i++)
            set_lane(&y[i], l, scale * (float)(as_integer(x[i], in.type) - zero));
    }
}

#if SHOAL_WIDTH == 1

/* aux: zero point of in, multiplier, shift, zero point of out. */
void shoal_requantize_forward(struct shoal *net, const struct operation *op)
{
    const struct tensor in = tensor_at(net, op->in), out = tensor_at(net, op->out);
    const struct tensor aux = tensor_at(net, op->aux);
    const int32_t      *n = constants_of(net, &aux), least = least_of(out.type), largest = largest_of(out.type);
    const uint8_t      *x = bytes_of(net, &in, 0);
    void               *y = bytes_of(net, &out, 0);
    for (size_t i = 0; i < tensor_size(&in); i++) {
        const int32_t q = (in.type == I16 ? ((const int16_t *)(const void *)x)[i] : as_integer(x[i], in.type)) - n[0];
        const int32_t whole = clamped(scaled(q, n[1], n[2]), least - n[3], largest - n[3]) + n[3];
        if (out.type == I32) ((int32_t *)y)[i] = whole;
        else if (out.type == I16) ((int16_t *)y)[i] = (int16_t)whole;
        else ((uint8_t *)y)[i] = (uint8_t)whole;
    }
}

#endif

void SHOAL_NAME(quantized_lookup)(struct shoal *net, const struct operation *op)
{
    const struct tensor in = tensor_at(net, op->in), out = tensor_at(net, op->out);
    const struct tensor aux = tensor_at(net, op->aux);
    const uint8_t      *table = integers_of(net, &aux), first = in.type == I8 ? 128 : 0;
    const size_t        size = tensor_size(&in);
    for (size_t l = 0; l < SHOAL_WIDTH; l++) {
        const uint8_t *x = bytes_of(net, &in, l);
        uint8_t       *y = bytes_of(net, &out, l);
        for (size_t i = 0; i < size; i++) y[i] = table[(uint8_t)(x[i] + first)];
    }
}
