/* The end of the emulated flash: blocks are erased to ones, and programming only clears bits. */
#include "flash.h"

#include <string.h>

#include "model.h"

static uint8_t *const flash = (uint8_t *)FLASH_STORE;

static bool flash_read(void *context, uint32_t at, void *bytes, uint32_t size)
{
    (void)context;
    memcpy(bytes, flash + at, size);
    return true;
}

static bool flash_program(void *context, uint32_t at, const void *bytes, uint32_t size)
{
    (void)context;
    for (uint32_t i = 0; i < size; i++) flash[at + i] &= ((const uint8_t *)bytes)[i];
    return true;
}

static bool flash_erase(void *context, uint32_t at)
{
    (void)context;
    memset(flash + at, 0xFF, MODEL_STORE_BLOCK);
    return true;
}

const struct shoal_store flash_store = {
    NULL, flash_read, flash_program, flash_erase, MODEL_STORE_BLOCK, 8, MODEL_STORE_BLOCKS,
};
