/* Two slots in flash: the newest whole one counts, the other is written next. See STORE.md. */
#include "shoal_store.h"

#include "network.h"

#define RECORD_MAGIC 0x54535353u /* the bytes SSST */

enum { UNIT = 256 }; /* the largest program_size */

struct record {
    uint32_t magic, sequence, size;
    uint32_t data;  /* CRC-32 of the `size` bytes */
    uint32_t check; /* CRC-32 of the four words before */
};

struct slot {
    uint32_t      start;
    uint32_t      marks; /* 0: no record is intact; 1: only the first one is; 2: the last one is */
    struct record record;
};

/* Both records lie in front, in units of their own. */
static uint32_t record_size(const struct shoal_store *store)
{
    const uint32_t unit = store->program_size, size = (uint32_t)sizeof(struct record);
    return (size + unit - 1) / unit * unit;
}

static uint32_t capacity_of(const struct shoal_store *store)
{
    const uint32_t unit = store->program_size, block = store->block_size;
    if (unit < 1 || unit > UNIT || block < 1 || block % unit != 0) return 0;
    if (store->blocks < 1 || store->blocks > UINT32_MAX / 2 / block) return 0;
    const uint32_t slot = store->blocks * block, records = 2 * record_size(store);
    return slot > records ? slot - records : 0;
}

/* --- Reading -------------------------------------------------------------------------- */

static bool is_intact(const struct record *r, uint32_t capacity)
{
    return r->magic == RECORD_MAGIC && r->check == shoal_crc32(r, 16) && r->size - 1 < capacity; /* not 0 */
}

/* Answers whether both records could be read. */
static bool read_slot(const struct shoal_store *store, uint32_t start, struct slot *slot)
{
    bool readable = true;
    memset(slot, 0, sizeof *slot);
    slot->start = start;
    for (uint32_t mark = 1; mark <= 2; mark++) {
        struct record r;
        if (!store->read(store->context, start + (mark - 1) * record_size(store), &r, sizeof r)) {
            readable = false;
        } else if (is_intact(&r, capacity_of(store))) {
            slot->marks = mark;
            slot->record = r;
        }
    }
    return readable;
}

/* Sequence numbers go round: of two, the newer is less than half a round ahead. */
static bool is_newer(const struct slot *a, const struct slot *b)
{
    return a->marks > 0 && (b->marks == 0 || (b->record.sequence - a->record.sequence) >> 31 != 0);
}

static bool goes_before(const struct slot *a, const struct slot *b)
{
    return a->marks != b->marks ? a->marks > b->marks : is_newer(a, b);
}

/* Both slots, first the one to trust. With its second record a slot is certain: its first record and
 * its data were complete before. With the first alone, what was written last may have been cut off,
 * and bits that hold today may not tomorrow; the other slot, if it is certain, goes before it. */
static bool read_slots(const struct shoal_store *store, struct slot slots[2])
{
    bool readable = true;
    for (uint32_t i = 0; i < 2; i++)
        if (!read_slot(store, i * store->blocks * store->block_size, &slots[i])) readable = false;
    if (goes_before(&slots[1], &slots[0])) {
        const struct slot first = slots[1];
        slots[1] = slots[0];
        slots[0] = first;
    }
    return readable;
}

/* One slot as a source of bytes. */
struct reader {
    const struct shoal_store *store;
    uint32_t                  start;
};

static struct reader reader_of(const struct shoal_store *store, const struct slot *slot)
{
    const struct reader r = {store, slot->start + 2 * record_size(store)};
    return r;
}

SHOAL_COLD static bool get(void *context, size_t at, void *bytes, size_t size)
{
    const struct reader *r = context;
    return r->store->read(r->store->context, r->start + (uint32_t)at, bytes, (uint32_t)size);
}

static bool is_whole(const struct shoal_store *store, const struct slot *slot)
{
    struct reader r = reader_of(store, slot);
    uint8_t       piece[64];
    uint32_t      crc = 0;
    if (slot->marks == 0) return false;
    for (uint32_t at = 0; at < slot->record.size; at += (uint32_t)sizeof piece) {
        const uint32_t left = slot->record.size - at;
        const uint32_t size = left < sizeof piece ? left : (uint32_t)sizeof piece;
        if (!get(&r, at, piece, size)) return false;
        crc = shoal_crc32_onwards(crc, piece, size);
    }
    return crc == slot->record.data;
}

SHOAL_COLD struct shoal_store_info shoal_store_info(const struct shoal_store *store)
{
    struct shoal_store_info info = {capacity_of(store), 0, 0, 0};
    struct slot             slots[2];
    if (info.capacity == 0) return info;
    read_slots(store, slots);
    for (uint32_t i = 0; i < 2; i++) {
        const bool whole = is_whole(store, &slots[i]);
        if (whole && info.size == 0) {
            info.size = slots[i].record.size;
            info.sequence = slots[i].record.sequence;
        }
        if (!whole && slots[i].marks > 0) info.damaged++;
    }
    return info;
}

static enum shoal_status load_bytes(const struct shoal_store *store, const struct slot *slot,
                                    void *bytes, size_t size)
{
    struct reader r = reader_of(store, slot);
    if (slot->record.size != size) return SHOAL_ERROR_SIZE;
    if (!get(&r, 0, bytes, size)) return SHOAL_ERROR_STORAGE;
    return shoal_crc32(bytes, size) == slot->record.data ? SHOAL_OK : SHOAL_ERROR_CHECKSUM;
}

