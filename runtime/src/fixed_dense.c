/* The fully connected layer in fixed point. Weights lie as in float: those of one input side by side. */
#include "fixed.h"

#if SHOAL_WIDTH == 1

#define BLOCK 4               /* sums side by side: what fits a Cortex-M0+'s registers */
#define LARGEST_WEIGHT 0x3FFFFFFF /* below 4 */

struct dense {
    const int16_t *x, *dy;
    int16_t       *y;          /* or dx */
    int32_t       *w, *b;      /* b: NULL without a bias */
    size_t         inputs, outputs;
    uint32_t       bits;       /* of x */
};

/* Constants are read only: what is written passed updates(). */
static int32_t *weights_at(const struct shoal *net, uint16_t number)
{
    if (number == NONE) return NULL;
    const struct tensor t = tensor_at(net, number);
    return (int32_t *)(uintptr_t)integers_of(net, &t);
}

static struct dense describe(const struct shoal *net, const struct operation *op)
{
    const struct tensor x = tensor_at(net, op->in), w = tensor_at(net, op->weights);
    struct dense        d;
    d.x = fixed_values(net, &x);
    d.dy = NULL;
    d.y = NULL;
    d.w = weights_at(net, op->weights);
    d.b = weights_at(net, op->bias);
    d.inputs = w.shape[1];
    d.outputs = w.shape[2];
    d.bits = x.zero_point;
    return d;
}

/* Modulo 2^32, so that no weights can overflow; sums of weights within +-4 never wrap. */
static int32_t shifted(uint32_t sum, uint32_t shift)
{
    return (int32_t)sum >> shift;
}

/* --- Forward --------------------------------------------------------------------------------- */

void shoal_fixed_dense(struct shoal *net, const struct operation *op)
{
    const struct tensor out = tensor_at(net, op->out);
    const struct dense  d = describe(net, op);
    int16_t            *y = fixed_values(net, &out);
    const uint32_t      s = growth(d.inputs), last = d.bits + UPPER_BITS - s - out.zero_point;
    const uint32_t      half = UINT32_C(1) << (last - 1), bias = WEIGHT_BITS - UPPER_BITS - d.bits + s;
    const int16_t *const end = d.x + d.inputs;
    const size_t        m = d.outputs;
    size_t              o = 0;
#define BEGIN(k) (d.b ? half + (uint32_t)(d.b[o + (k)] >> bias) : half)
#define ADD_TO(sum, k) sum += (uint32_t)((v * (w[k] >> 16)) >> s)
    for (; o + BLOCK <= m; o += BLOCK) {
        uint32_t       s0 = BEGIN(0), s1 = BEGIN(1), s2 = BEGIN(2), s3 = BEGIN(3);
        const int32_t *w = d.w + o;
        for (const int16_t *x = d.x;; w += m) {
            const int32_t v = *x++;
            if (v != 0) { /* after a relu half of them are 0 */
                ADD_TO(s0, 0);
                ADD_TO(s1, 1);
                ADD_TO(s2, 2);
                ADD_TO(s3, 3);
            }
            if (x == end) break;
        }
        y[o] = saturated(shifted(s0, last));
        y[o + 1] = saturated(shifted(s1, last));
        y[o + 2] = saturated(shifted(s2, last));
        y[o + 3] = saturated(shifted(s3, last));
    }
    for (; o < m; o++) {
        uint32_t       sum = BEGIN(0);
        const int32_t *w = d.w + o;
        for (const int16_t *x = d.x;; w += m) {
            const int32_t v = *x++;
            ADD_TO(sum, 0);
            if (x == end) break;
        }
        y[o] = saturated(shifted(sum, last));
    }
#undef BEGIN
#undef ADD_TO
}

/* --- Backward -------------------------------------------------------------------------------- */

static void propagate(const struct dense *d)
{
    const uint32_t       s = growth(d->outputs), last = UPPER_BITS - s;
    const int16_t *const end = d->dy + d->outputs;
    const int32_t       *w = d->w;
    for (size_t i = 0; i < d->inputs; i++) {
        uint32_t sum = UINT32_C(1) << (last - 1);
        for (const int16_t *dy = d->dy; dy != end; dy++, w++) sum += (uint32_t)((*dy * (*w >> 16)) >> s);
        d->y[i] = saturated(shifted(sum, last));
    }
}

/* A learning rate as mantissa * 2^-15 for the input, then a shift for each product: right, or left below 0. */
struct rate {
    int32_t mantissa, shift;
};

