/* Turning (transposing) blocks of floats, so that vectors can be made of what lies apart. */
#ifndef SHOAL_TURN_H
#define SHOAL_TURN_H

#include "real.h"

#if defined(__GNUC__) && (defined(__SSE__) || defined(__aarch64__))
typedef float four __attribute__((vector_size(16)));

/* to[o][i] = from[i][o] for 4 x 4 values. */
SHOAL_INLINE void turn_block(float *to, size_t to_stride, const float *from, size_t stride)
{
    four v[4];
    for (size_t i = 0; i < 4; i++) memcpy(&v[i], from + i * stride, sizeof v[i]);
    const four a = __builtin_shufflevector(v[0], v[1], 0, 4, 1, 5);
    const four b = __builtin_shufflevector(v[0], v[1], 2, 6, 3, 7);
    const four c = __builtin_shufflevector(v[2], v[3], 0, 4, 1, 5);
    const four d = __builtin_shufflevector(v[2], v[3], 2, 6, 3, 7);
    const four turned[4] = {
        __builtin_shufflevector(a, c, 0, 1, 4, 5), __builtin_shufflevector(a, c, 2, 3, 6, 7),
        __builtin_shufflevector(b, d, 0, 1, 4, 5), __builtin_shufflevector(b, d, 2, 3, 6, 7),
    };
    for (size_t o = 0; o < 4; o++) memcpy(to + o * to_stride, &turned[o], sizeof turned[o]);
}
#else
SHOAL_INLINE void turn_block(float *to, size_t to_stride, const float *from, size_t stride)
{
    for (size_t i = 0; i < 4; i++)
        for (size_t o = 0; o < 4; o++) to[o * to_stride + i] = from[i * stride + o];
}
#endif

#endif
