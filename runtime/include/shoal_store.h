/* What was learnt outlives the power: one block of bytes, kept in two slots of flash.
 *
 * A save goes to one slot and leaves the other as it is; the next save takes the other. Whenever power
 * is lost, what loads afterwards is the last state saved or the one before, whole, by its CRC-32; so
 * after a failed save, and where bits rot. The bytes in flash: STORE.md.
 *
 *     static const struct shoal_store store = {
 *         .read = read, .program = program, .erase = erase, // the three callbacks of your flash
 *         .block_size = 4096, .program_size = 4, .blocks = 2,
 *     };
 *     if (shoal_store_load_network(&store, net)) { ... } // at start: SHOAL_ERROR_EMPTY the first time
 *     shoal_learn(net, ...);
 *     shoal_store_save_network(&store, net);             // from time to time
 *
 * Nothing is kept in RAM between calls, and no call copies the state: the stack holds less than
 * 600 bytes. One store, one thread.
 */
#ifndef SHOAL_STORE_H
#define SHOAL_STORE_H

#include "shoal.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The flash, and its share that is the store's. Places are counted in bytes from the first one of
 * that share; slot 0 takes `blocks` blocks from there, slot 1 as many after it. A callback returns
 * once the work is done, and answers whether it was. */
struct shoal_store {
    void *context; /* handed to each callback */

    /* Any `size` bytes from `at`. An answer of false counts as damage there. */
    bool (*read)(void *context, uint32_t at, void *bytes, uint32_t size);

    /* Always program_size bytes, at a multiple of it; no place twice between two erasures. `bytes` is
     * aligned to 4. */
    bool (*program)(void *context, uint32_t at, const void *bytes, uint32_t size);

    /* The block that starts at `at`. NULL for memory that can be written over, as EEPROM and FRAM. */
    bool (*erase)(void *context, uint32_t at);

    uint32_t block_size;   /* bytes erased at once; a multiple of program_size */
    uint32_t program_size; /* bytes programmed at once, 1 to 256: what the flash asks for, or a multiple */
    uint32_t blocks;       /* blocks of one slot, at least 1; both slots are below 4 GB */
};

struct shoal_store_info {
    uint32_t capacity; /* bytes that a save can hold; 0: the sizes above do not fit together */
    uint32_t size;     /* bytes of what loads; 0: nothing does */
    uint32_t sequence; /* its number: grows with each save, 0 after 2^32 - 1 */
    uint32_t damaged;  /* slots that bear the mark of a save but not the whole of it */
};

/* Reads both slots through. A damaged slot beside a whole one is the trace of bits that rotted, or
 * of a save that failed or lost power. */
SHOAL_API struct shoal_store_info shoal_store_info(const struct shoal_store *store);

/* Keeps a network's state, in the bytes of shoal_save(). Refused as there, and with
 * SHOAL_ERROR_SIZE where the slot is too small, before anything is erased. SHOAL_ERROR_STORAGE: a
 * callback answered false, or what was written reads differently; the state saved before remains. */
SHOAL_API enum shoal_status shoal_store_save_network(const struct shoal_store *store,
                                                     const struct shoal *net);

/* Loads the newest state that is whole and fits the network. Where there is none, the network stays
 * as it is: SHOAL_ERROR_EMPTY if nothing was saved, else what is wrong with the newest. After
 * SHOAL_ERROR_STORAGE, and then only, open the network again. */
SHOAL_API enum shoal_status shoal_store_load_network(const struct shoal_store *store, struct shoal *net);

/* The same with any bytes, at least one. They are loaded into exactly as many, which hold anything
 * after a refusal. */
SHOAL_API enum shoal_status shoal_store_save(const struct shoal_store *store, const void *bytes, size_t size);
SHOAL_API enum shoal_status shoal_store_load(const struct shoal_store *store, void *bytes, size_t size);

#ifdef __cplusplus
}
#endif
#endif
