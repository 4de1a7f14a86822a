/* The elementary functions against libm, over every float or every stride-th one.
 *
 *   test_elementary            every 293rd float, and the edges
 *   test_elementary STRIDE     every STRIDE-th float, and the edges
 *   test_elementary all        all 2^32 floats
 *   test_elementary all tanh   all 2^32 floats, of one function
 *
 * Prints for each function its largest error, where that occurs, the number of inputs
 * and a checksum of all results; fails above the bounds that elementary.h documents, or
 * where widths 8 and 16 differ from width 1. Link with elementary_width.c, compiled for
 * SHOAL_WIDTH 1, 8 and 16.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "../src/elementary.h"

typedef void map(int function, const float *x, float *y, size_t count);
map shoal_map_elementary, shoal_map_elementary_w8, shoal_map_elementary_w16;

enum { BLOCK = 4096 };

static long double exact_exp(long double x) { return expl(x); }
static long double exact_log(long double x) { return logl(x); }
static long double exact_tanh(long double x) { return tanhl(x); }
static long double exact_sqrt(long double x) { return sqrtl(x); }
static long double exact_sigmoid(long double x)
{
    long double e = expl(-fabsl(x));
    return (x < 0 ? e : 1) / (1 + e);
}

static double near_exp(double x) { return exp(x); }
static double near_log(double x) { return log(x); }
static double near_tanh(double x) { return tanh(x); }
static double near_sqrt(double x) { return sqrt(x); }
static double near_sigmoid(double x)
{
    double e = exp(-fabs(x));
    return (x < 0 ? e : 1) / (1 + e);
}

static const struct {
    const char *name;
    long double (*exact)(long double x);
    double (*near)(double x);
    double bound; /* ulp */
} functions[] = {
    {"exp", exact_exp, near_exp, 1.0},
    {"log", exact_log, near_log, 1.0},
    {"tanh", exact_tanh, near_tanh, 3.75},
    {"sigmoid", exact_sigmoid, near_sigmoid, 2.45},
    {"sqrt", exact_sqrt, near_sqrt, 0.5},
};

static uint32_t bits_of_float(float a)
{
    uint32_t bits;
    memcpy(&bits, &a, sizeof bits);
    return bits;
}

static bool same(float a, float b) { return bits_of_float(a) == bits_of_float(b) || (a != a && b != b); }

/* The spacing of floats at a finite value; that of the subnormals at the bottom. */
static double spacing(float value)
{
    uint32_t exponent = bits_of_float(value) >> 23 & 0xff;
    uint64_t bits = (uint64_t)((exponent > 0 ? exponent : 1) - 150 + 1023) << 52;
    double   ulp;
    memcpy(&ulp, &bits, sizeof ulp);
    return ulp;
}

/* The error in ulp; infinite if one of the two alone is NaN, infinite or below zero. */
static double error_of(float got, long double exact)
{
    float rounded = (float)exact;
    if (same(got, rounded)) {
        return isfinite(got) ? (double)fabsl((long double)got - exact) / spacing(rounded) : 0;
    }
    if (!isfinite(got) || !isfinite(rounded) || signbit(got) != signbit(rounded)) {
        return (double)INFINITY;
    }
    return (double)(fabsl((long double)got - exact) / (long double)spacing(rounded));
}

/* What is being measured of one function. */
struct measure {
    double   error; /* ulp, the largest so far */
    float    where;
    uint64_t inputs, checksum, failures;
};

static void fail(struct measure *m, const char *what, float x, float got, float want)
{
    if (m->failures++ < 5) {
        printf("  %s at %a: %a instead of %a\n", what, (double)x, (double)got, (double)want);
    }
}

static void measure_block(struct measure *m, int function, const float *x, size_t count)
{
    static float y[BLOCK], y8[BLOCK], y16[BLOCK];
    shoal_map_elementary(function, x, y, BLOCK);
    shoal_map_elementary_w8(function, x, y8, BLOCK);
    shoal_map_elementary_w16(function, x, y16, BLOCK);
    for (size_t i = 0; i < count; i++) {
        if (!same(y8[i], y[i])) {
            fail(m, "width 8 differs from width 1", x[i], y8[i], y[i]);
        }
        if (!same(y16[i], y[i])) {
            fail(m, "width 16 differs from width 1", x[i], y16[i], y[i]);
        }
        if (function == 2 && fabsf(y[i]) > 1) {
            fail(m, "tanh above 1", x[i], y[i], 1);
        }
        if (function == 4 && !same(sqrt_portable(x[i]), y[i])) {
            fail(m, "sqrt_portable", x[i], sqrt_portable(x[i]), y[i]);
        }
        /* libm in double finds the candidates (it is right to 2^-28 of our ulp), in long
         * double it judges them. */
        double error = error_of(y[i], (long double)functions[function].near((double)x[i]));
        if (error > m->error - 1e-6) {
            error = error_of(y[i], functions[function].exact((long double)x[i]));
            if (error > m->error) {
                m->error = error;
                m->where = x[i];
            }
        }
        uint32_t bits = y[i] == y[i] ? bits_of_float(y[i]) : 0x7fc00000u;
        m->checksum = (m->checksum ^ bits) * 0x100000001b3u;
    }
    m->inputs += count;
}

