/* Windows of convolutions and pools over (height, width, channels). */
#ifndef SHOAL_WINDOW_H
#define SHOAL_WINDOW_H

#include "network.h"

struct window {
    size_t in[3], out[3];           /* height, width, channels */
    size_t kernel[2], stride[2], padding[2];
};

/* A window of an operation from x to y. */
SHOAL_INLINE struct window window_of(const struct operation *op, const struct tensor *x,
                                     const struct tensor *y)
{
    struct window w;
    for (size_t i = 0; i < 3; i++) w.in[i] = x->shape[i], w.out[i] = y->shape[i];
    for (size_t i = 0; i < 2; i++)
        w.kernel[i] = op->kernel[i], w.stride[i] = op->stride[i], w.padding[i] = op->padding[i];
    return w;
}

/* The kernel positions k in [first, end) of the window at `position` that lie inside the input. */
SHOAL_INLINE void kernel_range(const struct window *w, size_t axis, size_t position,
                               size_t *first, size_t *end)
{
    const size_t start = position * w->stride[axis], padding = w->padding[axis];
    const size_t limit = w->in[axis] + padding - start; /* > 0: every window meets the input */
    *first = start < padding ? padding - start : 0;
    *end = w->kernel[axis] < limit ? w->kernel[axis] : limit;
}

/* The positions in [first, end) whose window puts kernel position k inside the input. */
SHOAL_INLINE void position_range(const struct window *w, size_t axis, size_t k,
                                 size_t *first, size_t *end)
{
    const size_t stride = w->stride[axis], padding = w->padding[axis];
    const size_t limit = w->in[axis] + padding; /* position * stride + k < limit */
    *first = k < padding ? (padding - k + stride - 1) / stride : 0;
    *end = k < limit ? (limit - k + stride - 1) / stride : 0;
    if (*end > w->out[axis]) *end = w->out[axis];
    if (*first > *end) *first = *end;
}

/* Input row or column under kernel position k of the window at `position`. */
SHOAL_INLINE size_t under(const struct window *w, size_t axis, size_t position, size_t k)
{
    return position * w->stride[axis] + k - w->padding[axis];
}

#endif
