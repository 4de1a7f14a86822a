/* exp, log, tanh, sigmoid and sqrt over `real`: the runtime's own, without libm.
 *
 * Each function is a fixed sequence of single IEEE-754 binary32 operations, without a
 * branch, a fused multiply-add or a conversion from float to integer. So every
 * compiler, instruction set and width gives the same bits (the payload of a NaN aside).
 * Compile with -ffp-contract=off, and with -fno-math-errno for the sqrt instruction.
 *
 * All 2^32 inputs were measured. An error is |result - exact| in units of the spacing of
 * floats at the exact result, the subnormal spacing included:
 *
 *   real_exp      0.989 ulp
 *   real_log      0.961 ulp
 *   real_tanh     3.718 ulp, never above 1 in magnitude
 *   real_sigmoid  2.402 ulp
 *   real_sqrt     correctly rounded (0.5 ulp)
 *
 * NaN in gives NaN out; infinities, zeros and subnormals are ordinary inputs.
 * The polynomials are minimax fits of our own, weighted by 1 / ulp.
 */
#ifndef SHOAL_ELEMENTARY_H
#define SHOAL_ELEMENTARY_H

#include "real.h"

#if defined(__FLT_EVAL_METHOD__) && __FLT_EVAL_METHOD__ != 0
#error "float must be evaluated as float: on 32-bit x86, compile with -msse2 -mfpmath=sse"
#endif

/* The bits of a real as unsigned integers, whose shifts and overflow are defined. */
#if SHOAL_WIDTH == 1
typedef uint32_t word;
#else
typedef uint32_t word __attribute__((vector_size(4 * SHOAL_WIDTH)));
#endif

SHOAL_INLINE word word_of(real a)
{
    word bits;
    memcpy(&bits, &a, sizeof bits);
    return bits;
}

SHOAL_INLINE real real_of_word(word bits)
{
    real a;
    memcpy(&a, &bits, sizeof a);
    return a;
}

SHOAL_INLINE float float_of(uint32_t bits)
{
    float a;
    memcpy(&a, &bits, sizeof a);
    return a;
}

/* exp(x) for -104 <= x <= 89, or NaN.
 *
 * x = n ln 2 + r with n an integer and |r| <= ln(2) / 2, in two steps (n times the high
 * part of ln 2 is exact). exp(r) = 1 + (r + r^2 q(r)), q of degree 4.
 */
SHOAL_INLINE real exp_in_range(real x)
{
    /* Added to a small number, this rounds it to an integer n, and leaves n + 254 in the
     * low nine bits: the sum of the biased exponents of two factors of 2^n. Two, because
     * 2^n alone may be no float; only the last product rounds, to a subnormal. */
    const float shift = 12582912.0f + 254.0f;
    real        t = x * 0x1.715476p+0f + shift;
    real        n = t - shift;
    real        r = (x - n * 0x1.62e4p-1f) - n * 0x1.7f7d1cp-20f;
    real        q = splat(0x1.693eaep-10f);
    q = q * r + 0x1.123b1ap-7f;
    q = q * r + 0x1.555a6ap-5f;
    q = q * r + 0x1.55549p-3f;
    q = q * r + 0x1.fffffap-2f;
    real y = 1.0f + (r + (r * r) * q);

    word both = word_of(t);
    word first = both >> 1;
    word second = both - first;
    return (y * real_of_word(first << 23)) * real_of_word(second << 23);
}

SHOAL_INLINE real real_exp(real x)
{
    /* exp(89) overflows to infinity and exp(-104) rounds to 0. */
    return exp_in_range(larger(smaller(x, splat(89.0f)), splat(-104.0f)));
}

/* 1 / (1 + exp(-x)), through exp(-|x|), which cannot overflow and keeps the tail. */
SHOAL_INLINE real real_sigmoid(real x)
{
    real e = exp_in_range(larger(-magnitude(x), splat(-104.0f)));
    return select_real(less(x, splat(0.0f)), e, splat(1.0f)) / (1.0f + e);
}

/* x = 2^e (1 + f) with 2/3 <= 1 + f < 4/3, by integer arithmetic on the bits.
 * log(1 + f) = f - f^2 / 2 + f^3 p(f), p of degree 7; e ln 2 is added in two parts, of
 * which the high one is exact.
 */
