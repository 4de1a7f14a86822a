#include "quantized.h"

struct rescaling SHOAL_NAME(rescaling_of)(const struct shoal *net, const struct operation *op)
{
    const struct tensor aux = tensor_at(net, op->aux), out = tensor_at(net, op->out);
    const int32_t      *numbers = integers_of(net, &aux);
    struct rescaling    r = {NULL, numbers + 2, zero_point_of(&out), numbers[0], numbers[1],
                             op->code == QUANTIZED + DENSE};
    if (op->bias != NONE) {
        const struct tensor bias = tensor_at(net, op->bias);
        r.bias = integers_of(net, &bias);
    }
    return r;
}

void SHOAL_NAME(begin_sums)(uint32_t *sum, const struct rescaling *r, size_t first, size_t count)
{
    if (r->bias == NULL) memset(sum, 0, sizeof *sum * count);
    else memcpy(sum, r->bias + first, sizeof *sum * count);
}

void SHOAL_NAME(rescale)(uint8_t *y, const uint32_t *sum, const struct rescaling *r, size_t first,
                         size_t count)
{
    const struct rescaling p = *r;
    const int32_t         *scale = p.scales + 2 * first;
    for (size_t i = 0; i < count; i++, scale += 2) {
        const int32_t x = (int32_t)sum[i];
        const int32_t q = p.once ? scaled_once(x, scale[0], scale[1]) : scaled(x, scale[0], scale[1]);
        y[i] = output_of(q, p.zero, p.least, p.largest);
    }
}
