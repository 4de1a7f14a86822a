/* The store of a network's state: what was learnt goes on after a boot with the same bits.
 *
 *   test_store_network [short] FILE.vec...
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "flash.h"
#include "vector.h"

/* A flash whose slots hold the vector's state. */
static void make_for(struct flash *f, const struct vector *v, uint32_t seed)
{
    struct device d = open_vector(v);
    make_flash(f, 512, 8, (uint32_t)(shoal_state_size(d.net) + 48 + 511) / 512, false, seed);
    close_device(&d);
}

/* A network opened anew, with what the flash holds; `status` is that of the load. */
static struct device boot(struct flash *f, const struct vector *v, enum shoal_status *status)
{
    struct device d = open_vector(v);
    *status = shoal_store_load_network(&f->store, d.net);
    return d;
}

/* Learn, save, boot, load: the same bytes as shoal_save(), the same bits from then on. */
static void check_network(const struct vector *v, uint32_t when)
{
    struct flash      f;
    enum shoal_status status;
    struct device     whole = open_vector(v), first = open_vector(v);
    struct stream     a = {v->seed}, b = {v->seed};
    const size_t      size = shoal_state_size(first.net);
    uint8_t          *bytes = malloc(size), *stored = malloc(size);
    make_for(&f, v, 1);
    CHECK(shoal_store_load_network(&f.store, first.net) == SHOAL_ERROR_EMPTY);
    learn_stream(whole.net, v, &a, 0, 60);
    learn_stream(first.net, v, &b, 0, when);
    CHECK(shoal_store_save_network(&f.store, first.net) == SHOAL_OK);
    CHECK(shoal_save(first.net, bytes, size) == SHOAL_OK);
    CHECK(shoal_store_load(&f.store, stored, size) == SHOAL_OK && memcmp(bytes, stored, size) == 0);
    struct device second = boot(&f, v, &status);
    CHECK(status == SHOAL_OK && same_golden(golden_of(first.net), golden_of(second.net)));
    const struct shoal_info x = shoal_info(first.net), y = shoal_info(second.net);
    CHECK(memcmp(&x, &y, sizeof x) == 0);
    learn_stream(second.net, v, &b, when, 60);
    CHECK(same_golden(golden_of(whole.net), golden_of(second.net)));
    CHECK(shoal_store_save_network(&f.store, second.net) == SHOAL_OK);
    close_device(&first);
    first = boot(&f, v, &status);
    CHECK(status == SHOAL_OK && same_golden(golden_of(whole.net), golden_of(first.net)) && f.misuse == 0);
    close_device(&whole);
    close_device(&first);
    close_device(&second);
    free_flash(&f);
    free(bytes);
    free(stored);
}

/* A flash that holds two states, the newer one in slot 1, and what they are. */
struct kept {
    struct flash  flash;
    struct golden older, newer;
};

static void keep_two(struct kept *k, const struct vector *v, struct shoal *net)
{
    struct stream stream = {v->seed};
    make_for(&k->flash, v, 1);
    learn_stream(net, v, &stream, 0, 10);
    k->older = golden_of(net);
    CHECK(shoal_store_save_network(&k->flash.store, net) == SHOAL_OK);
    learn_stream(net, v, &stream, 10, 20);
    k->newer = golden_of(net);
    CHECK(shoal_store_save_network(&k->flash.store, net) == SHOAL_OK);
}

/* Power is lost anywhere in a save: the state before loads, or the one after. */
static void check_cuts(const struct vector *v, uint32_t trials)
{
    struct kept   k;
    struct flash  f;
    struct device d = open_vector(v);
    keep_two(&k, v, d.net);
    make_for(&f, v, 2);
    copy_flash(&f, &k.flash);
    shoal_state(d.net)[0] += 1.0f;
    const struct golden next = golden_of(d.net);
    CHECK(shoal_store_save_network(&f.store, d.net) == SHOAL_OK);
    const uint32_t operations = f.operations;
    for (uint32_t i = 0; i < trials; i++) {
        enum shoal_status status;
        copy_flash(&f, &k.flash);
        const uint32_t operation = i < 10 ? operations - 1 - i : flash_random(&f) % operations;
        lay_fault(&f, (enum fault)(i % CUTS), operation, flash_random(&f));
        CHECK(shoal_store_save_network(&f.store, d.net) == SHOAL_ERROR_STORAGE);
        power_on(&f);
        struct device     again = boot(&f, v, &status);
        const struct golden got = golden_of(again.net);
        CHECK(status == SHOAL_OK && (same_golden(got, k.newer) || same_golden(got, next)));
        close_device(&again);
    }
    close_device(&d);
    free_flash(&k.flash);
    free_flash(&f);
}

/* A bit flips while a state loads: the other one does. Without another, the right one or an error, and
 * the network is as it was unless the error is SHOAL_ERROR_STORAGE. */
