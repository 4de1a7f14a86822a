/* Losses in fixed point: the gradient in integers; the loss itself is a float, for the caller to read. */
#include "fixed.h"

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

/* mean (y - t)^2; gradient 2 (y - t) / n, by one division for all */
static float mean_squared_error(const int16_t *y, uint32_t bits, const float *target, int16_t *d, uint32_t n,
                                bool learn)
{
    const uint32_t inverse = UINT32_MAX / n;
    uint64_t       sum = 0;
    for (size_t i = 0; i < n; i++) {
        const int32_t  e = y[i] - nearest(target[i], bits);
        const uint32_t size = (uint32_t)(e < 0 ? -e : e); /* below 2^16 */
        sum += size * size;
        if (!learn) continue;
        const uint64_t twice = size << (GRADIENT_BITS + 1 - bits); /* of GRADIENT_BITS */
        const int32_t  g = (int32_t)((twice * inverse + (UINT32_C(1) << 31)) >> 32);
        d[i] = saturated(e < 0 ? -g : g);
    }
    const float unit = real_of((int32_t)(127 - 2 * bits) << 23); /* 2^(-2 bits) */
    /* By halves: a library turns 64 bits into a float through doubles. */
    const float total = (float)(uint32_t)(sum >> 32) * 4294967296.0f + (float)(uint32_t)sum;
    return total * unit / (float)n;
}

/* -log2 of p / 2^16, of 15 bits, for p from 1 to 2^16 - 1 (largest error 1.2e-4). */
static uint32_t negative_log2(uint32_t p)
{
    uint32_t whole = 1; /* zeros before p, of 16 digits */
    while (p >> 15 == 0) {
        p <<= 1;
        whole++;
    }
    const int32_t f = (int32_t)p - 32768, bump = f * (32768 - f) >> 15;
    const int32_t curve = (((2691 * f >> 15) - 7833) * f >> 15) + 14376;
    return (whole << 15) - (uint32_t)(f + (bump * curve >> 15));
}

/* -log p of the true class, p no smaller than 2^-16; gradient p - 1{true} */
static float cross_entropy(const int16_t *p, size_t label, int16_t *d, size_t n, bool learn)
{
    const int32_t chosen = label < n ? p[label] : 0;
    if (learn) {
        for (size_t i = 0; i < n; i++) d[i] = (int16_t)((p[i] + 2) >> 2);
        if (label < n) d[label] = saturated(d[label] - (1 << GRADIENT_BITS));
    }
    return (float)negative_log2(chosen > 0 ? 2 * (uint32_t)chosen : 1) * (0.69314718f / 32768.0f);
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
