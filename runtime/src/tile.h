/* Tiles: how kernels keep many sums side by side, on a host; product.h says how a firmware does.
 *
 * A sum is always taken in index order, so speed comes from taking several independent sums at
 * once: of neighbouring outputs, input channels or positions. Every matrix product of the runtime,
 * forward and backward, is one accumulate() over a tile of `positions` x `units` sums. What a
 * unit is depends on the build and changes no bit of any result:
 *
 *   pack  lanes: one real. Width 1: a vector of PACK neighbouring floats.
 *   one   what is left at width 1: a single float.
 *
 * SCALAR: width 1 without vectors. -DSHOAL_SCALAR builds a host's kernels as those of a firmware.
 */
#ifndef SHOAL_TILE_H
#define SHOAL_TILE_H

#include "network.h"
#include "turn.h"

#if SHOAL_WIDTH == 1 && !defined(SHOAL_SCALAR) && defined(__GNUC__) && \
    (defined(__SSE__) || defined(__aarch64__))
#if defined(__AVX512F__)
#define PACK 16
#elif defined(__AVX__)
#define PACK 8
#else
#define PACK 4
#endif
#else
#define PACK 1
#endif
#define SCALAR (SHOAL_WIDTH == 1 && PACK == 1)

/* Tiles fit the registers: 32 of them, or 16. */
#if defined(__AVX512F__) || defined(__aarch64__)
#define TILE_POSITIONS 4
#define TILE_UNITS 4
#elif SHOAL_WIDTH > 1 || PACK > 1
#define TILE_POSITIONS 2
#define TILE_UNITS 4
#else
#define TILE_POSITIONS 1
#define TILE_UNITS 8
#endif
#if defined(__AVX512F__) && SHOAL_WIDTH > 1
#define TILE_ROW 16 /* units where there is one position */
#else
#define TILE_ROW 8
#endif
#define TILE_SUMS (TILE_POSITIONS * TILE_UNITS > TILE_ROW ? TILE_POSITIONS * TILE_UNITS : TILE_ROW)

typedef real one;
#if PACK > 1
typedef float pack __attribute__((vector_size(4 * PACK)));

SHOAL_INLINE pack load_pack(const void *at, bool shared, size_t i)
{
    pack v;
    (void)shared;
    memcpy(&v, (const float *)at + i, sizeof v);
    return v;
}

SHOAL_INLINE void store_pack(real *at, pack v) { memcpy(at, &v, sizeof v); }
#else
typedef real pack;

SHOAL_INLINE pack load_pack(const void *at, bool shared, size_t i) { return parameter(at, shared, i); }
SHOAL_INLINE void store_pack(real *at, pack v) { *at = v; }
#endif

SHOAL_INLINE one  load_one(const void *at, bool shared, size_t i) { return parameter(at, shared, i); }
SHOAL_INLINE void store_one(real *at, one v) { *at = v; }

/* Factors of a product: element (j, k) lies at at[first + j * step + k * next]. */
struct factors {
    const void *at;
    bool        shared;
    size_t      first, step, next;
};

/* sum[p][k] += a(j, p) * b(j, k) for j ascending; a single reals, b units.
 * begin: sums of `units` start with b or, where it is absent, 0; end: they are stored. */
#define DEFINE_TILE(unit)                                                                           \
    SHOAL_INLINE void accumulate_##unit(unit *sum, size_t length, const real *a, size_t a_step,     \
                                        size_t a_next, size_t positions, struct factors b,          \
                                        size_t units)                                               \
    {                                                                                               \
        for (size_t j = 0; j < length; j++)                                                         \
            for (size_t p = 0; p < positions; p++) {                                                \
                const real x = a[j * a_step + p * a_next];                                          \
                for (size_t k = 0; k < units; k++)                                                  \
                    sum[p * units + k] +=                                                           \
                        x * load_##unit(b.at, b.shared, b.first + j * b.step + k * b.next);         \
            }                                                                                       \
    }                                                                                               \
    SHOAL_INLINE void begin_##unit(unit *sum, size_t positions, const void *at, bool shared,        \
                                   size_t first, size_t step, size_t units)                         \
    {                                                                                               \
        const unit zero = {0};                                                                      \
        for (size_t p = 0; p < positions; p++)                                                      \
            for (size_t k = 0; k < units; k++)                                                      \
                sum[p * units + k] =                                                                \
                    at ? load_##unit(at, shared, first + p * step + k * SIZE_##unit) : zero;        \
    }                                                                                               \
    SHOAL_INLINE void end_##unit(const unit *sum, size_t positions, real *at, size_t step,          \
                                 size_t units)                                                      \
    {                                                                                               \
        for (size_t p = 0; p < positions; p++)                                                      \
            for (size_t k = 0; k < units; k++)                                                      \
                store_##unit(at + p * step + k * SIZE_##unit, sum[p * units + k]);                  \
    }

