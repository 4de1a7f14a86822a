/* Bytes as pairs of 16-bit numbers, for cores that multiply two at once (Cortex-M4, M7, M33 and larger). */
#ifndef SHOAL_PAIRS_H
#define SHOAL_PAIRS_H

#include "real.h"

#if SHOAL_WIDTH == 1 && defined(__ARM_FEATURE_SIMD32)
#include <arm_acle.h>
#define PAIRS

SHOAL_INLINE int32_t four_at(const uint8_t *bytes)
{
    int32_t four;
    memcpy(&four, bytes, sizeof four);
    return four;
}

/* Bytes 0 and 2 of four as 16-bit numbers, plus those of `offset`; then bytes 1 and 3. int8 weights have no
 * offset. */
#define EXTEND(name, instruction)                                   \
    SHOAL_INLINE int32_t name(int32_t offset, int32_t four)         \
    {                                                               \
        int32_t pair;                                               \
        __asm__(instruction : "=r"(pair) : "r"(four), "r"(offset)); \
        return pair;                                                \
    }
EXTEND(x_even_I8, "sxtab16 %0, %2, %1")
EXTEND(x_odd_I8, "sxtab16 %0, %2, %1, ror #8")
EXTEND(x_even_U8, "uxtab16 %0, %2, %1")
EXTEND(x_odd_U8, "uxtab16 %0, %2, %1, ror #8")
EXTEND(w_even_U8, "uxtab16 %0, %2, %1")
EXTEND(w_odd_U8, "uxtab16 %0, %2, %1, ror #8")
#undef EXTEND

SHOAL_INLINE int32_t w_even_I8(int32_t offset, int32_t four)
{
    (void)offset;
    return __sxtb16(four);
}

SHOAL_INLINE int32_t w_odd_I8(int32_t offset, int32_t four)
{
    int32_t pair;
    (void)offset;
    __asm__("sxtb16 %0, %1, ror #8" : "=r"(pair) : "r"(four));
    return pair;
}

/* -zero in both halves. */
SHOAL_INLINE int32_t negated_pair(int32_t zero)
{
    return (int32_t)(((0u - (uint32_t)zero) & 0xFFFFu) * 0x10001u);
}

#endif

#endif
