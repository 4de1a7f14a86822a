/* The store: power lost at every moment of a save, flash that fails, bits that rot, the format.
 *
 *   test_store [short]
 */
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "flash.h"
#include "vector.h"

enum { LARGEST = 4096 }; /* bytes of a blob */

struct geometry {
    uint32_t block, unit, blocks;
    bool     rewritable, checked;
};

static const struct geometry geometries[] = {
    {64, 1, 5, false, false},  {64, 4, 5, false, false},   {64, 4, 5, true, false},
    {64, 8, 5, false, true},   {128, 2, 3, false, false},  {256, 16, 2, false, true},
    {32, 32, 10, false, false}, {256, 256, 3, false, false}, {4096, 4, 1, false, false},
};
enum { GEOMETRIES = sizeof geometries / sizeof *geometries };

static void make(struct flash *f, const struct geometry *g, uint32_t seed)
{
    make_flash(f, g->block, g->unit, g->blocks, g->rewritable, seed);
    f->checked = g->checked;
}

static uint32_t whole_units(const struct geometry *g, uint32_t size)
{
    return (size + g->unit - 1) / g->unit * g->unit;
}

/* --- Blobs: bytes that a number stands for -------------------------------------------- */

static void fill(uint8_t *bytes, int number, uint32_t size)
{
    uint32_t random = (uint32_t)number * 2654435761u + size;
    for (uint32_t i = 0; i < size; i++) {
        random = random * 1664525u + 1013904223u;
        bytes[i] = (uint8_t)(random >> 24);
    }
    bytes[0] = (uint8_t)number;
}

static enum shoal_status save(struct flash *f, int number, uint32_t size)
{
    uint8_t bytes[LARGEST];
    fill(bytes, number, size);
    return shoal_store_save(&f->store, bytes, size);
}

/* The number of what loads, 0 where nothing does. Bytes that no number stands for fail. */
static int load(struct flash *f, uint32_t size, enum shoal_status *status)
{
    uint8_t *bytes = malloc(size), expected[LARGEST];
    int      number = 0;
    *status = shoal_store_load(&f->store, bytes, size);
    if (*status == SHOAL_OK) {
        number = bytes[0];
        fill(expected, number, size);
        CHECK(number > 0 && memcmp(bytes, expected, size) == 0);
    }
    free(bytes);
    return number;
}

static bool loads(struct flash *f, int number, uint32_t size)
{
    enum shoal_status status;
    return load(f, size, &status) == number;
}

/* After a fault nothing loads only where nothing was saved before; no fault looks like damage. */
static int load_after_fault(struct flash *f, uint32_t size)
{
    enum shoal_status status;
    const int         number = load(f, size, &status);
    CHECK(number > 0 || status == SHOAL_ERROR_EMPTY || (f->checked && status == SHOAL_ERROR_STORAGE));
    return number;
}

/* Two flashes: one holds blobs 1 to `saves`, saved one after another; the other is for trials on it. */
static void make_pair(struct flash *before, struct flash *f, const struct geometry *g,
                      int saves, uint32_t size)
{
    make(before, g, size);
    make(f, g, 7 * size + (uint32_t)saves);
    for (int i = 1; i <= saves; i++) CHECK(save(before, i, size) == SHOAL_OK);
    copy_flash(f, before);
}

static void free_pair(struct flash *before, struct flash *f)
{
    CHECK(before->misuse == 0 && f->misuse == 0);
    free_flash(before);
    free_flash(f);
}

/* Erasures and programs of one more save. */
static uint32_t operations_of(struct flash *f, const struct flash *before, uint32_t size)
{
    copy_flash(f, before);
    const uint32_t start = f->operations;
    CHECK(save(f, 100, size) == SHOAL_OK);
    return f->operations - start;
}

/* --- Power ---------------------------------------------------------------------------- */

/* A save meets a fault: the old blob loads or the new one, and the next save succeeds. */
static void check_fault(struct flash *f, const struct flash *before, int saves, uint32_t size,
                        enum fault fault, uint32_t operation, uint32_t extent)
{
    copy_flash(f, before);
    lay_fault(f, fault, operation, extent);
    const enum shoal_status saved = save(f, saves + 1, size);
    CHECK(saved == SHOAL_ERROR_STORAGE || (saved == SHOAL_OK && fault >= IGNORE));
    power_on(f);
    for (int again = 0; again < 2; again++) {
        const int number = load_after_fault(f, size);
        CHECK(number == saves + 1 || (number == saves && saved != SHOAL_OK));
    }
    CHECK(save(f, saves + 2, size) == SHOAL_OK);
    CHECK(loads(f, saves + 2, size));
}

