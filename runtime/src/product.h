/* Products of matrices on a processor without vectors.
 *
 * Where tile.h unfolds every loop for the vectors of a host, these few functions serve all kernels of
 * a firmware, which keeps it small. Each keeps several sums side by side; each sum is taken in index
 * order, so that the bits are those of tile.h. */
#ifndef SHOAL_PRODUCT_H
#define SHOAL_PRODUCT_H

#include "real.h"

/* y[k] = from[k] + x[j * x_step] * w[j * w_step + k] + ..., k < n, for j ascending below `length`.
 * In these, `from` may be y, or NULL for zeros. */
void shoal_multiply(float *y, const float *from, size_t n, const float *x, size_t x_step, size_t length,
                    const float *w, size_t w_step);

/* y[k] = from[k] + x[j] * w[k * w_step + j] + ..., k < n, for j ascending below `length`. */
void shoal_multiply_turned(float *y, const float *from, size_t n, const float *x, size_t length,
                           const float *w, size_t w_step);

/* y[k] = from[k] + x[j * x_step + k] * w[j * w_step + k] + ..., k < n, for j ascending below `length`. */
void shoal_multiply_each(float *y, const float *from, size_t n, const float *x, ptrdiff_t x_step,
                         size_t length, const float *w, size_t w_step);

/* w[j * w_step + k] -= (rate * x[j]) * y[k], j < length, k < n. */
void shoal_descend(float *w, size_t w_step, float rate, const float *x, size_t length, const float *y,
                   size_t n);

#endif
