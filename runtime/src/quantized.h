/* Integer arithmetic of quantized operations, that of TensorFlow Lite's reference kernels.
 *
 * A real value is scale * (q - zero point). Sums of products are exact in 32 bits, so they may be taken
 * in any order; a sum becomes an output by a fixed-point multiplication, which rounds twice, but once in Dense. */
#ifndef SHOAL_QUANTIZED_H
#define SHOAL_QUANTIZED_H

#include "network.h"

/* a * b / 2^31, rounded, halves up; the one product that does not fit saturates. */
SHOAL_INLINE int32_t high_product(int32_t a, int32_t b)
{
    if (a == INT32_MIN && b == INT32_MIN) return INT32_MAX;
    return (int32_t)(((int64_t)a * b + (INT64_C(1) << 30)) >> 31);
}

/* x / 2^exponent, rounded, halves away from 0; exponent 0 to 31. */
SHOAL_INLINE int32_t rounded_shift(int32_t x, int32_t exponent)
{
    const uint32_t below = (uint32_t)((UINT64_C(1) << exponent) - 1);
    const uint32_t rest = (uint32_t)x & below, half = (below >> 1) + (x < 0 ? 1u : 0u);
    return (int32_t)((int64_t)x >> exponent) + (rest > half ? 1 : 0);
}

/* x times multiplier / 2^31 * 2^shift. A left shift wraps as 32 bits do. */
SHOAL_INLINE int32_t scaled(int32_t x, int32_t multiplier, int32_t shift)
{
    const int32_t left = shift > 0 ? shift : 0;
    return rounded_shift(high_product((int32_t)((uint32_t)x << left), multiplier), left - shift);
}

/* The same, rounded once, halves away from 0: what Dense does. */
SHOAL_INLINE int32_t scaled_once(int32_t x, int32_t multiplier, int32_t shift)
{
    const int64_t half = INT64_C(1) << (30 - shift), product = (int64_t)x * multiplier;
    return (int32_t)((product + half - (x < 0 ? 1 : 0)) >> (31 - shift));
}

SHOAL_INLINE int32_t clamped(int32_t x, int32_t least, int32_t largest)
{
    return x < least ? least : x > largest ? largest : x;
}

#endif