/* Every operation of a save: power lost after each byte of it and in random ways; it fails. */
static void check_faults(const struct geometry *g, uint32_t size, int saves, uint32_t repeats)
{
    struct flash before, f;
    make_pair(&before, &f, g, saves, size);
    const uint32_t operations = operations_of(&f, &before, size);
    for (uint32_t i = 0; i < operations; i++) {
        uint32_t extent = 0;
        do {
            check_fault(&f, &before, saves, size, CUT, i, extent);
            extent += f.length > 256 && extent + 61 < f.length ? 61 : 1;
        } while (extent <= f.length);
        for (uint32_t k = 0; k < repeats; k++)
            for (enum fault fault = CUT_BITS; fault <= STICK; fault++)
                check_fault(&f, &before, saves, size, fault, i, flash_random(&f));
    }
    free_pair(&before, &f);
}

/* Power is lost in one save and again in the next. What loads is never older than the last save that
 * was answered with SHOAL_OK, nor than what loaded in between, unless bits read as they like. */
static void check_two_cuts(const struct geometry *g, uint32_t size, int saves, uint32_t trials)
{
    struct flash before, f;
    make_pair(&before, &f, g, saves, size);
    const uint32_t operations = operations_of(&f, &before, size);
    for (uint32_t i = 0; i < trials; i++) {
        int oldest = saves;
        copy_flash(&f, &before);
        for (int cut = 1; cut <= 2; cut++) {
            enum shoal_status status;
            const enum fault  fault = (enum fault)(flash_random(&f) % CUTS);
            const uint32_t    operation = flash_random(&f) % operations;
            lay_fault(&f, fault, operation, flash_random(&f));
            CHECK(save(&f, saves + cut, size) == SHOAL_ERROR_STORAGE && f.off);
            power_on(&f);
            const int number = load(&f, size, &status);
            CHECK(number >= oldest && number <= saves + cut);
            if (fault == CUT || fault == CUT_BITS) oldest = number;
        }
        CHECK(save(&f, saves + 3, size) == SHOAL_OK);
        CHECK(loads(&f, saves + 3, size));
    }
    free_pair(&before, &f);
}

/* --- Damage --------------------------------------------------------------------------- */

static void flip(struct flash *f, uint32_t bit) { f->bytes[bit / 8] ^= (uint8_t)(1u << bit % 8); }

/* Whether `at` is one of `size` bytes from `start`. */
static bool within(uint32_t at, uint32_t start, uint32_t size) { return at >= start && at - start < size; }

/* Any bit flipped: the newest blob, or the one before where the bit is in the newest one's data or
 * second record. With the older one damaged too, the newest or nothing. */
static void check_flips(const struct geometry *g, uint32_t size, int saves)
{
    struct flash before, f;
    make_pair(&before, &f, g, saves, size);
    const uint32_t slot = f.size / 2, record = whole_units(g, 20);
    const uint32_t newest = saves % 2 == 1 ? 0 : slot, older = slot - newest;
    for (uint32_t bit = 0; bit < 8 * f.size; bit++) {
        enum shoal_status status;
        const bool data = within(bit / 8, newest + 2 * record, size);
        const bool mark = within(bit / 8, newest + record, 20);
        const bool other = saves > 1 && within(bit / 8, older + 2 * record, size);
        flip(&f, bit);
        const int number = load(&f, size, &status);
        CHECK(number == (data || (mark && saves > 1) ? saves - 1 : saves));
        CHECK(number > 0 || status == SHOAL_ERROR_CHECKSUM);
        CHECK(shoal_store_info(&f.store).damaged == (data || other));
        if (saves > 1 && !other) {
            flip(&f, 8 * (older + 2 * record) + bit % (8 * size));
            CHECK(load(&f, size, &status) == (data ? 0 : saves));
            CHECK(status == (data ? SHOAL_ERROR_CHECKSUM : SHOAL_OK));
        }
        copy_flash(&f, &before);
    }
    free_pair(&before, &f);
}

