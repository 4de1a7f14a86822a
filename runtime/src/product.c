/* What product.h says; nothing where there are vectors. */
#include "product.h"
#include "tile.h"

#if SCALAR

#define FOUR(each) each(0) each(1) each(2) each(3)
#define EIGHT(each) FOUR(each) each(4) each(5) each(6) each(7)

/* v0, v1, ... between registers and memory. An Arm processor moves several neighbours with one instruction,
 * which compilers do not use for this: they must be told which registers lie side by side. */
#if defined(__GNUC__) && defined(__ARM_FP) && (__ARM_FP & 4) && !defined(__aarch64__)
#define IN(r) __asm__(#r)
#define REGISTERS4(v, a, b, c, d) register float v##0 IN(a), v##1 IN(b), v##2 IN(c), v##3 IN(d)
#define REGISTERS8(v, a, b, c, d, e, f, g, h) \
    REGISTERS4(v, a, b, c, d);                \
    register float v##4 IN(e), v##5 IN(f), v##6 IN(g), v##7 IN(h)
#define LIST4(v, as) as(v##0), as(v##1), as(v##2), as(v##3)
#define LIST8(v, as) LIST4(v, as), as(v##4), as(v##5), as(v##6), as(v##7)
#define READ(v) "t"(v)
#define WRITTEN(v) "=t"(v)
#define LOAD4(v, range, at) \
    __asm__("vldmia %4, {" range "}" : LIST4(v, WRITTEN) : "r"(at), "m"(*(const float(*)[4])(at)))
#define LOAD8(v, range, at) \
    __asm__("vldmia %8, {" range "}" : LIST8(v, WRITTEN) : "r"(at), "m"(*(const float(*)[8])(at)))
#define STORE4(v, range, at) \
    __asm__("vstmia %1, {" range "}" : "=m"(*(float(*)[4])(at)) : "r"(at), LIST4(v, READ))
#define STORE8(v, range, at) \
    __asm__("vstmia %1, {" range "}" : "=m"(*(float(*)[8])(at)) : "r"(at), LIST8(v, READ))
#else
#define REGISTERS4(v, a, b, c, d) float v##0, v##1, v##2, v##3
#define REGISTERS8(v, a, b, c, d, e, f, g, h) float v##0, v##1, v##2, v##3, v##4, v##5, v##6, v##7
#define FROM(v, k, at) v##k = (at)[k]
#define TO(v, k, at) (at)[k] = v##k
#define MOVE4(v, at, how) how(v, 0, at), how(v, 1, at), how(v, 2, at), how(v, 3, at)
#define MOVE8(v, at, how) \
    MOVE4(v, at, how), how(v, 4, at), how(v, 5, at), how(v, 6, at), how(v, 7, at)
#define LOAD4(v, range, at) (MOVE4(v, at, FROM))
#define LOAD8(v, range, at) (MOVE8(v, at, FROM))
#define STORE4(v, range, at) (MOVE4(v, at, TO))
#define STORE8(v, range, at) (MOVE8(v, at, TO))
#endif

static const float zeros[8] = {0.0f};

#define MULTIPLY(k) w##k = v * w##k;
#define ADD(k) s##k += w##k;

void shoal_multiply(float *y, const float *from, size_t n, const float *x, size_t x_step, size_t length,
                    const float *w, size_t w_step)
{
    const size_t moves = from ? 15 : 0; /* a mask: the zeros serve again and again */
    if (!from) from = zeros;
    for (; n >= 8; n -= 8, y += 8, w += 8, from += 8 & moves) {
        const float *a = x, *b = w;
        REGISTERS8(s, s24, s25, s26, s27, s28, s29, s30, s31);
        LOAD8(s, "s24-s31", from);
        for (size_t j = length; j > 0; j--, a += x_step, b += w_step) {
            const float v = *a;
            REGISTERS8(w, s16, s17, s18, s19, s20, s21, s22, s23);
            LOAD8(w, "s16-s23", b);
            EIGHT(MULTIPLY)
            EIGHT(ADD)
        }
        STORE8(s, "s24-s31", y);
    }
    for (; n >= 4; n -= 4, y += 4, w += 4, from += 4 & moves) {
        const float *a = x, *b = w;
        REGISTERS4(s, s24, s25, s26, s27);
        LOAD4(s, "s24-s27", from);
        for (size_t j = length; j > 0; j--, a += x_step, b += w_step) {
            const float v = *a;
            REGISTERS4(w, s16, s17, s18, s19);
            LOAD4(w, "s16-s19", b);
            FOUR(MULTIPLY)
            FOUR(ADD)
        }
        STORE4(s, "s24-s27", y);
    }
    for (; n > 0; n--, y++, w++, from += 1 & moves) {
        const float *a = x, *b = w;
        float        s = *from;
        for (size_t j = length; j > 0; j--, a += x_step, b += w_step) s += *a * *b;
        *y = s;
    }
}

