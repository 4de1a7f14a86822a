/* Callbacks that are still to be written: they refuse, so nothing outlives the power. Each needs a few lines of
 * the board's flash driver; shoal_store.h says what it has to do. */
#include "flash.h"

#include "model.h"

static bool stub_read(void *context, uint32_t at, void *bytes, uint32_t size)
{
    (void)context, (void)at, (void)bytes, (void)size;
    return false;
}

static bool stub_program(void *context, uint32_t at, const void *bytes, uint32_t size)
{
    (void)context, (void)at, (void)bytes, (void)size;
    return false;
}

static bool stub_erase(void *context, uint32_t at)
{
    (void)context, (void)at;
    return false;
}

const struct shoal_store flash_store = {
    NULL, stub_read, stub_program, stub_erase, MODEL_STORE_BLOCK /* bytes of a block */, 8 /* bytes programmed at once */,
    MODEL_STORE_BLOCKS /* blocks of a slot, of which there are two */,
};