/* A saved state carries a CRC-32 of its own. */
static enum shoal_status load_state(const struct shoal_store *store, const struct slot *slot,
                                    struct shoal *net)
{
    struct reader r = reader_of(store, slot);
    if (slot->record.size != shoal_state_size(net)) return SHOAL_ERROR_STATE;
    return shoal_load_from(net, get, &r);
}

/* Into a network, or without one into bytes. */
static enum shoal_status load(const struct shoal_store *store, struct shoal *net, void *bytes, size_t size)
{
    struct slot slots[2];
    if (capacity_of(store) == 0) return SHOAL_ERROR_SIZE;
    enum shoal_status status = read_slots(store, slots) ? SHOAL_ERROR_EMPTY : SHOAL_ERROR_STORAGE;
    for (uint32_t i = 0; i < 2 && slots[i].marks > 0; i++) {
        const enum shoal_status tried = net != NULL ? load_state(store, &slots[i], net)
                                                    : load_bytes(store, &slots[i], bytes, size);
        if (tried == SHOAL_OK) return SHOAL_OK;
        if (i == 0 || tried == SHOAL_ERROR_STORAGE) status = tried;
    }
    return status;
}

SHOAL_COLD enum shoal_status shoal_store_load(const struct shoal_store *store, void *bytes, size_t size)
{
    return load(store, NULL, bytes, size);
}

SHOAL_COLD enum shoal_status shoal_store_load_network(const struct shoal_store *store, struct shoal *net)
{
    return load(store, net, NULL, 0);
}

/* --- Writing -------------------------------------------------------------------------- */

/* One slot as it is written, unit by unit. Blocks are erased as they are reached, the records' first. */
struct writer {
    const struct shoal_store *store;
    struct record             record;
    uint32_t                  start, at, erased; /* the latter two within the slot */
    uint32_t                  filled;            /* bytes that wait in `unit` */
    union {
        uint32_t aligned;
        uint8_t  bytes[UNIT];
    } unit;
};

/* Programs what waits; the rest of its unit is 0xFF. */
static bool flush(struct writer *w)
{
    const struct shoal_store *store = w->store;
    const uint32_t            size = store->program_size;
    if (w->filled == 0) return true;
    for (; w->erased < w->at + size; w->erased += store->block_size)
        if (store->erase != NULL && !store->erase(store->context, w->start + w->erased)) return false;
    memset(w->unit.bytes + w->filled, 0xFF, size - w->filled);
    if (!store->program(store->context, w->start + w->at, w->unit.bytes, size)) return false;
    w->at += size;
    w->filled = 0;
    return true;
}

static bool append(struct writer *w, const void *bytes, size_t size)
{
    const uint8_t *from = bytes;
    while (size > 0) {
        const size_t room = w->store->program_size - w->filled, n = size < room ? size : room;
        memcpy(w->unit.bytes + w->filled, from, n);
        w->filled += (uint32_t)n;
        from += n;
        size -= n;
        if (n == room && !flush(w)) return false;
    }
    return true;
}

SHOAL_COLD static bool put(void *context, const void *bytes, size_t size)
{
    struct writer *w = context;
    w->record.data = shoal_crc32_onwards(w->record.data, bytes, size);
    return append(w, bytes, size);
}

/* Next comes the slot that is not trusted first, or the other where that one's bytes are damaged. */
static enum shoal_status begin(struct writer *w, const struct shoal_store *store, size_t size)
{
    struct slot slots[2];
    if (size == 0 || size > capacity_of(store)) return SHOAL_ERROR_SIZE;
    read_slots(store, slots);
    const struct slot *target = is_whole(store, &slots[0]) ? &slots[1] : &slots[0];
    const struct slot *newest = is_newer(&slots[1], &slots[0]) ? &slots[1] : &slots[0];
    memset(w, 0, sizeof *w);
    w->store = store;
    w->start = target->start;
    w->at = 2 * record_size(store);
    w->record.magic = RECORD_MAGIC;
    w->record.sequence = newest->record.sequence + 1;
    w->record.size = (uint32_t)size;
    return SHOAL_OK;
}

/* The records follow when the data reads as it should, and must do so themselves. */
static enum shoal_status finish(struct writer *w)
{
    struct slot slot = {w->start, 1, w->record};
    bool        done = flush(w) && is_whole(w->store, &slot);
    w->record.check = shoal_crc32(&w->record, 16);
    for (uint32_t i = 0; i < 2 && done; i++) {
        w->at = i * record_size(w->store);
        done = append(w, &w->record, sizeof w->record) && flush(w);
    }
    done = done && read_slot(w->store, w->start, &slot) && slot.marks == 2;
    done = done && memcmp(&slot.record, &w->record, sizeof slot.record) == 0;
    return done ? SHOAL_OK : SHOAL_ERROR_STORAGE;
}

SHOAL_COLD enum shoal_status shoal_store_save(const struct shoal_store *store, const void *bytes, size_t size)
{
    struct writer           w;
    const enum shoal_status status = begin(&w, store, size);
    if (status != SHOAL_OK) return status;
    return put(&w, bytes, size) ? finish(&w) : SHOAL_ERROR_STORAGE;
}

SHOAL_COLD enum shoal_status shoal_store_save_network(const struct shoal_store *store, const struct shoal *net)
{
    struct writer     w;
    enum shoal_status status = begin(&w, store, shoal_state_size(net));
    if (status == SHOAL_OK) status = shoal_save_to(net, put, &w);
    return status == SHOAL_OK ? finish(&w) : status;
}
