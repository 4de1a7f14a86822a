#include "flash.h"

#include <stdlib.h>
#include <string.h>

enum { ERASED, PROGRAMMED, TORN };

/* Marsaglia's xorshift, mixed. */
uint32_t flash_random(struct flash *f)
{
    f->random ^= f->random << 13;
    f->random ^= f->random >> 17;
    f->random ^= f->random << 5;
    return (uint32_t)((f->random * UINT64_C(0x9E3779B97F4A7C15)) >> 32);
}

static uint8_t any_bits(struct flash *f) { return (uint8_t)(flash_random(f) >> 24); }

/* What a driver that is asked for the impossible answers. */
static bool misused(struct flash *f)
{
    f->misuse++;
    return false;
}

static bool read(void *context, uint32_t at, void *bytes, uint32_t size)
{
    struct flash *f = context;
    uint8_t      *to = bytes;
    if (f->off) return false;
    if (at > f->size || size > f->size - at) return misused(f);
    if (f->reads++ == f->rot_at) f->bytes[f->rot_bit / 8] ^= (uint8_t)(1u << f->rot_bit % 8);
    for (uint32_t i = 0; i < size; i++) {
        if (f->checked && f->units[(at + i) / f->store.program_size] == TORN) return false;
        to[i] = f->bytes[at + i];
        if (f->weak[at + i] != 0) to[i] ^= f->weak[at + i] & any_bits(f);
    }
    return true;
}

/* Leaves the bytes from `at` somewhere on the way to `target`. */
static void tear(struct flash *f, uint32_t at, const uint8_t *target, uint32_t size)
{
    const bool     few = f->fault == CUT_EARLY || f->fault == CUT_LATE;
    const uint32_t one = flash_random(f) % size; /* few: here, and seldom elsewhere */
    for (uint32_t i = 0; i < size; i++) {
        const uint8_t bits = f->bytes[at + i] ^ target[i];
        uint8_t       changed = bits & any_bits(f);
        if (f->fault == CUT) changed = i < f->extent % (size + 1) ? bits : 0;
        if (few) changed = f->fault == CUT_LATE ? bits : 0;
        if (f->fault == CUT_WEAK || (few && (i == one || any_bits(f) < 4)))
            f->weak[at + i] |= bits & any_bits(f);
        f->bytes[at + i] ^= changed;
    }
}

/* Takes the bytes from `at` to `target` unless a fault comes between: the driver's answer. */
static bool change(struct flash *f, uint32_t at, const uint8_t *target, uint32_t size, uint8_t state)
{
    const uint32_t unit = f->store.program_size, odd = at + f->extent % size;
    const bool     faulty = f->operations++ == f->fault_at;
    if (faulty) f->length = size;
    if (faulty && f->fault == REFUSE) return false;
    if (faulty && f->fault <= HALF) {
        tear(f, at, target, size);
        memset(f->units + at / unit, TORN, size / unit);
        f->off = f->fault <= CUT_LATE;
        return false;
    }
    memset(f->units + at / unit, state, size / unit);
    if (faulty && f->fault == IGNORE) return true;
    const uint8_t lacking = faulty ? f->bytes[odd] ^ target[odd - at] : 0;
    memcpy(f->bytes + at, target, size);
    memset(f->weak + at, 0, size);
    f->bytes[odd] ^= lacking & (uint8_t)-lacking; /* the lowest of the bits that were to change */
    return true;
}

static bool program(void *context, uint32_t at, const void *bytes, uint32_t size)
{
    struct flash  *f = context;
    const uint32_t unit = f->store.program_size;
    const bool     rewritable = f->store.erase == NULL;
    uint8_t        target[256];
    if (f->off) return false;
    if (size != unit || at % unit != 0 || at > f->size - unit || (uintptr_t)bytes % 4 != 0) return misused(f);
    if (!rewritable && f->units[at / unit] != ERASED) return misused(f);
    memcpy(target, bytes, unit);
    for (uint32_t i = 0; i < unit && !rewritable; i++) target[i] &= f->bytes[at + i];
    return change(f, at, target, unit, PROGRAMMED);
}

static bool erase(void *context, uint32_t at)
{
    struct flash  *f = context;
    const uint32_t block = f->store.block_size;
    if (f->off) return false;
    if (at % block != 0 || at > f->size - block) return misused(f);
    f->erasures[at / block]++;
    return change(f, at, f->blank, block, ERASED);
}

void make_flash(struct flash *f, uint32_t block_size, uint32_t program_size, uint32_t blocks,
                bool rewritable, uint32_t seed)
{
    memset(f, 0, sizeof *f);
    f->store.context = f;
    f->store.read = read;
    f->store.program = program;
    f->store.erase = rewritable ? NULL : erase;
    f->store.block_size = block_size;
    f->store.program_size = program_size;
    f->store.blocks = blocks;
    f->size = 2 * blocks * block_size;
    f->bytes = malloc(f->size);
    f->weak = calloc(f->size, 1);
    f->units = malloc(f->size / program_size);
    f->erasures = calloc((size_t)2 * blocks, sizeof *f->erasures);
    f->blank = malloc(block_size);
    f->random = 2 * seed + 1;
    for (uint32_t i = 0; i < f->size; i++) f->bytes[i] = any_bits(f);
    memset(f->units, PROGRAMMED, f->size / program_size);
    memset(f->blank, 0xFF, block_size);
    power_on(f);
}

void free_flash(struct flash *f)
{
    free(f->bytes);
    free(f->weak);
    free(f->units);
    free(f->erasures);
    free(f->blank);
}

void copy_flash(struct flash *to, const struct flash *from)
{
    memcpy(to->bytes, from->bytes, from->size);
    memcpy(to->weak, from->weak, from->size);
    memcpy(to->units, from->units, from->size / from->store.program_size);
    power_on(to);
}

void lay_fault(struct flash *f, enum fault fault, uint32_t operation, uint32_t extent)
{
    f->fault = fault;
    f->fault_at = f->operations + operation;
    f->extent = extent;
    f->length = 0;
}

void power_on(struct flash *f)
{
    f->off = false;
    f->fault_at = f->rot_at = NO_OPERATION;
    f->extent = 0;
}
