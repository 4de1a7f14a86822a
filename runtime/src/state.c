/* The whole state as bytes, exact, with a checksum. */
#include "network.h"

#define STATE_MAGIC 0x54534853u /* the bytes SHST */

struct saved {
    uint32_t magic, version, image, count, steps, pending, active;
    float    beta1_power, beta2_power;
};

/* CRC-32 as in IEEE 802.3, four bits at a time: a table of 64 bytes. */
uint32_t shoal_crc32_onwards(uint32_t crc, const void *bytes, size_t size)
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

uint32_t shoal_crc32(const void *bytes, size_t size) { return shoal_crc32_onwards(0, bytes, size); }

size_t shoal_state_size(const struct shoal *net)
{
    return sizeof(struct saved) + 4 * (size_t)net->state_count + 4;
}

float *shoal_state(struct shoal *net) { return net->state; }

/* Parameters that learn as integers end the state. */
static size_t floats_of(const struct shoal *net) { return net->state_count - net->header.quantized; }

SHOAL_COLD uint32_t shoal_checksum(const struct shoal *net)
{
    const uint32_t crc = shoal_crc32(net->state, 4 * (size_t)net->header.parameters);
    return shoal_crc32_onwards(crc, net->state + floats_of(net), 4 * (size_t)net->header.quantized);
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

SHOAL_COLD enum shoal_status shoal_save_to(const struct shoal *net,
                                           bool (*put)(void *context, const void *bytes, size_t size),
                                           void *context)
{
    const struct saved s = {
        STATE_MAGIC, 1, net->header.checksum, net->state_count, net->steps, net->pending,
        net->active, net->beta1_power, net->beta2_power,
    };
    const size_t values = 4 * (size_t)net->state_count;
    if (!are_finite((const uint8_t *)net->state, floats_of(net))) return SHOAL_ERROR_NOT_FINITE;
    const uint32_t crc = shoal_crc32_onwards(shoal_crc32(&s, sizeof s), net->state, values);
    if (!put(context, &s, sizeof s) || !put(context, net->state, values) || !put(context, &crc, 4))
        return SHOAL_ERROR_STORAGE;
    return SHOAL_OK;
}

/* One look at a saved state, which changes nothing: its header goes to s, its checksum to crc. */
static enum shoal_status examine(const struct shoal *net, struct saved *s, uint32_t *crc,
                                 bool (*get)(void *context, size_t at, void *bytes, size_t size),
                                 void *context)
{
    const size_t values = 4 * (size_t)net->state_count, floats = 4 * floats_of(net);
    uint8_t      piece[64];
    bool         finite = true;
    if (!get(context, 0, s, sizeof *s) || !get(context, sizeof *s + values, crc, 4)) return SHOAL_ERROR_STORAGE;
    if (s->magic != STATE_MAGIC || s->version != 1 || s->image != net->header.checksum ||
        s->count != net->state_count)
        return SHOAL_ERROR_STATE;
    uint32_t sum = shoal_crc32(s, sizeof *s);
    for (size_t at = 0; at < values; at += sizeof piece) {
        const size_t size = values - at < sizeof piece ? values - at : sizeof piece;
        if (!get(context, sizeof *s + at, piece, size)) return SHOAL_ERROR_STORAGE;
        const size_t left = at < floats ? (floats - at) / 4 : 0;
        finite &= are_finite(piece, left < size / 4 ? left : size / 4);
        sum = shoal_crc32_onwards(sum, piece, size);
    }
    if (sum != *crc) return SHOAL_ERROR_CHECKSUM;
    if (s->active < net->header.active || s->active > net->outputs) return SHOAL_ERROR_STATE;
    if (s->pending > 0 && !(net->header.flags & ACCUMULATE)) return SHOAL_ERROR_STATE;
    if (!(s->beta1_power >= 0.0f && s->beta1_power <= 1.0f) ||
        !(s->beta2_power >= 0.0f && s->beta2_power <= 1.0f))
        return SHOAL_ERROR_STATE;
    return finite ? SHOAL_OK : SHOAL_ERROR_NOT_FINITE;
}

SHOAL_COLD enum shoal_status shoal_load_from(struct shoal *net,
                                             bool (*get)(void *context, size_t at, void *bytes, size_t size),
                                             void *context)
{
    const size_t            values = 4 * (size_t)net->state_count;
    struct saved            s;
    uint32_t                crc;
    const enum shoal_status status = examine(net, &s, &crc, get, context);
    if (status != SHOAL_OK) return status;
    if (!get(context, sizeof s, net->state, values) ||
        shoal_crc32_onwards(shoal_crc32(&s, sizeof s), net->state, values) != crc)
        return SHOAL_ERROR_STORAGE;
    net->steps = s.steps;
    net->pending = s.pending;
    net->active = s.active;
    net->beta1_power = s.beta1_power;
    net->beta2_power = s.beta2_power;
    return SHOAL_OK;
}

/* Both ways with a block of memory. */
static bool append(void *context, const void *bytes, size_t size)
{
    uint8_t **const end = context;
    memcpy(*end, bytes, size);
    *end += size;
    return true;
}

static bool copy(void *context, size_t at, void *bytes, size_t size)
{
    const uint8_t *const *const start = context;
    memcpy(bytes, *start + at, size);
    return true;
}

enum shoal_status shoal_save(const struct shoal *net, void *bytes, size_t size)
{
    uint8_t *end = bytes;
    return size == shoal_state_size(net) ? shoal_save_to(net, append, &end) : SHOAL_ERROR_SIZE;
}

enum shoal_status shoal_load(struct shoal *net, const void *bytes, size_t size)
{
    const uint8_t *start = bytes;
    return size == shoal_state_size(net) ? shoal_load_from(net, copy, &start) : SHOAL_ERROR_STATE;
}
