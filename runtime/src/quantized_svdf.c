/* SVDF on int8 values: filters that look at the features of this sample and of those before.
 *
 * Each filter has weights of the input and weights of time. Its sum over the input joins those of earlier samples,
 * which it remembers, the oldest first; their weighted sum is its answer. A unit adds the answers of its filters. */
#include "dot.h"

#if SHOAL_WIDTH == 1

enum { MULTIPLIER, SHIFT, LAST_MULTIPLIER, LAST_SHIFT, BIASES }; /* in aux */

/* Sum of products over time, less the zero point of what is remembered. */
#define WEIGH(type)                                                                                  \
    static uint32_t weigh_##type(const type *times, const type *memory, size_t n, int32_t zero)      \
    {                                                                                                \
        uint32_t sum = 0;                                                                            \
        for (size_t i = 0; i < n; i++) sum += (uint32_t)((memory[i] - zero) * times[i]);             \
        return sum;                                                                                  \
    }
WEIGH(int8_t)
WEIGH(int16_t)

struct svdf {
    const int32_t *numbers;
    const uint8_t *times;
    uint8_t       *memory;
    size_t         filters, length; /* length: samples that are remembered, this one included */
    size_t         bytes;           /* of a value remembered: 1 or 2 */
    int32_t        zero;            /* its zero point */
};

/* Every filter forgets its oldest value; what comes last is not its own and is written next. */
static void forget(const struct svdf *s)
{
    memmove(s->memory, s->memory + s->bytes, s->bytes * (s->filters * s->length - 1));
}

static void remember(const struct svdf *s, size_t filter, uint32_t sum)
{
    const size_t  at = (filter + 1) * s->length - 1;
    const int32_t q = scaled((int32_t)sum, s->numbers[MULTIPLIER], s->numbers[SHIFT]);
    if (s->bytes == 1) s->memory[at] = (uint8_t)(clamped(q, -128, 127) + s->zero);
    else ((int16_t *)(void *)s->memory)[at] = (int16_t)clamped(q, -32768, 32767);
}

static uint32_t weigh(const struct svdf *s, size_t filter)
{
    const size_t at = filter * s->length * s->bytes;
    const void  *times = s->times + at, *memory = s->memory + at;
    return s->bytes == 1 ? weigh_int8_t(times, memory, s->length, s->zero)
                         : weigh_int16_t(times, memory, s->length, 0);
}

void shoal_quantized_svdf(struct shoal *net, const struct operation *op)
{
    const struct tensor x = tensor_at(net, op->in), y = tensor_at(net, op->out);
    const struct tensor w = tensor_at(net, op->weights), times = tensor_at(net, op->bias);
    const struct tensor aux = tensor_at(net, op->aux), memory = tensor_at(net, op->in2);
    const struct svdf   s = {constants_of(net, &aux), constants_of(net, &times), remembered(net, &memory),
                             memory.shape[1], memory.shape[2], bytes_in(memory.type),
                             memory.type == I8 ? zero_point_of(&memory) : 0};
    const uint8_t      *features = constants_of(net, &w);
    const size_t        inputs = w.shape[2], units = y.shape[2], rank = s.filters / units;
    const struct patch  patch = {bytes_of(net, &x, 0), NULL, 1, inputs, inputs, inputs, zero_point_of(&x), 0, I8};
    const int32_t       zero = zero_point_of(&y);
    uint8_t            *to = bytes_of(net, &y, 0);
    uint32_t            sum[OUTPUTS];
    forget(&s);
    for (size_t first = 0, count; first < s.filters; first += count) {
        count = s.filters - first < OUTPUTS ? s.filters - first : OUTPUTS;
        memset(sum, 0, sizeof sum);
        dot(sum, &patch, features + first * inputs, inputs, count);
        for (size_t k = 0; k < count; k++) remember(&s, first + k, sum[k]);
    }
    for (size_t unit = 0; unit < units; unit++) {
        uint32_t answer = (uint32_t)s.numbers[BIASES + unit];
        for (size_t r = 0; r < rank; r++) answer += weigh(&s, unit * rank + r);
        const int32_t q = scaled((int32_t)answer, s.numbers[LAST_MULTIPLIER], s.numbers[LAST_SHIFT]);
        to[unit] = output_of(q, zero, -128, 127);
    }
}

#else
typedef int quantized_svdf_is_for_devices; /* a translation unit must not be empty */
#endif
