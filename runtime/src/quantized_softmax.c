/* Softmax on integers, in fixed point as TensorFlow Lite's reference kernel takes it.
 *
 * Qm is a 32-bit number with m bits before the point. exp is taken of a difference in Q5, -32 to 0, the sum of
 * exponentials in Q12, and each answer is an exponential times the reciprocal of the sum. */
#include "quantized.h"

/* exp(a) for a in [-1/4, 0), both Q0: a Taylor polynomial of fourth order around -1/8. */
static int32_t exp_near_zero(int32_t a)
{
    const int32_t x = a + (1 << 28), x2 = high_product(x, x), x3 = high_product(x2, x), x4 = high_product(x2, x2);
    const int32_t inner = rounded_shift(high_product(rounded_shift(x4, 2) + x3, 715827883) + x2, 1);
    return 1895147668 + high_product(1895147668, x + inner); /* exp(-1/8); 1/3 */
}

/* exp(a) in Q0 for a in Q5, a <= 0. */
static int32_t exp_of(int32_t a)
{
    /* exp(-1/4), exp(-1/2), exp(-1), ... exp(-16), each in Q0 */
    static const int32_t factors[] = {1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242};
    const int32_t quarter = 1 << 24, rest = (a & (quarter - 1)) - quarter; /* in [-1/4, 0) */
    const int32_t remainder = rest - a;
    int32_t       result = exp_near_zero((int32_t)((uint32_t)rest << 5));
    for (size_t i = 0; i < sizeof factors / sizeof *factors; i++)
        if (remainder & (quarter << i)) result = high_product(result, factors[i]);
    return a == 0 ? INT32_MAX : result;
}

/* 1 / (1 + a) in Q0 for a in [0, 1) in Q0: three steps of Newton's division. */
static int32_t reciprocal(int32_t a)
{
    const int32_t half = (int32_t)(((int64_t)a + INT32_MAX + 1) >> 1); /* (1 + a) / 2, halves up */
    int32_t       x = 1515870810 + high_product(half, -1010580540);   /* 48/17 - 32/17 d, Q2 */
    for (int i = 0; i < 3; i++) {
        const int32_t error = (1 << 29) - high_product(half, x);
        x += (int32_t)((uint32_t)high_product(x, error) << 2);
    }
    return x < 1 << 30 ? x * 2 : INT32_MAX; /* half of x, from Q2 to Q0 */
}

static void softmax(const uint8_t *x, uint8_t *y, size_t n, uint8_t type, const int32_t *numbers)
{
    int32_t largest = as_integer(x[0], type), sum = 0;
    for (size_t i = 1; i < n; i++) {
        const int32_t q = as_integer(x[i], type);
        if (q > largest) largest = q;
    }
    for (size_t i = 0; i < n; i++) {
        const int32_t difference = as_integer(x[i], type) - largest;
        if (difference >= numbers[2])
            sum = (int32_t)((uint32_t)sum + (uint32_t)rounded_shift(exp_of(scaled(difference, numbers[0], numbers[1])), 12));
    }
    int32_t headroom = 0;
    while (headroom < 31 && ((uint32_t)sum << headroom & 0x80000000u) == 0) headroom++;
    const int32_t shifted = (int32_t)(((uint32_t)sum << headroom) - 0x80000000u);
    const int32_t scale = reciprocal(shifted), bits = 12 - headroom + 31 - 8;
    for (size_t i = 0; i < n; i++) {
        const int32_t difference = as_integer(x[i], type) - largest;
        int32_t       q = 0;
        if (difference >= numbers[2])
            q = rounded_shift(high_product(scale, exp_of(scaled(difference, numbers[0], numbers[1]))), bits < 31 ? bits : 31);
        y[i] = (uint8_t)(type == I8 ? clamped(q - 128, -128, 127) : clamped(q, 0, 255));
    }
}

void SHOAL_NAME(quantized_softmax)(struct shoal *net, const struct operation *op)
{
    const struct tensor in = tensor_at(net, op->in), out = tensor_at(net, op->out), aux = tensor_at(net, op->aux);
    for (size_t l = 0; l < SHOAL_WIDTH; l++)
        softmax(bytes_of(net, &in, l), bytes_of(net, &out, l), tensor_size(&in), in.type, integers_of(net, &aux));
}
