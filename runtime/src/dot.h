/* Sums of products of bytes, the work of quantized Dense and Conv2D. */
#ifndef SHOAL_DOT_H
#define SHOAL_DOT_H

#include "pairs.h"
#include "quantized.h"

#ifdef PAIRS
#define POSITIONS 2 /* that are computed at once, of int8 */
#else
#define POSITIONS 1
#endif

/* What a window covers: rows of n bytes of x, and of the weights. */
struct patch {
    const uint8_t *x, *second;             /* second: the same window at another position, or NULL */
    size_t         rows, n, x_step, w_step; /* steps from row to row */
    int32_t        x_zero, w_zero;
    uint8_t        type; /* of x and w */
};

/* Adds to the sums, modulo 2^32, for each of the outputs, whose weights lie `size` apart:
 * sum[k] += sum over rows r and i < n of
 *           (x[r * x_step + i] - x_zero) * (w[k * size + r * w_step + i] - w_zero).
 * The sums of the second position begin at sum[OUTPUTS]. There is room for as many sums as make a multiple of
 * four; rows, n and outputs are at least 1. */
#define dot SHOAL_NAME(dot)
void dot(uint32_t *sum, const struct patch *p, const uint8_t *w, size_t size, size_t outputs);

#endif
