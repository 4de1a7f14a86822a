/* The number that every kernel computes with.
 *
 * Kernels are written once, over `real`. At SHOAL_WIDTH 1 a real is a float: the
 * build for a device. At width 8 or 16 it is a vector with one simulated device in
 * each lane. No operation here mixes lanes, so each lane holds, bit for bit, what
 * width 1 computes from the same data.
 */
#ifndef SHOAL_REAL_H
#define SHOAL_REAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifndef SHOAL_WIDTH
#define SHOAL_WIDTH 1
#endif

/* SHOAL_NAME(open) is shoal_open at width 1 and shoal_open_w16 at width 16. */
#define SHOAL_PASTE_(a, b) a##b
#define SHOAL_PASTE(a, b) SHOAL_PASTE_(a, b)
#if SHOAL_WIDTH == 1
#define SHOAL_NAME(name) shoal_##name
#else
#define SHOAL_NAME(name) SHOAL_PASTE(shoal_##name##_w, SHOAL_WIDTH)
#endif

#if defined(__GNUC__)
#define SHOAL_INLINE static inline __attribute__((always_inline))
#define SHOAL_OUTLINED static __attribute__((noinline)) /* alone it needs less flash, or fewer instructions */
#define SHOAL_COLD __attribute__((cold)) /* runs seldom: small rather than fast, and all that it alone calls */
#else
#define SHOAL_INLINE static inline
#define SHOAL_OUTLINED static
#define SHOAL_COLD
#endif

#if SHOAL_WIDTH == 1

typedef float   real;
typedef int32_t mask; /* 0 or -1, as a comparison of vectors gives */

SHOAL_INLINE mask  less(real a, real b) { return a < b ? -1 : 0; }
SHOAL_INLINE mask  equal(real a, real b) { return a == b ? -1 : 0; }
SHOAL_INLINE real  select_real(mask m, real a, real b) { return m ? a : b; }
SHOAL_INLINE real  splat(float a) { return a; }
SHOAL_INLINE float lane(real a, size_t i) { (void)i; return a; }
SHOAL_INLINE void  set_lane(real *a, size_t i, float value) { (void)i; *a = value; }

#else

typedef float   real __attribute__((vector_size(4 * SHOAL_WIDTH)));
typedef int32_t mask __attribute__((vector_size(4 * SHOAL_WIDTH)));

SHOAL_INLINE mask less(real a, real b) { return a < b; }
SHOAL_INLINE mask equal(real a, real b) { return a == b; }
SHOAL_INLINE real select_real(mask m, real a, real b)
{
    return (real)(((mask)a & m) | ((mask)b & ~m));
}
/* Subtracting +0 keeps every value, the sign of zero included. */
SHOAL_INLINE real  splat(float a) { return a - (real){0.0f}; }
SHOAL_INLINE float lane(real a, size_t i) { return a[i]; }
SHOAL_INLINE void  set_lane(real *a, size_t i, float value) { (*a)[i] = value; }

#endif

/* The bits of a real, lane by lane, as signed 32-bit integers. */
SHOAL_INLINE mask bits_of(real a)
{
    mask bits;
    memcpy(&bits, &a, sizeof bits);
    return bits;
}

SHOAL_INLINE real real_of(mask bits)
{
    real a;
    memcpy(&a, &bits, sizeof a);
    return a;
}

SHOAL_INLINE real larger(real a, real b) { return select_real(less(a, b), b, a); }
SHOAL_INLINE real smaller(real a, real b) { return select_real(less(b, a), b, a); }
SHOAL_INLINE real magnitude(real a) { return real_of(bits_of(a) & 0x7fffffff); }

#endif
