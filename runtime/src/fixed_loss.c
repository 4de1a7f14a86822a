/* Losses in fixed point: the gradient in integers; the loss itself is a float, for the caller to read. */
#include "fixed.h"
#include "elementary.h"

#if SHOAL_WIDTH == 1

/* The int16 of so many fraction bits that is nearest to a finite float, halves away from 0. */
static int32_t nearest(float value, uint32_t bits)
{
    uint32_t pattern;
    memcpy(&pattern, &value, sizeof pattern);
    const int32_t exponent = (int32_t)(pattern >> 23 & 255) - 127 + (int32_t)bits;
    if (exponent < -1) return 0;
    int32_t magnitude = 32768;
    if (exponent < 15)
        magnitude = (int32_t)((((pattern & 0x7FFFFFu) + 0x800000u) >> (22 - exponent)) + 1) >> 1;
    return saturated(pattern >> 31 ? -magnitude : magnitude);
}

/* mean (y - t)^2; gradient 2 (y - t) / n, halves away from 0 */
static float mean_squared_error(const int16_t *y, uint32_t bits, const float *target, int16_t *d, uint32_t n,
                                bool learn)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < n; i++) {
        const int32_t  e = y[i] - nearest(target[i], bits);
        const uint32_t size = (uint32_t)(e < 0 ? -e : e); /* below 2^16 */
        sum += size * size;
        if (!learn) continue;
        const uint32_t twice = size << (GRADIENT_BITS + 1 - bits);
        const int32_t  g = (int32_t)(n == 1 ? twice : (twice + n / 2) / n);
        d[i] = saturated(e < 0 ? -g : g);
    }
    const float unit = real_of((int32_t)(127 - 2 * bits) << 23); /* 2^(-2 bits) */
    return (float)sum * unit / (float)n;
}

/* -log p of the true class, p no smaller than 2^-16; gradient p - 1{true} */
static float cross_entropy(const int16_t *p, size_t label, int16_t *d, size_t n, bool learn)
{
    const int32_t chosen = label < n ? p[label] : 0;
    if (learn) {
        for (size_t i = 0; i < n; i++) d[i] = (int16_t)((p[i] + 2) >> 2);
        if (label < n) d[label] = saturated(d[label] - (1 << GRADIENT_BITS));
    }
    return -real_log((chosen > 0 ? (float)chosen : 0.5f) * (1.0f / 32768.0f));
}

float shoal_fixed_loss(struct shoal *net, const struct operation *op, const float *target, bool learn)
{
    const struct tensor in = tensor_at(net, op->in), out = tensor_at(net, op->out);
    const int16_t      *from = fixed_values(net, &in);
    int16_t            *to = fixed_values(net, &out);
    const size_t        n = tensor_size(&in);
    if (op->code == QUANTIZED + CROSS_ENTROPY) return cross_entropy(from, (size_t)target[0], to, n, learn);
    return mean_squared_error(from, in.zero_point, target, to, (uint32_t)n, learn);
}

#else
typedef int fixed_loss_is_for_devices; /* a translation unit must not be empty */
#endif
