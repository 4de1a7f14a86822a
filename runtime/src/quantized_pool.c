/* Pools and the mean over height and width, on integers. */
#include "quantized.h"
#include "window.h"

enum kind { LARGEST, SUM };

/* int8 with the sign bit turned over is q + 128, in the order of uint8. */
SHOAL_INLINE uint8_t turn_of(uint8_t type) { return is_int8(type) ? 128 : 0; }

/* Rows and columns of neighbouring values, each step to the next. */
struct area {
    const uint8_t *x;
    size_t         rows, columns, row_step, column_step;
    uint8_t        turn;
};

/* The largest or the sum, of `count` channels from x on. */
SHOAL_INLINE void reduce(uint32_t result[OUTPUTS], const struct area *a, size_t first, size_t count,
                         enum kind kind)
{
    memset(result, 0, sizeof *result * count);
    for (size_t r = 0; r < a->rows; r++)
        for (size_t c = 0; c < a->columns; c++) {
            const uint8_t *x = a->x + r * a->row_step + c * a->column_step + first;
            for (size_t k = 0; k < count; k++) {
                const uint32_t value = (uint32_t)(x[k] ^ a->turn);
                if (kind == SUM) result[k] += value;
                else if (value > result[k]) result[k] = value;
            }
        }
}

/* Halves away from 0. */
SHOAL_INLINE int32_t rounded_quotient(int32_t sum, int32_t count)
{
    return (sum + (sum > 0 ? count / 2 : -(count / 2))) / count;
}

SHOAL_INLINE void pool_window(const struct area *a, uint8_t *y, size_t channels, const int32_t limits[2],
                              enum kind kind)
{
    const int32_t positions = (int32_t)(a->rows * a->columns), least = limits[0], largest = limits[1];
    uint32_t      result[OUTPUTS];
    for (size_t first = 0, count; first < channels; first += count) {
        count = channels - first < OUTPUTS ? channels - first : OUTPUTS;
        reduce(result, a, first, count, kind);
        for (size_t k = 0; k < count; k++) {
            const int32_t whole = (int32_t)result[k];
            const int32_t q = kind == SUM ? rounded_quotient(whole - positions * a->turn, positions)
                                          : whole - a->turn;
            y[first + k] = (uint8_t)clamped(q, least, largest);
        }
    }
}

SHOAL_INLINE void pool(struct shoal *net, const struct operation *op, enum kind kind)
{
    const struct tensor in = tensor_at(net, op->in), out = tensor_at(net, op->out);
    const struct tensor aux = tensor_at(net, op->aux);
    const struct window v = window_of(op, &in, &out);
    const size_t        channels = v.in[2];
    struct area         a = {NULL, 0, 0, v.in[1] * channels, channels, turn_of(in.type)};
    for (size_t l = 0; l < SHOAL_WIDTH; l++) {
        const uint8_t *x = bytes_of(net, &in, l);
        uint8_t       *y = bytes_of(net, &out, l);
        for (size_t row = 0; row < v.out[0]; row++)
            for (size_t column = 0; column < v.out[1]; column++, y += channels) {
                size_t ky, ky_end, kx, kx_end;
                kernel_range(&v, 0, row, &ky, &ky_end);
                kernel_range(&v, 1, column, &kx, &kx_end);
                a.x = x + under(&v, 0, row, ky) * a.row_step + under(&v, 1, column, kx) * channels;
                a.rows = ky_end - ky;
                a.columns = kx_end - kx;
                pool_window(&a, y, channels, integers_of(net, &aux), kind);
            }
    }
}

void SHOAL_NAME(quantized_max_pool2d)(struct shoal *net, const struct operation *op)
{
    pool(net, op, LARGEST);
}

void SHOAL_NAME(quantized_average_pool2d)(struct shoal *net, const struct operation *op)
{
    pool(net, op, SUM);
}

/* The multiplier holds the division by the number of positions. */
void SHOAL_NAME(quantized_mean)(struct shoal *net, const struct operation *op)
{
    const struct tensor in = tensor_at(net, op->in), out = tensor_at(net, op->out);
    const struct tensor aux = tensor_at(net, op->aux);
    const int32_t      *numbers = integers_of(net, &aux), zero = zero_point_of(&out);
    const size_t        channels = in.shape[2], positions = (size_t)in.shape[0] * in.shape[1];
    struct area         a = {NULL, 1, positions, 0, channels, turn_of(in.type)};
    const uint32_t      offset = (uint32_t)positions * (uint32_t)(a.turn + zero_point_of(&in));
    uint32_t            sum[OUTPUTS];
    for (size_t l = 0; l < SHOAL_WIDTH; l++) {
        uint8_t *y = bytes_of(net, &out, l);
        a.x = bytes_of(net, &in, l);
        for (size_t first = 0, count; first < channels; first += count) {
            count = channels - first < OUTPUTS ? channels - first : OUTPUTS;
            reduce(sum, &a, first, count, SUM);
            for (size_t k = 0; k < count; k++) {
                const int32_t q = scaled((int32_t)(sum[k] - offset), numbers[2], numbers[3]);
                y[first + k] = output_of(q, zero, numbers[0], numbers[1]);
            }
        }
    }
}