/* Both signs of each with 64 floats to either side. */
static const float edges[] = {
    0.0f,      0x1p-149f, 0x1p-126f, 0x1p-75f,  0x1p-24f,   0x1p-12f, 0.34657359f, 0.5f,    0x1.555556p-1f,
    1.0f,      0x1.555556p0f, 2.0f,  8.3f,      9.01f,      17.32868f, 87.33655f,  88.72284f, 89.0f,
    103.2789f, 103.97208f, 104.0f,   0x1p23f,   0x1p24f,    0x1.fffffep127f, INFINITY,
};

static void measure_edges(struct measure *m, int function)
{
    static float x[BLOCK];
    for (size_t k = 0; k < sizeof edges / sizeof *edges; k++) {
        size_t count = 0;
        for (int32_t near = -64; near <= 64; near++) {
            uint32_t bits = bits_of_float(edges[k]) + (uint32_t)near;
            x[count++] = float_of(bits & 0x7fffffffu);
            x[count++] = float_of(bits | 0x80000000u);
        }
        measure_block(m, function, x, count);
    }
}

/* Where a bound in ulp is not enough: the result is known, and exact. */
static const struct {
    int   function;
    float x, y;
} known[] = {
    {0, 0.0f, 1.0f},           {0, -0.0f, 1.0f},        {0, INFINITY, INFINITY},    {0, -INFINITY, 0.0f},
    {0, -104.0f, 0.0f},        {0, 89.0f, INFINITY},    {0, -1e30f, 0.0f},          {0, NAN, NAN},
    {1, 1.0f, 0.0f},           {1, 0.0f, -INFINITY},    {1, -0.0f, -INFINITY},      {1, INFINITY, INFINITY},
    {1, -1.0f, NAN},           {1, -0x1p-149f, NAN},    {1, -INFINITY, NAN},        {1, NAN, NAN},
    {2, 0.0f, 0.0f},           {2, -0.0f, -0.0f},       {2, INFINITY, 1.0f},        {2, -INFINITY, -1.0f},
    {2, 0x1p-149f, 0x1p-149f}, {2, -1e-20f, -1e-20f},   {2, 0x1p-40f, 0x1p-40f},    {2, NAN, NAN},
    {3, 0.0f, 0.5f},           {3, -0.0f, 0.5f},        {3, INFINITY, 1.0f},        {3, -INFINITY, 0.0f},
    {3, -104.0f, 0.0f},        {3, 30.0f, 1.0f},        {3, -1e30f, 0.0f},          {3, NAN, NAN},
    {4, 0.0f, 0.0f},           {4, -0.0f, -0.0f},       {4, INFINITY, INFINITY},    {4, -INFINITY, NAN},
    {4, -1.0f, NAN},           {4, 4.0f, 2.0f},         {4, 0x1p-148f, 0x1p-74f},   {4, NAN, NAN},
};

static void check_known(struct measure *m, int function)
{
    static float x[BLOCK], y[BLOCK];
    for (size_t k = 0; k < sizeof known / sizeof *known; k++) {
        if (known[k].function == function) {
            x[0] = known[k].x;
            shoal_map_elementary(function, x, y, BLOCK);
            if (!same(y[0], known[k].y)) {
                fail(m, "known result", x[0], y[0], known[k].y);
            }
        }
    }
}

static void measure_all(struct measure *m, int function, uint32_t stride)
{
    static float x[BLOCK];
    uint64_t     bits = 0;
    while (bits <= UINT32_MAX) {
        size_t count = 0;
        for (; count < BLOCK && bits <= UINT32_MAX; bits += stride) {
            x[count++] = float_of((uint32_t)bits);
        }
        measure_block(m, function, x, count);
    }
}

int main(int argc, char **argv)
{
    uint32_t stride = 293;
    if (argc > 1) {
        stride = strcmp(argv[1], "all") == 0 ? 1 : (uint32_t)strtoul(argv[1], NULL, 10);
    }
    if (stride == 0) {
        fprintf(stderr, "usage: %s [STRIDE | all] [FUNCTION]\n", argv[0]);
        return 2;
    }
    bool good = true;
    for (int function = 0; function < (int)(sizeof functions / sizeof *functions); function++) {
        if (argc > 2 && strcmp(argv[2], functions[function].name) != 0) {
            continue;
        }
        struct measure m = {0};
        check_known(&m, function);
        measure_edges(&m, function);
        measure_all(&m, function, stride);
        bool within = m.error <= functions[function].bound && m.failures == 0;
        good = good && within;
        printf("%-8s %.4f ulp at %.9g (%a), bound %.2f, %llu inputs, checksum %016llx%s\n",
               functions[function].name, m.error, (double)m.where, (double)m.where,
               functions[function].bound, (unsigned long long)m.inputs,
               (unsigned long long)m.checksum, within ? "" : "  FAILED");
        fflush(stdout);
    }
    return good ? 0 : 1;
}