/* From the bits of a float of at least 0. Products of inputs and gradients have bits + GRADIENT_BITS. */
static struct rate rate_of(float value, uint32_t bits)
{
    struct rate r = {0, 0};
    uint32_t    pattern;
    memcpy(&pattern, &value, sizeof pattern);
    int32_t exponent = (int32_t)(pattern >> 23 & 255) - 127;
    if (exponent < -126) return r; /* 0, or too small for any step */
    r.mantissa = (int32_t)(((pattern & 0x7FFFFFu) + 0x800000u + 256u) >> 9);
    if (r.mantissa == 1 << 15) {
        r.mantissa = 1 << 14;
        exponent++;
    }
    r.shift = (int32_t)bits + GRADIENT_BITS - WEIGHT_BITS - 1 - exponent;
    r.shift = r.shift > 31 ? 31 : r.shift < -30 ? -30 : r.shift;
    return r;
}

/* w - v * dy for a row of weights. The highest bit of the answer is set where one left +-2^30. */
static uint32_t step(int32_t *w, int32_t v, const int16_t *dy, size_t n, int32_t shift)
{
    uint32_t outside = 0;
#define MOVE(k, by)                                                   \
    {                                                                 \
        const uint32_t moved = (uint32_t)w[k] - (uint32_t)(by);       \
        w[k] = (int32_t)moved;                                        \
        outside |= moved ^ moved << 1;                                \
    }
    if (shift < 0) {
        const int32_t most = LARGEST_WEIGHT >> -shift, factor = (int32_t)(UINT32_C(1) << -shift);
        for (size_t k = 0; k < n; k++) {
            const int32_t g = v * dy[k];
            MOVE(k, (g > most ? most : g < -most ? -most : g) * factor)
        }
        return outside;
    }
    const int32_t half = (int32_t)(UINT32_C(1) << shift >> 1);
#define DESCEND(k) MOVE(k, (v * dy[k] + half) >> shift)
    for (; n >= BLOCK; n -= BLOCK, w += BLOCK, dy += BLOCK) {
        DESCEND(0)
        DESCEND(1)
        DESCEND(2)
        DESCEND(3)
    }
    for (; n > 0; n--, w++, dy++) DESCEND(0)
    return outside;
#undef DESCEND
#undef MOVE
}

static void hold(int32_t *w, size_t n)
{
    for (size_t k = 0; k < n; k++)
        w[k] = w[k] > LARGEST_WEIGHT ? LARGEST_WEIGHT : w[k] < -LARGEST_WEIGHT - 1 ? -LARGEST_WEIGHT - 1 : w[k];
}

/* Some columns of the weights: w is the first of them. */
static void descend(const struct dense *d, struct channels run, struct rate rate)
{
    const size_t   n = run.end - run.first;
    int32_t *const first = d->w + run.first;
    int32_t       *w = first;
    uint32_t       outside = 0;
    for (size_t i = 0;; w += d->outputs) {
        const int32_t v = (rate.mantissa * d->x[i] + (1 << 14)) >> 15;
        if (v != 0) outside |= step(w, v, d->dy + run.first, n, rate.shift);
        if (++i == d->inputs) break;
    }
    if (outside >> 31)
        for (size_t i = 0; i < d->inputs; i++) hold(first + i * d->outputs, n);
}

static void descend_bias(const struct dense *d, struct channels run, struct rate rate)
{
    const size_t  n = run.end - run.first;
    const int32_t v = (int32_t)(((uint32_t)rate.mantissa << d->bits) + (1u << 14)) >> 15; /* an input of 1 */
    if (v != 0 && step(d->b + run.first, v, d->dy + run.first, n, rate.shift) >> 31) hold(d->b + run.first, n);
}

void shoal_fixed_dense_backward(struct shoal *net, const struct operation *op)
{
    const struct tensor gradient = tensor_at(net, op->in2);
    struct dense        d = describe(net, op);
    const struct rate   rate = rate_of(net->optimizer.rate, d.bits);
    d.dy = fixed_values(net, &gradient);
    if (op->out != NONE) {
        const struct tensor dx = tensor_at(net, op->out);
        d.y = fixed_values(net, &dx);
        propagate(&d);
    }
    for (size_t r = 0; r < runs_of(op); r++) {
        const struct channels run = run_at(net, op, r, d.outputs);
        if (updates(net, op, UPDATE_WEIGHTS)) descend(&d, run, rate);
        if (updates(net, op, UPDATE_BIAS)) descend_bias(&d, run, rate);
    }
}

#else
typedef int fixed_dense_is_for_devices; /* a translation unit must not be empty */
#endif
