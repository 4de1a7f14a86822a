/* Pools and the mean over height and width, on integers. */
#include "quantized.h"
#include "window.h"

SHOAL_INLINE int32_t pooled(const struct window *v, const uint8_t *x, uint8_t type, size_t row, size_t column,
                            bool average)
{
    size_t  first[2], end[2];
    int32_t result = average ? 0 : INT32_MIN;
    kernel_range(v, 0, row, &first[0], &end[0]);
    kernel_range(v, 1, column, &first[1], &end[1]);
    for (size_t ky = first[0]; ky < end[0]; ky++)
        for (size_t kx = first[1]; kx < end[1]; kx++) {
            const size_t  at = (under(v, 0, row, ky) * v->in[1] + under(v, 1, column, kx)) * v->in[2];
            const int32_t q = as_integer(x[at], type);
            if (average) result += q;
            else if (q > result) result = q;
        }
    if (!average) return result;
    const int32_t count = (int32_t)((end[0] - first[0]) * (end[1] - first[1]));
    return (result + (result > 0 ? count / 2 : -(count / 2))) / count; /* halves away from 0 */
}

SHOAL_INLINE void pool(struct shoal *net, const struct operation *op, bool average)
{
    const struct tensor in = tensor_at(net, op->in), out = tensor_at(net, op->out), aux = tensor_at(net, op->aux);
    const struct window v = window_of(op, &in, &out);
    const int32_t      *limits = integers_of(net, &aux);
    for (size_t l = 0; l < SHOAL_WIDTH; l++) {
        const uint8_t *x = bytes_of(net, &in, l);
        uint8_t       *y = bytes_of(net, &out, l);
        for (size_t row = 0; row < v.out[0]; row++)
            for (size_t column = 0; column < v.out[1]; column++)
                for (size_t i = 0; i < v.out[2]; i++)
                    *y++ = (uint8_t)clamped(pooled(&v, x + i, in.type, row, column, average), limits[0], limits[1]);
    }
}

void SHOAL_NAME(quantized_max_pool2d)(struct shoal *net, const struct operation *op) { pool(net, op, false); }
void SHOAL_NAME(quantized_average_pool2d)(struct shoal *net, const struct operation *op) { pool(net, op, true); }

void SHOAL_NAME(quantized_mean)(struct shoal *net, const struct operation *op)
{
    const struct tensor in = tensor_at(net, op->in), out = tensor_at(net, op->out), aux = tensor_at(net, op->aux);
    const int32_t      *numbers = integers_of(net, &aux), zero = zero_point_of(&in);
    const size_t        positions = (size_t)in.shape[0] * in.shape[1], channels = in.shape[2];
    for (size_t l = 0; l < SHOAL_WIDTH; l++) {
        const uint8_t *x = bytes_of(net, &in, l);
        uint8_t       *y = bytes_of(net, &out, l);
        for (size_t i = 0; i < channels; i++) {
            uint32_t sum = 0;
            for (size_t p = 0; p < positions; p++) sum += (uint32_t)(as_integer(x[p * channels + i], in.type) - zero);
            const int32_t q = scaled((int32_t)sum, numbers[2], numbers[3]) + zero_point_of(&out);
            y[i] = (uint8_t)clamped(q, numbers[0], numbers[1]);
        }
    }
}
