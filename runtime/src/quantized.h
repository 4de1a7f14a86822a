/* Integer arithmetic of quantized operations, that of TensorFlow Lite's reference kernels.
 *
 * A real value is scale * (q - zero point). Sums of products are exact modulo 2^32, so they may be taken in
 * any order; a sum becomes an output by a fixed-point product, which rounds twice, but once in Dense. */
#ifndef SHOAL_QUANTIZED_H
#define SHOAL_QUANTIZED_H

#include "network.h"

/* a * b / 2^31, rounded, halves up; not both are INT32_MIN. */
SHOAL_INLINE int32_t high_product(int32_t a, int32_t b)
{
    return (int32_t)(((int64_t)a * b + (INT64_C(1) << 30)) >> 31);
}

/* x / 2^exponent, rounded, halves away from 0; exponent 0 to 31, x not INT32_MIN. */
SHOAL_INLINE int32_t rounded_shift(int32_t x, int32_t exponent)
{
    if (exponent == 0) return x;
    return (((x - (x < 0 ? 1 : 0)) >> (exponent - 1)) + 1) >> 1;
}

/* x times multiplier / 2^31 * 2^shift; the multiplier is at least 0. A left shift wraps as 32 bits do. */
SHOAL_INLINE int32_t scaled(int32_t x, int32_t multiplier, int32_t shift)
{
    if (shift >= 0) return high_product((int32_t)((uint32_t)x << shift), multiplier);
    return rounded_shift(high_product(x, multiplier), -shift);
}

/* The same, rounded once, halves away from 0: what Dense does. */
SHOAL_INLINE int32_t scaled_once(int32_t x, int32_t multiplier, int32_t shift)
{
    const int64_t product = (int64_t)x * multiplier - (x < 0 ? 1 : 0);
    if (shift < 0) return (((int32_t)(product >> 31) >> (-1 - shift)) + 1) >> 1;
    return (int32_t)(((product >> (30 - shift)) + 1) >> 1);
}

SHOAL_INLINE int32_t clamped(int32_t x, int32_t least, int32_t largest)
{
    return x < least ? least : x > largest ? largest : x;
}

/* The range of a type of integers. */
SHOAL_INLINE int32_t least_of(uint8_t type)
{
    return type == U8 ? 0 : type == I8 ? -128 : type == I16 ? -32768 : INT32_MIN;
}

SHOAL_INLINE int32_t largest_of(uint8_t type)
{
    return type == U8 ? 255 : type == I8 ? 127 : type == I16 ? 32767 : INT32_MAX;
}

/* An output from what it is above its zero point, kept in a range. */
SHOAL_INLINE uint8_t output_of(int32_t x, int32_t zero, int32_t least, int32_t largest)
{
    return (uint8_t)(clamped(x, least - zero, largest - zero) + zero);
}

/* How sums of products become outputs. */
struct rescaling {
    const int32_t *bias, *scales; /* of the first output: bias or NULL; multiplier, shift */
    int32_t        zero, least, largest;
    bool           once; /* rounded */
};

#define OUTPUTS 32 /* whose sums are taken at once */

struct rescaling SHOAL_NAME(rescaling_of)(const struct shoal *net, const struct operation *op);

/* For outputs from number `first` on: the sums as they begin, and the outputs of finished sums. */
void SHOAL_NAME(begin_sums)(uint32_t *sum, const struct rescaling *r, size_t first, size_t count);
void SHOAL_NAME(rescale)(uint8_t *y, const uint32_t *sum, const struct rescaling *r, size_t first,
                         size_t count);

#endif