static void check_rot(const struct vector *v, uint32_t trials)
{
    struct kept     k;
    struct flash    f;
    struct device   d = open_vector(v);
    const uint32_t  size = (uint32_t)shoal_state_size(d.net);
    uint32_t        spoilt = 0;
    const struct golden fresh = golden_of(d.net);
    keep_two(&k, v, d.net);
    make_for(&f, v, 2);
    copy_flash(&f, &k.flash);
    close_device(&d);
    d = open_vector(v);
    CHECK(shoal_store_load_network(&f.store, d.net) == SHOAL_OK);
    const uint32_t reads = f.reads;
    for (uint32_t i = 0; i < 2 * trials; i++) {
        enum shoal_status status;
        const bool        alone = i % 2 == 1;
        const uint32_t    one = alone && i % 3 == 0 ? 0 : f.size / 2; /* the slot where a bit flips */
        copy_flash(&f, &k.flash);
        if (alone) f.bytes[f.size / 2 - one + 48 + i % size] ^= 1;
        f.rot_at = f.reads + (i % 4 < 2 ? reads - 1 : flash_random(&f) % (2 * reads));
        f.rot_bit = 8 * (one + 48) + flash_random(&f) % (8 * size);
        struct device     again = boot(&f, v, &status);
        const struct golden got = golden_of(again.net);
        const bool old = same_golden(got, k.older) && !(alone && one > 0);
        if (status == SHOAL_OK) CHECK(same_golden(got, k.newer) || old);
        else if (status != SHOAL_ERROR_STORAGE) CHECK(alone && same_golden(got, fresh));
        spoilt += status == SHOAL_ERROR_STORAGE;
        CHECK(alone || status == SHOAL_OK);
        close_device(&again);
    }
    CHECK(spoilt > 0);
    close_device(&d);
    free_flash(&k.flash);
    free_flash(&f);
}

/* What a network refuses leaves it, and the flash, as they were. */
static void check_refusals(const struct vector *v, const struct vector *other)
{
    struct flash        f;
    struct device       d = open_vector(v), stranger = open_vector(other);
    struct stream       stream = {v->seed};
    const struct golden fresh = golden_of(stranger.net);
    const size_t        size = shoal_state_size(d.net);
    make_for(&f, shoal_state_size(stranger.net) > size ? other : v, 1);
    learn_stream(d.net, v, &stream, 0, 10);
    const struct golden learnt = golden_of(d.net);
    CHECK(shoal_store_save_network(&f.store, d.net) == SHOAL_OK);
    CHECK(shoal_store_load_network(&f.store, stranger.net) == SHOAL_ERROR_STATE);
    CHECK(same_golden(golden_of(stranger.net), fresh));
    /* The newest state is another network's: the older one fits. */
    CHECK(shoal_store_save_network(&f.store, stranger.net) == SHOAL_OK);
    learn_stream(d.net, v, &stream, 10, 20);
    CHECK(shoal_store_load_network(&f.store, d.net) == SHOAL_OK && same_golden(golden_of(d.net), learnt));
    CHECK(shoal_store_load_network(&f.store, stranger.net) == SHOAL_OK);
    uint8_t *bytes = malloc(size);
    CHECK(shoal_save(d.net, bytes, size) == SHOAL_OK);
    for (int i = 0; i < 2; i++) CHECK(shoal_store_save(&f.store, bytes, size - 4) == SHOAL_OK);
    CHECK(shoal_store_load_network(&f.store, d.net) == SHOAL_ERROR_STATE);
    free(bytes);
    /* Too large, or not finite: nothing is erased. */
    const uint32_t operations = f.operations;
    f.store.blocks--;
    const struct shoal *larger = size > shoal_state_size(stranger.net) ? d.net : stranger.net;
    CHECK(shoal_store_save_network(&f.store, larger) == SHOAL_ERROR_SIZE);
    f.store.blocks++;
    shoal_state(d.net)[0] = NAN;
    CHECK(shoal_store_save_network(&f.store, d.net) == SHOAL_ERROR_NOT_FINITE);
    CHECK(f.operations == operations);
    close_device(&d);
    close_device(&stranger);
    free_flash(&f);
}

int main(int argc, char **argv)
{
    const bool brief = argc > 1 && strcmp(argv[1], "short") == 0;
    for (int i = 1 + brief; i < argc; i++) {
        struct vector v = read_vector(argv[i]), other = read_vector(argv[i + 1 < argc ? i + 1 : 1 + brief]);
        if (v.targets > 0) {
            check_network(&v, 0);
            check_network(&v, 30); /* in the middle of a batch */
            check_cuts(&v, brief ? 20 : 100);
            check_rot(&v, brief ? 20 : 100);
            if (i + 1 < argc) check_refusals(&v, &other);
        }
        free_vector(&v);
        free_vector(&other);
    }
    return check_end("store network");
}