void shoal_multiply_turned(float *y, const float *from, size_t n, const float *x, size_t length,
                           const float *w, size_t w_step)
{
    const size_t moves = from ? 15 : 0;
    if (!from) from = zeros;
    for (; n >= 4; n -= 4, y += 4, w += 4 * w_step, from += 4 & moves) {
        const float *a = x, *r0 = w, *r1 = r0 + w_step, *r2 = r1 + w_step, *r3 = r2 + w_step;
        size_t       j = length;
        float        s0 = from[0], s1 = from[1], s2 = from[2], s3 = from[3];
        for (; j >= 4; j -= 4, a += 4, r0 += 4, r1 += 4, r2 += 4, r3 += 4) {
            REGISTERS4(v, s12, s13, s14, s15);
            REGISTERS4(c, s16, s17, s18, s19);
            REGISTERS4(d, s20, s21, s22, s23);
            REGISTERS4(e, s24, s25, s26, s27);
            REGISTERS4(f, s28, s29, s30, s31);
            LOAD4(v, "s12-s15", a);
            LOAD4(c, "s16-s19", r0);
            LOAD4(d, "s20-s23", r1);
            LOAD4(e, "s24-s27", r2);
            LOAD4(f, "s28-s31", r3);
#define COLUMN(k) s0 += v##k * c##k, s1 += v##k * d##k, s2 += v##k * e##k, s3 += v##k * f##k;
            FOUR(COLUMN)
        }
        for (; j > 0; j--) {
            const float v = *a++;
            s0 += v * *r0++, s1 += v * *r1++, s2 += v * *r2++, s3 += v * *r3++;
        }
        y[0] = s0, y[1] = s1, y[2] = s2, y[3] = s3;
    }
    for (; n > 0; n--, y++, w += w_step, from += 1 & moves) {
        float s = *from;
        for (size_t j = 0; j < length; j++) s += x[j] * w[j];
        *y = s;
    }
}

#define MULTIPLY_EACH(k) w##k = a##k * w##k;

void shoal_multiply_each(float *y, const float *from, size_t n, const float *x, ptrdiff_t x_step,
                         size_t length, const float *w, size_t w_step)
{
    const size_t moves = from ? 15 : 0;
    if (!from) from = zeros;
    for (; n >= 8; n -= 8, y += 8, x += 8, w += 8, from += 8 & moves) {
        const float *b = w;
        ptrdiff_t    i = 0;
        REGISTERS8(s, s24, s25, s26, s27, s28, s29, s30, s31);
        LOAD8(s, "s24-s31", from);
        for (size_t j = length; j > 0; j--, i += x_step, b += w_step) {
            REGISTERS8(a, s8, s9, s10, s11, s12, s13, s14, s15);
            REGISTERS8(w, s16, s17, s18, s19, s20, s21, s22, s23);
            LOAD8(a, "s8-s15", x + i);
            LOAD8(w, "s16-s23", b);
            EIGHT(MULTIPLY_EACH)
            EIGHT(ADD)
        }
        STORE8(s, "s24-s31", y);
    }
    for (; n > 0; n--, y++, x++, w++, from += 1 & moves) {
        const float *b = w;
        ptrdiff_t    i = 0;
        float        s = *from;
        for (size_t j = length; j > 0; j--, i += x_step, b += w_step) s += x[i] * *b;
        *y = s;
    }
}

#define FACTOR(k) const float y##k = y[k];
#define SUBTRACT(k) w##k -= v * y##k;

void shoal_descend(float *w, size_t w_step, float rate, const float *x, size_t length, const float *y,
                   size_t n)
{
    for (; n >= 8; n -= 8, w += 8, y += 8) {
        const float *a = x;
        float       *at = w;
        EIGHT(FACTOR)
        for (size_t j = length; j > 0; j--, at += w_step) {
            const float v = rate * *a++;
            REGISTERS8(w, s16, s17, s18, s19, s20, s21, s22, s23);
            LOAD8(w, "s16-s23", at);
            EIGHT(SUBTRACT)
            STORE8(w, "s16-s23", at);
        }
    }
    for (; n >= 4; n -= 4, w += 4, y += 4) {
        const float *a = x;
        float       *at = w;
        FOUR(FACTOR)
        for (size_t j = length; j > 0; j--, at += w_step) {
            const float v = rate * *a++;
            REGISTERS4(w, s16, s17, s18, s19);
            LOAD4(w, "s16-s19", at);
            FOUR(SUBTRACT)
            STORE4(w, "s16-s19", at);
        }
    }
    for (; n > 0; n--, w++, y++) {
        const float *a = x, g = *y;
        float       *at = w;
        for (size_t j = length; j > 0; j--, at += w_step) *at -= rate * *a++ * g;
    }
}

#endif
