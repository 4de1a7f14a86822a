/* LSTM on int8 values with int16 cells: from each row of the input, and what it remembers, a row of the answer.
 *
 * Weights (units, 4 gates, inputs + units); the gates are input, forget, cell, output. A gate is an int16 of 12
 * fraction bits, what sigmoid and tanh give one of 15. The arithmetic is that of TensorFlow Lite's reference kernel. */
#include "dot.h"

#if SHOAL_WIDTH == 1

enum { INPUT, FORGET, CELL, OUTPUT, GATES };
enum { LAST = 4 * GATES, LAST_SHIFT, CELL_BITS, CLIP, BIASES }; /* in aux, behind two scales of each gate */

#define ONE 32767 /* in 15 fraction bits */

/* --- Curves of int16 numbers ------------------------------------------------------------------ */

/* a * b / 2^15, rounded, halves up; not both are -2^15. */
SHOAL_INLINE int32_t product(int32_t a, int32_t b) { return (a * b + (1 << 14)) >> 15; }

static int32_t saturated(int32_t x) { return clamped(x, -32768, 32767); }

/* exp(a) of 15 fraction bits for a <= 0 of 15 - bits: a polynomial around -1/8 for a quarter at most, then one
 * factor for each further bit. */
static int32_t exp_of(int32_t a, int32_t bits)
{
    /* exp(-1/4), exp(-1/2), exp(-1), ... exp(-16) */
    static const uint16_t factors[] = {25520, 19875, 12055, 4435, 600, 11, 0};
    const int32_t quarter = 1 << (13 - bits), rest = (a & (quarter - 1)) - quarter, quarters = rest - a;
    const int32_t exp_of_eighth = 28918, third = 10923;
    const int32_t x = rest * (1 << bits) + (1 << 12), x2 = product(x, x);
    const int32_t x3 = product(x2, x), x4 = product(x2, x2);
    const int32_t inner = rounded_shift(product(rounded_shift(x4, 2) + x3, third) + x2, 1);
    int32_t       result = saturated(exp_of_eighth + product(exp_of_eighth, x + inner));
    for (int32_t i = 0; i < bits + 2 && i < 7; i++)
        if (quarters & (quarter << i)) result = product(result, factors[i]);
    if (bits > 5 && a < -(1 << (20 - bits))) result = 0; /* below -32 */
    return a == 0 ? ONE : result;
}

/* 1 / (1 + a), doubled, of 13 fraction bits for a in [0, 1] of 15: three steps of Newton's division. */
static int32_t twice_reciprocal(int32_t a)
{
    const int32_t half = (a + ONE + 1) >> 1; /* (1 + a) / 2 */
    int32_t       x = 23130 + product(half, -15420); /* 48/17 - 32/17 half */
    for (int i = 0; i < 3; i++) x += saturated(product(x, (1 << 13) - product(half, x)) * 4);
    return x;
}

/* 1 / (1 + exp(-a)) for a of 12 fraction bits. */
static int32_t sigmoid(int32_t a)
{
    if (a == 0) return 1 << 14;
    const int32_t positive = saturated(twice_reciprocal(exp_of(a > 0 ? -a : a, 3)) * 2);
    return a > 0 ? positive : ONE - positive;
}

/* tanh(a) for a of 15 - bits fraction bits: of -2 |a| the exponential e, then (1 - e) / (1 + e). */
static int32_t tanh_of(int32_t a, int32_t bits)
{
    if (a == 0) return 0;
    const int32_t size = saturated((twice_reciprocal(exp_of(a > 0 ? -a : a, bits + 1)) - (1 << 13)) * 4);
    return a > 0 ? size : -size;
}

/* --- The cells -------------------------------------------------------------------------------- */

struct lstm {
    struct patch   patch;
    const uint8_t *w;
    const int32_t *numbers;
    int16_t       *c;
    size_t         inputs, units;
    int32_t        x_zero, h_zero;
};

/* What the rows of four gates make of x, n of its values, without biases or from them on; rescaled. */
static void add_to(int32_t gate[GATES], struct lstm *l, const uint8_t *x, size_t n, const uint8_t *w,
                   const int32_t *biases, const int32_t *scales)
{
    uint32_t sum[GATES];
    l->patch.x = x;
    l->patch.n = l->patch.x_step = l->patch.w_step = n;
    for (size_t g = 0; g < GATES; g++) sum[g] = biases == NULL ? 0 : (uint32_t)biases[g];
    dot(sum, &l->patch, w, l->inputs + l->units, GATES);
    for (size_t g = 0; g < GATES; g++, scales += 4) {
        const int32_t q = scaled((int32_t)sum[g], scales[0], scales[1]);
        gate[g] = saturated(gate[g] + clamped(q, -65536, 65535));
    }
}

static uint8_t answer(struct lstm *l, const uint8_t *x, const uint8_t *h, size_t u)
{
    const int32_t *n = l->numbers, bits = n[CELL_BITS];
    const uint8_t *w = l->w + GATES * u * (l->inputs + l->units);
    int32_t        gate[GATES] = {0};
    l->patch.x_zero = l->x_zero;
    add_to(gate, l, x, l->inputs, w, n + BIASES + GATES * u, n);
    l->patch.x_zero = l->h_zero;
    add_to(gate, l, h, l->units, w + l->inputs, NULL, n + 2);
    const int32_t kept = rounded_shift(sigmoid(gate[FORGET]) * l->c[u], 15);
    const int32_t added = rounded_shift(sigmoid(gate[INPUT]) * tanh_of(gate[CELL], 3), 15 + bits);
    int32_t       c = saturated(kept + added);
    if (n[CLIP] > 0) c = clamped(c, -n[CLIP], n[CLIP]);
    l->c[u] = (int16_t)c;
    const int32_t q = scaled(sigmoid(gate[OUTPUT]) * tanh_of(c, bits), n[LAST], n[LAST_SHIFT]);
    return output_of(q, l->h_zero, -128, 127);
}

void shoal_quantized_lstm(struct shoal *net, const struct operation *op)
{
    const struct tensor in = tensor_at(net, op->in), out = tensor_at(net, op->out);
    const struct tensor w = tensor_at(net, op->weights), aux = tensor_at(net, op->aux);
    const struct tensor hidden = tensor_at(net, op->in2), cells = tensor_at(net, op->bias);
    struct lstm         l;
    memset(&l, 0, sizeof l);
    l.patch.rows = 1;
    l.patch.type = I8;
    l.w = constants_of(net, &w);
    l.numbers = constants_of(net, &aux);
    l.c = remembered(net, &cells);
    l.inputs = in.shape[2];
    l.units = out.shape[2];
    l.x_zero = zero_point_of(&in);
    l.h_zero = zero_point_of(&hidden);
    const uint8_t *x = bytes_of(net, &in, 0), *h = remembered(net, &hidden);
    uint8_t       *y = bytes_of(net, &out, 0);
    for (size_t rows = (size_t)in.shape[0] * in.shape[1]; rows > 0; rows--) {
        for (size_t u = 0; u < l.units; u++) y[u] = answer(&l, x, h, u);
        h = y;
        x += l.inputs;
        y += l.units;
    }
    memcpy(remembered(net, &hidden), h, l.units);
}

#else
typedef int quantized_lstm_is_for_devices; /* a translation unit must not be empty */
#endif
