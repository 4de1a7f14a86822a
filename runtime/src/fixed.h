/* Fixed point: what learns without a single floating-point operation, on cores that have none.
 *
 * A value is an int16 of as many fraction bits as its tensor says, a gradient one of 13, a probability one of 15.
 * A weight or bias is an int32 of 28 bits, held within +-4. Products take the upper half of a weight, steps its
 * lower half too, so that small steps count. Whatever is too large saturates. */
#ifndef SHOAL_FIXED_H
#define SHOAL_FIXED_H

#include "network.h"

#define WEIGHT_BITS      28
#define GRADIENT_BITS    13
#define PROBABILITY_BITS 15
#define UPPER_BITS       (WEIGHT_BITS - 16) /* of the upper half of a weight */
#define MOST_TERMS       65536              /* of a sum */

SHOAL_INLINE int16_t *fixed_values(const struct shoal *net, const struct tensor *t)
{
    return (int16_t *)(void *)bytes_of(net, t, 0);
}

SHOAL_INLINE int16_t saturated(int32_t x)
{
    return (int16_t)(x > INT16_MAX ? INT16_MAX : x < INT16_MIN ? INT16_MIN : x);
}

/* How far each product is shifted right for n of them to fit 2^30: max(0, ceil(log2 n) - 1). */
SHOAL_INLINE uint32_t growth(uint64_t n)
{
    uint32_t shift = 0;
    while (shift < 63 && UINT64_C(2) << shift < n) shift++;
    return shift;
}

#endif
