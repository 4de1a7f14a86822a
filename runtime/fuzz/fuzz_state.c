/* Any bytes as a saved state: refused without a trace, or safe to go on with.
 *
 * An input is an image followed by a state of it. */
#include <stdlib.h>

#include "fuzz.h"

enum { SAVED = 36, LIMIT = 50000 }; /* SAVED: bytes before the values */

/* The size of the image that leads the data, 0 where there is none. */
static size_t image_size(const uint8_t *data, size_t size)
{
    uint32_t length;
    if (size < sizeof(struct header)) return 0;
    memcpy(&length, data + 8, 4);
    return length <= size ? length : 0;
}

static uint64_t loads, accepted;

static void report(void)
{
    fprintf(stderr, "states accepted: %llu of %llu\n", (unsigned long long)accepted, (unsigned long long)loads);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc, (void)argv;
    return atexit(report);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const size_t  split = image_size(data, size), given = size - split;
    size_t        needed;
    struct shoal *net;
    if (shoal_memory_needed(&needed, data, split) != SHOAL_OK || needed > LIMIT || work_of(data) > LIMIT) return 0;
    void    *memory = exactly(needed), *before = exactly(needed);
    uint8_t *state = exactly(given); /* apart, so that the sanitizer sees its end */
    memcpy(state, data + split, given);
    must(shoal_open(&net, data, split, memory, needed) == SHOAL_OK);
    memcpy(before, memory, needed);
    loads++;
    if (shoal_load(net, state, given) == SHOAL_OK) {
        accepted++;
        uint8_t *again = exactly(given);
        must(shoal_save(net, again, given) == SHOAL_OK);
        must(memcmp(again, state, given) == 0);
        free(again);
        exercise(net, data, (uint32_t)given);
    } else {
        must(memcmp(before, memory, needed) == 0);
    }
    free(state);
    free(memory);
    free(before);
    return 0;
}

#ifdef FUZZER
/* Changes the state and mostly repairs its checksum, seldom the image. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed)
{
    size_t   split = image_size(data, size);
    uint32_t random = seed * 2654435761u;
    if (split == 0 || seed % 64 == 0) return LLVMFuzzerMutate(data, size, max_size);
    if (random >> 28 == 0) size = split + LLVMFuzzerMutate(data + split, size - split, max_size - split);
    const size_t given = size - split;
    if (given < SAVED + 4) return size;
    uint8_t *state = data + split;
    if (random >> 28 > 4) { /* a counter */
        const uint32_t at = random % (SAVED / 4);
        uint32_t       word;
        memcpy(&word, state + 4 * at, 4);
        word = random >> 20 & 1 ? word + (random >> 8 & 7) - 3 : random;
        memcpy(state + 4 * at, &word, 4);
    } else { /* a value */
        static const uint32_t values[] = {0, 0x80000000u, 0x3F800000u, 0x7F800000u, 0x7FC00000u, 0x7F7FFFFFu, 0xFF7FFFFFu, 1};
        memcpy(state + SAVED + 4 * (random % ((given - SAVED) / 4)), &values[random >> 25 & 7], 4);
    }
    if (random >> 16 & 7) { /* of this image, in this format */
        memcpy(state, "SHST\1\0\0", 8);
        memcpy(state + 8, data + 12, 4);
    }
    if (random >> 19 & 7) {
        const uint32_t crc = shoal_crc32(state, given - 4);
        memcpy(state + given - 4, &crc, 4);
    }
    return size;
}
#endif