/* Many bits at once: one of the two blobs or a status, never other bytes; then a save succeeds. */
static void check_many_flips(const struct geometry *g, uint32_t size, uint32_t trials)
{
    struct flash before, f;
    make_pair(&before, &f, g, 2, size);
    const uint32_t used = 2 * whole_units(g, 20) + size;
    for (uint32_t i = 0; i < trials; i++) {
        enum shoal_status status;
        copy_flash(&f, &before);
        for (uint32_t flips = 2 + flash_random(&f) % 30; flips > 0; flips--) {
            const uint32_t slot = flash_random(&f) % 2 * f.size / 2;
            flip(&f, 8 * slot + flash_random(&f) % (8 * used));
        }
        const int number = load(&f, size, &status);
        CHECK(number <= 2 && (number > 0 || status == SHOAL_ERROR_CHECKSUM || status == SHOAL_ERROR_EMPTY));
        CHECK(save(&f, 3, size) == SHOAL_OK);
        CHECK(loads(&f, 3, size));
    }
    free_pair(&before, &f);
}

/* --- Format and bounds ---------------------------------------------------------------- */

enum { MAGIC = 0x54535353 };

/* Records as STORE.md says, made without the store. */
static void write_records(struct flash *f, const struct geometry *g, uint32_t slot,
                          uint32_t magic, uint32_t sequence, uint32_t size, uint32_t data)
{
    uint32_t words[5] = {magic, sequence, size, data, 0};
    words[4] = crc32_of(words, 16);
    for (uint32_t i = 0; i < 2; i++)
        memcpy(f->bytes + slot * f->size / 2 + i * whole_units(g, 20), words, 20);
}

static void write_slot(struct flash *f, const struct geometry *g, uint32_t slot,
                       uint32_t sequence, int number, uint32_t size)
{
    uint8_t *at = f->bytes + slot * f->size / 2, *data = at + 2 * whole_units(g, 20);
    memset(at, 0xFF, f->size / 2);
    fill(data, number, size);
    write_records(f, g, slot, MAGIC, sequence, size, crc32_of(data, size));
}

/* The bytes in flash are those of STORE.md, and sequence numbers go round. */
static void check_format(const struct geometry *g, uint32_t size)
{
    static const uint32_t sequences[] = {1, 0x7FFFFFFD, 0xFFFFFFFD};
    for (uint32_t i = 0; i < 3; i++) {
        struct flash expected, f;
        make_pair(&expected, &f, g, 0, size);
        const uint32_t used = 2 * whole_units(g, 20) + whole_units(g, size);
        write_slot(&f, g, 0, sequences[i], 1, size);
        write_slot(&f, g, 1, sequences[i] + 1, 2, size);
        copy_flash(&expected, &f);
        for (uint32_t n = 2; n < 8; n++) { /* the number and the sequence from the first */
            const struct shoal_store_info info = shoal_store_info(&f.store);
            CHECK(loads(&f, (int)n, size));
            CHECK(info.sequence == sequences[i] + n - 1 && info.size == size && info.damaged == 0);
            CHECK(save(&f, (int)n + 1, size) == SHOAL_OK);
            write_slot(&expected, g, n % 2, sequences[i] + n, (int)n + 1, size);
            for (uint32_t at = 0; at < f.size; at += f.size / 2)
                CHECK(memcmp(f.bytes + at, expected.bytes + at, used) == 0);
        }
        free_pair(&expected, &f);
    }
}

/* Records that are intact and lie; one that stands alone. */
static void check_records(const struct geometry *g)
{
    struct flash   before, f;
    const uint32_t size = 50, slot = g->block * g->blocks, capacity = slot - 2 * whole_units(g, 20);
    const uint32_t lies[] = {0, capacity + 1, slot, 2 * slot, 0x7FFFFFFF, 0xFFFFFFFF};
    make_pair(&before, &f, g, 1, size);
    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
        write_records(&f, g, 1, MAGIC, 5, lies[i], 0);
        CHECK(loads(&f, 1, size) && shoal_store_info(&f.store).damaged == 0);
        write_records(&f, g, 0, MAGIC, 4, lies[i], 0);
        CHECK(shoal_store_load(&f.store, f.blank, size) == SHOAL_ERROR_EMPTY);
        copy_flash(&f, &before);
    }
    write_records(&f, g, 1, MAGIC + 1, 5, size, 0);
    CHECK(loads(&f, 1, size) && shoal_store_info(&f.store).damaged == 0);
    /* The newest has lost its second record: the other loads, and the next number is still higher. */
    write_slot(&f, g, 0, 8, 1, size);
    write_slot(&f, g, 1, 9, 2, size);
    f.bytes[slot + whole_units(g, 20)] ^= 1;
    CHECK(loads(&f, 1, size) && shoal_store_info(&f.store).sequence == 8);
    CHECK(save(&f, 3, size) == SHOAL_OK && loads(&f, 3, size));
    CHECK(shoal_store_info(&f.store).sequence == 10 && memcmp(f.bytes, "SSST\10", 5) == 0);
    free_pair(&before, &f);
}

