/* The partition `storage_partition` of the board's devicetree. */
#include "flash.h"

#include <zephyr/storage/flash_map.h>

#include "model.h"

static const struct flash_area *partition(void)
{
    const struct flash_area *area;
    return flash_area_open(FIXED_PARTITION_ID(storage_partition), &area) == 0 ? area : NULL;
}

static bool flash_get(void *context, uint32_t at, void *bytes, uint32_t size)
{
    (void)context;
    const struct flash_area *area = partition();
    return area != NULL && flash_area_read(area, (off_t)at, bytes, size) == 0;
}

static bool flash_put(void *context, uint32_t at, const void *bytes, uint32_t size)
{
    (void)context;
    const struct flash_area *area = partition();
    return area != NULL && flash_area_write(area, (off_t)at, bytes, size) == 0;
}

static bool flash_clear(void *context, uint32_t at)
{
    (void)context;
    const struct flash_area *area = partition();
    return area != NULL && flash_area_erase(area, (off_t)at, MODEL_STORE_BLOCK) == 0;
}

const struct shoal_store flash_store = {
    NULL, flash_get, flash_put, flash_clear, MODEL_STORE_BLOCK, 8, MODEL_STORE_BLOCKS,
};