SHOAL_INLINE real real_log(real x)
{
    const uint32_t one = 0x3f800000u, two_thirds = 0x3f2aaaabu;
    const float    infinity = float_of(0x7f800000u), nan = float_of(0x7fc00000u);

    /* A subnormal is made normal by 2^25. */
    mask small = less(x, splat(0x1p-126f));
    word bits = word_of(select_real(small, x * 0x1p25f, x)) + (one - two_thirds);
    /* 2^23 with an integer in its low bits is 2^23 + that integer. */
    real e = real_of_word((bits >> 23) | 0x4b000000u)
             - select_real(small, splat(8388608.0f + 127.0f + 25.0f), splat(8388608.0f + 127.0f));
    real f = real_of_word((bits & 0x7fffffu) + two_thirds) - 1.0f;

    real p = splat(-0x1.0a054ep-3f);
    p = p * f + 0x1.1d78aep-3f;
    p = p * f - 0x1.f244c4p-4f;
    p = p * f + 0x1.1f0a5ep-3f;
    p = p * f - 0x1.55a474p-3f;
    p = p * f + 0x1.99cccep-3f;
    p = p * f - 0x1.fffec6p-3f;
    p = p * f + 0x1.55550ep-2f;
    real tail = (f * f) * (f * p - 0.5f) + e * 0x1.7f7d1cp-20f;
    real y = e * 0x1.62e4p-1f + (f + tail);

    real special = select_real(less(x, splat(0.0f)), splat(nan), x);
    special = select_real(equal(x, splat(0.0f)), splat(-infinity), special);
    return select_real(less(splat(0.0f), x) & less(x, splat(infinity)), y, special);
}

/* tanh(x) = 2 N D / (N^2 + D^2) where N / D approximates tanh(x / 2), N odd of degree 5
 * and D = 2 + q even of degree 6. The doubling forgives N / D most of its error where
 * tanh(x) nears 1, so that few coefficients serve the whole range with one division.
 * For tiny x, N = x and D = 2, hence the result is x, exactly. Above 8.3 it is 1: there
 * tanh is within 2.1 ulp of 1, and the quotient would exceed 1 for some inputs above 8.5.
 */
SHOAL_INLINE real real_tanh(real x)
{
    real a = magnitude(x);
    real s = a * a;
    real n = a + (a * s) * (0x1.deea6p-14f * s + 0x1.e7c1b6p-6f);
    real q = ((0x1.49886p-19f * s + 0x1.3c320ep-9f) * s + 0x1.cf45b8p-3f) * s;
    real d = q + 2.0f;
    /* D^2 = 4 + q (q + 4), so that for a small q only the last sum rounds much. */
    real y = n * ((d + d) / ((q * (q + 4.0f) + n * n) + 4.0f));
    y = select_real(less(splat(8.3f), a), splat(1.0f), y);
    return real_of(bits_of(y) | (bits_of(x) & INT32_MIN));
}

/* The correctly rounded root by long division, one binary digit at a time: for
 * processors without a sqrt instruction, and the reference for those that have one. */
static inline float sqrt_portable(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    if ((bits & 0x7fffffffu) == 0 || (bits & 0x7fffffffu) >= 0x7f800000u) {
        /* Of the zeros and the non-finite, all but -infinity are their own root. */
        return bits == 0xff800000u ? float_of(0x7fc00000u) : x + x;
    }
    if (bits >> 31) {
        return float_of(0x7fc00000u);
    }
    uint32_t digits = bits & 0x7fffffu; /* x = digits 2^(exponent - 150) */
    int32_t  exponent = (int32_t)(bits >> 23);
    if (exponent == 0) {
        exponent = 1;
        while (digits < 0x800000u) {
            digits <<= 1;
            exponent--;
        }
    } else {
        digits |= 0x800000u;
    }
    /* An even power of two, and 24 digits in the root. */
    if (exponent % 2 != 0) {
        digits <<= 1;
        exponent -= 1;
    } else {
        digits <<= 2;
        exponent -= 2;
    }
    digits <<= 6; /* the first pair of digits at the top */
    uint32_t root = 0, rest = 0;
    for (int i = 0; i < 24; i++) {
        rest = (rest << 2) | (digits >> 30);
        digits <<= 2;
        uint32_t trial = (root << 2) | 1u;
        root <<= 1;
        if (rest >= trial) {
            rest -= trial;
            root |= 1u;
        }
    }
    /* The rest exceeds the root exactly if the true root is above root + 1/2; no tie exists. */
    if (rest > root) {
        root++;
    }
    return float_of(((uint32_t)((exponent + 128) / 2) << 23) + (root - 0x800000u));
}

SHOAL_INLINE float sqrt_float(float x)
{
#if defined(__SSE_MATH__) || defined(__aarch64__) || (defined(__ARM_FP) && (__ARM_FP & 4)) \
    || defined(__riscv_flen)
    return __builtin_sqrtf(x);
#else
    return sqrt_portable(x);
#endif
}

SHOAL_INLINE real real_sqrt(real x)
{
    real y = x;
    for (size_t i = 0; i < SHOAL_WIDTH; i++) {
        set_lane(&y, i, sqrt_float(lane(x, i)));
    }
    return y;
}

#endif
