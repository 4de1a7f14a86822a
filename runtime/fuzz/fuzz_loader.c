/* Any bytes to the loader alone, as fast as they come: refused, or sound. fuzz_image.c also runs what is accepted. */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t                  needed = 1;
    const enum shoal_status status = shoal_memory_needed(&needed, data, size);
    must(status == SHOAL_OK ? needed > 0 : needed == 0);
    return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed)
{
    return mutate_image(data, size, max_size, seed);
}
