/* The whole state as bytes, exact, with a checksum. */
#include "network.h"

#define STATE_MAGIC 0x54534853u /* the bytes SHST */

struct saved {
    uint32_t magic, version, image, count, steps, pending, active;
    float    beta1_power, beta2_power;
};

/* CRC-32 as in IEEE 802.3, four bits at a time: a table of 64 bytes. */
static uint32_t crc32_onwards(uint32_t crc, const void *bytes, size_t size)
{
    static const uint32_t table[16] = {
        0x00000000, 0x1DB71064, 0x3B6E20C8, 0x26D930AC, 0x76DC4190, 0x6B6B51F4, 0x4DB26158, 0x5005713C,
        0xEDB88320, 0xF00F9344, 0xD6D6A3E8, 0xCB61B38C, 0x9B64C2B0, 0x86D3D2D4, 0xA00AE278, 0xBDBDF21C,
    };
    const uint8_t *at = bytes;
    crc = ~crc;
    for (size_t i = 0; i < size; i++) {
        crc ^= at[i];
        crc = crc >> 4 ^ table[crc & 15];
        crc = crc >> 4 ^ table[crc & 15];
    }
    return ~crc;
}

uint32_t shoal_crc32(const void *bytes, size_t size) { return crc32_onwards(0, bytes, size); }

size_t shoal_state_size(const struct shoal *net)
{
    return sizeof(struct saved) + 4 * (size_t)net->state_count + 4;
}

float *shoal_state(struct shoal *net) { return net->state; }

uint32_t shoal_checksum(const struct shoal *net)
{
    const size_t   quantized = net->header.quantized;
    const uint32_t crc = shoal_crc32(net->state, 4 * (size_t)net->header.parameters);
    return crc32_onwards(crc, net->state + (net->state_count - quantized), 4 * quantized);
}

static bool are_finite(const uint8_t *values, size_t count)
{
    bool finite = true;
    for (size_t i = 0; i < count; i++) {
        float value;
        memcpy(&value, values + 4 * i, 4);
        finite &= value - value == 0.0f;
    }
    return finite;
}

enum shoal_status shoal_save(const struct shoal *net, void *bytes, size_t size)
{
    const struct saved s = {
        STATE_MAGIC, 1, net->header.checksum, net->state_count, net->steps, net->pending,
        net->active, net->beta1_power, net->beta2_power,
    };
    const size_t values = 4 * (size_t)net->state_count;
    uint8_t     *at = bytes;
    if (size != shoal_state_size(net)) return SHOAL_ERROR_SIZE;
    if (!are_finite((const uint8_t *)net->state, net->state_count - net->header.quantized)) return SHOAL_ERROR_NOT_FINITE;
    memcpy(at, &s, sizeof s);
    memcpy(at + sizeof s, net->state, values);
    const uint32_t crc = shoal_crc32(at, sizeof s + values);
    memcpy(at + sizeof s + values, &crc, 4);
    return SHOAL_OK;
}

enum shoal_status shoal_load(struct shoal *net, const void *bytes, size_t size)
{
    const uint8_t *at = bytes;
    const size_t   values = 4 * (size_t)net->state_count;
    struct saved   s;
    uint32_t       crc;
    if (size != shoal_state_size(net)) return SHOAL_ERROR_STATE;
    memcpy(&s, at, sizeof s);
    memcpy(&crc, at + sizeof s + values, 4);
    if (s.magic != STATE_MAGIC || s.version != 1 || s.image != net->header.checksum ||
        s.count != net->state_count)
        return SHOAL_ERROR_STATE;
    if (crc != shoal_crc32(at, sizeof s + values)) return SHOAL_ERROR_CHECKSUM;
    if (s.active < net->header.active || s.active > net->outputs) return SHOAL_ERROR_STATE;
    if (s.pending > 0 && !(net->header.flags & ACCUMULATE)) return SHOAL_ERROR_STATE;
    if (!(s.beta1_power >= 0.0f && s.beta1_power <= 1.0f) ||
        !(s.beta2_power >= 0.0f && s.beta2_power <= 1.0f))
        return SHOAL_ERROR_STATE;
    if (!are_finite(at + sizeof s, net->state_count - net->header.quantized)) return SHOAL_ERROR_NOT_FINITE;
    memcpy(net->state, at + sizeof s, values);
    net->steps = s.steps;
    net->pending = s.pending;
    net->active = s.active;
    net->beta1_power = s.beta1_power;
    net->beta2_power = s.beta2_power;
    return SHOAL_OK;
}