/* First boot, and sizes at the bounds and beyond. */
static void check_bounds(const struct geometry *g)
{
    struct flash   f;
    uint8_t        bytes[LARGEST + 1] = {7};
    const uint32_t capacity = g->block * g->blocks - 2 * whole_units(g, 20);
    make(&f, g, 3);
    for (int blank = 0; blank < 2; blank++) {
        const struct shoal_store_info info = shoal_store_info(&f.store);
        CHECK(info.capacity == capacity && info.size == 0 && info.sequence == 0 && info.damaged == 0);
        CHECK(shoal_store_load(&f.store, bytes, 1) == SHOAL_ERROR_EMPTY);
        memset(f.bytes, 0xFF, f.size);
    }
    CHECK(shoal_store_save(&f.store, bytes, 0) == SHOAL_ERROR_SIZE);
    CHECK(shoal_store_save(&f.store, bytes, (size_t)capacity + 1) == SHOAL_ERROR_SIZE);
    CHECK(shoal_store_save(&f.store, bytes, SIZE_MAX) == SHOAL_ERROR_SIZE);
    CHECK(f.operations == 0);
    CHECK(save(&f, 1, capacity) == SHOAL_OK && loads(&f, 1, capacity));
    CHECK(shoal_store_load(&f.store, bytes, (size_t)capacity - 1) == SHOAL_ERROR_SIZE);
    CHECK(shoal_store_load(&f.store, bytes, (size_t)capacity + 1) == SHOAL_ERROR_SIZE);
    CHECK(save(&f, 2, 1) == SHOAL_OK && loads(&f, 2, 1));
    CHECK(loads(&f, 1, capacity)); /* the newest of that size */
    CHECK(f.misuse == 0);
    free_flash(&f);
}

/* Sizes that do not fit together: no call touches the flash. */
static void check_geometry(void)
{
    static const uint32_t wrong[][3] = {
        {64, 0, 5}, {514, 257, 5}, {62, 4, 5}, {0, 4, 5}, {64, 4, 0}, {40, 4, 1}, {256, 256, 2}, {2, 4, 100},
        {0x40000000, 4, 2}, {0x80000000, 4, 1}, {4096, 4, 0x80000},
    };
    struct flash f;
    uint8_t      byte = 1;
    make(&f, &geometries[1], 1);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        f.store.block_size = wrong[i][0], f.store.program_size = wrong[i][1], f.store.blocks = wrong[i][2];
        CHECK(shoal_store_info(&f.store).capacity == 0);
        CHECK(shoal_store_save(&f.store, &byte, 1) == SHOAL_ERROR_SIZE);
        CHECK(shoal_store_load(&f.store, &byte, 1) == SHOAL_ERROR_SIZE);
    }
    CHECK(f.operations == 0 && f.reads == 0 && f.misuse == 0);
    free_flash(&f);
}

/* Saves take turns, and erase only the blocks that they need. */
static void check_wear(void)
{
    struct flash before, f;
    make_pair(&before, &f, &geometries[1], 100, 60); /* two of five blocks */
    for (uint32_t i = 0; i < 10; i++) CHECK(before.erasures[i] == (i % 5 < 2 ? 50 : 0));
    free_pair(&before, &f);
}

int main(int argc, char **argv)
{
    static const uint32_t sizes[] = {1, 21, 107, 256};
    const bool            brief = argc > 1 && strcmp(argv[1], "short") == 0;
    const uint32_t        cases = GEOMETRIES * 4 * 4, twice = 1 + (brief ? 3000 : 100000) / cases;
    check_geometry();
    check_wear();
    for (uint32_t n = 0; n < GEOMETRIES; n++) {
        const struct geometry *g = &geometries[n];
        check_bounds(g);
        check_format(g, 50);
        check_records(g);
        for (uint32_t s = 0; s < 4; s++) {
            for (int saves = 0; saves < 4; saves++) {
                check_two_cuts(g, sizes[s], saves, twice);
                if (brief && (n + s + (uint32_t)saves) % 8 != 0) continue;
                check_faults(g, sizes[s], saves, brief ? 1 : 2);
                if (saves > 0) check_flips(g, sizes[s], saves);
            }
            check_many_flips(g, sizes[s], brief ? 50 : 2000);
        }
    }
    printf("store        power lost in %lu pairs of saves\n", (unsigned long)(twice * cases));
    return check_end("store");
}