#define SIZE_pack PACK
#define SIZE_one 1
DEFINE_TILE(pack)
DEFINE_TILE(one)
#undef DEFINE_TILE

/* call(unit, units) for tiles at `first` over [0, n) neighbours: of `whole` units, half as many, of 16 a
 * quarter, one. Downwards, what was used last comes first, while the nearest cache still holds it. */
#define FOR_UNITS(first, n, whole, call)                                                      \
    do {                                                                                      \
        size_t first = 0;                                                                     \
        for (; first + (whole) * PACK <= (n); first += (whole) * PACK) call(pack, whole);     \
        for (; first + (whole) / 2 * PACK <= (n); first += (whole) / 2 * PACK)                \
            call(pack, (whole) / 2);                                                          \
        for (; (whole) > 8 && first + (whole) / 4 * PACK <= (n); first += (whole) / 4 * PACK) \
            call(pack, (whole) / 4);                                                          \
        for (; first + PACK <= (n); first += PACK) call(pack, 1);                             \
        for (; PACK > 1 && first < (n); first++) call(one, 1);                                \
    } while (0)

#define FOR_UNITS_DOWN(first, n, whole, call)                        \
    do {                                                             \
        size_t first = (n);                                          \
        while (first % PACK > 0) {                                   \
            first--;                                                 \
            call(one, 1);                                            \
        }                                                            \
        while (first % ((whole) / 2 * PACK) > 0) {                   \
            first -= PACK;                                           \
            call(pack, 1);                                           \
        }                                                            \
        while (first % ((whole) * PACK) > 0) {                       \
            first -= (whole) / 2 * PACK;                             \
            call(pack, (whole) / 2);                                 \
        }                                                            \
        while (first > 0) {                                          \
            first -= (whole) * PACK;                                 \
            call(pack, whole);                                       \
        }                                                            \
    } while (0)

/* Positions that fit a tile when `left` remain: a whole tile of them, half of it, or one. */
SHOAL_INLINE size_t tile_of(size_t left)
{
    return left >= TILE_POSITIONS ? TILE_POSITIONS : left >= 2 && TILE_POSITIONS > 1 ? 2 : 1;
}

/* call(positions), a constant, for one of the sizes above. */
#define WITH_POSITIONS(size, call)                                          \
    do {                                                                    \
        if (TILE_POSITIONS > 2 && (size) == TILE_POSITIONS) call(TILE_POSITIONS); \
        else if (TILE_POSITIONS > 1 && (size) == 2) call(2);                \
        else call(1);                                                       \
    } while (0)

/* For the gradient of inputs a unit is made of input channels, whose weights lie a row apart. On a
 * host at width 1 they are first turned, TURNED_OUTPUTS outputs at a time, so that they lie together. */
#define TURNED_OUTPUTS 64

#if PACK > 1
#define TURNED_ROOM(units) (TURNED_OUTPUTS * PACK * (units))

SHOAL_INLINE struct factors turned_pack(float *room, const void *w, bool shared, size_t first,
                                        size_t stride, size_t outputs, size_t units)
{
    const float         *from = (const float *)w + first;
    const size_t         width = units * PACK;
    const struct factors turned = {room, false, 0, width, PACK};
    size_t               o = 0;
    (void)shared;
    for (; o + 4 <= outputs; o += 4)
        for (size_t i = 0; i < width; i += 4)
            turn_block(room + o * width + i, width, from + i * stride + o, stride);
    for (; o < outputs; o++)
        for (size_t i = 0; i < width; i++) room[o * width + i] = from[i * stride + o];
    return turned;
}
#else
#define TURNED_ROOM(units) 1

SHOAL_INLINE struct factors turned_pack(float *room, const void *w, bool shared, size_t first,
                                        size_t stride, size_t outputs, size_t units)
{
    const struct factors direct = {w, shared, first, 1, stride};
    (void)room, (void)outputs, (void)units;
    return direct;
}
#endif

SHOAL_INLINE struct factors turned_one(float *room, const void *w, bool shared, size_t first,
                                       size_t stride, size_t outputs, size_t units)
{
    const struct factors direct = {w, shared, first, 1, stride};
    (void)room, (void)outputs, (void)units;
    return direct;
}

#endif
