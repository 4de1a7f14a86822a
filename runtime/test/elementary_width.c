/* The elementary functions over arrays, compiled once for each SHOAL_WIDTH. */
#include "../src/elementary.h"

void SHOAL_NAME(map_elementary)(int function, const float *x, float *y, size_t count);

#define MAP(call)                                                                                  \
    for (size_t i = 0; i < count; i += SHOAL_WIDTH) {                                              \
        real a;                                                                                    \
        memcpy(&a, x + i, sizeof a);                                                               \
        a = call(a);                                                                               \
        memcpy(y + i, &a, sizeof a);                                                               \
    }                                                                                              \
    break

/* count is a multiple of SHOAL_WIDTH. */
void SHOAL_NAME(map_elementary)(int function, const float *restrict x, float *restrict y, size_t count)
{
    switch (function) {
    case 0: MAP(real_exp);
    case 1: MAP(real_log);
    case 2: MAP(real_tanh);
    case 3: MAP(real_sigmoid);
    case 4: MAP(real_sqrt);
    default: break;
    }
}
