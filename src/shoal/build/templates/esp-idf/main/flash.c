/* The partition `shoal` of partitions.csv. */
#include "flash.h"

#include "esp_partition.h"
#include "model.h"

static const esp_partition_t *partition(void)
{
    return esp_partition_find_first(ESP_PARTITION_TYPE_DATA, (esp_partition_subtype_t)0x40, "shoal");
}

static bool flash_get(void *context, uint32_t at, void *bytes, uint32_t size)
{
    (void)context;
    const esp_partition_t *part = partition();
    return part != NULL && esp_partition_read(part, at, bytes, size) == ESP_OK;
}

static bool flash_put(void *context, uint32_t at, const void *bytes, uint32_t size)
{
    (void)context;
    const esp_partition_t *part = partition();
    return part != NULL && esp_partition_write(part, at, bytes, size) == ESP_OK;
}

static bool flash_clear(void *context, uint32_t at)
{
    (void)context;
    const esp_partition_t *part = partition();
    return part != NULL && esp_partition_erase_range(part, at, MODEL_STORE_BLOCK) == ESP_OK;
}

const struct shoal_store flash_store = {
    NULL, flash_get, flash_put, flash_clear, MODEL_STORE_BLOCK, 8, MODEL_STORE_BLOCKS,
};
