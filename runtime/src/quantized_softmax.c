/* Softmax on integers, in fixed point as TensorFlow Lite's reference kernel takes it.
 *
 * Qm is a 32-bit number with m bits before the point. exp is taken of a difference in Q5, -32 to 0, the sum
 * of exponentials in Q12, and each answer is an exponential times the reciprocal of the sum, in Q0: in steps of
 * 2^-8, or as int16 of 2^-16. */
#include "quantized.h"

/* exp(a) for a in [-1/4, 0), both Q0: a Taylor polynomial of fourth order around -1/8. */
static int32_t exp_near_zero(int32_t a)
{
    const int32_t exp_of_eighth = 1895147668, third = 715827883; /* exp(-1/8), 1/3 */
    const int32_t x = a + (1 << 28), x2 = high_product(x, x);
    const int32_t x3 = high_product(x2, x), x4 = high_product(x2, x2);
    const int32_t inner = rounded_shift(high_product(rounded_shift(x4, 2) + x3, third) + x2, 1);
    return exp_of_eighth + high_product(exp_of_eighth, x + inner);
}

/* exp(a) in Q0 for a in Q5, a <= 0: that of a quarter at most, times one factor for each further bit. */
static int32_t exp_of(int32_t a)
{
    /* exp(-1/4), exp(-1/2), exp(-1), ... exp(-16) */
    static const int32_t factors[] = {1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242};
    const uint32_t quarter = 1u << 24, rest = ((uint32_t)a & (quarter - 1)) - quarter;
    const uint32_t quarters = rest - (uint32_t)a;
    int32_t        result = exp_near_zero((int32_t)(rest << 5));
    for (size_t i = 0; i < sizeof factors / sizeof *factors; i++)
        if (quarters & (quarter << i)) result = high_product(result, factors[i]);
    return a == 0 ? INT32_MAX : result;
}

/* 1 / (1 + a) in Q0 for a in [0, 1) in Q0: three steps of Newton's division. */
static int32_t reciprocal(int32_t a)
{
    const int32_t half = (int32_t)(((int64_t)a + INT32_MAX + 1) >> 1); /* (1 + a) / 2, halves up */
    int32_t       x = 1515870810 + high_product(half, -1010580540);   /* 48/17 - 32/17 half, Q2 */
    for (int i = 0; i < 3; i++) {
        const int32_t error = (1 << 29) - high_product(half, x);
        x = (int32_t)((uint32_t)x + ((uint32_t)high_product(x, error) << 2));
    }
    return x < 1 << 30 ? (int32_t)((uint32_t)x << 1) : INT32_MAX; /* half of x, from Q2 to Q0 */
}

/* The exponential of a value's distance to the largest, 0 for what lies too far below. */
SHOAL_INLINE int32_t power_of(int32_t difference, const int32_t numbers[3])
{
    return difference < numbers[2] ? 0 : exp_of(scaled(difference, numbers[0], numbers[1]));
}

/* A probability in steps of 2^-31 / 2^bits; less than half of one is 0. */
SHOAL_INLINE int32_t steps_of(int32_t product, int32_t bits, int32_t most)
{
    const int32_t q = bits > 31 ? 0 : rounded_shift(product, bits);
    return q > most ? most : q;
}

static void softmax(const uint8_t *x, void *y, size_t n, uint8_t type, bool wide, const int32_t numbers[3])
{
    int32_t  largest = as_integer(x[0], type), bits = 35, scale;
    uint32_t sum = 0;
    for (size_t i = 1; i < n; i++) {
        const int32_t q = as_integer(x[i], type);
        if (q > largest) largest = q;
    }
    for (size_t i = 0; i < n; i++)
        sum += (uint32_t)rounded_shift(power_of(as_integer(x[i], type) - largest, numbers), 12);
    for (; bits > 4 && sum < 0x80000000u; bits--) sum <<= 1; /* now sum / 2^31 is in [1, 2) */
    scale = reciprocal((int32_t)(sum - 0x80000000u));
    for (size_t i = 0; i < n; i++) {
        const int32_t product = high_product(scale, power_of(as_integer(x[i], type) - largest, numbers));
        if (wide) ((int16_t *)y)[i] = (int16_t)(steps_of(product, bits - 8, 65535) - 32768);
        else ((uint8_t *)y)[i] = (uint8_t)(steps_of(product, bits, 255) + (type == I8 ? -128 : 0));
    }
}

void SHOAL_NAME(quantized_softmax)(struct shoal *net, const struct operation *op)
{
    const struct tensor in = tensor_at(net, op->in), out = tensor_at(net, op->out);
    const struct tensor aux = tensor_at(net, op->aux);
    for (size_t l = 0; l < SHOAL_WIDTH; l++)
        softmax(bytes_of(net, &in, l), bytes_of(net, &out, l), tensor_size(&in), in.type, is_int16(out.type),
                integers_of(net, &aux));
}
