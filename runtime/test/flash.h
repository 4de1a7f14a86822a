/* An emulated flash for the store, and what befalls one.
 *
 * Erasing sets all bits of a block, programming only clears some, each unit once between two erasures;
 * whoever asks for more is counted in `misuse`. One fault can be laid in wait for one operation. */
#ifndef FLASH_H
#define FLASH_H

#include "shoal_store.h"

#define NO_OPERATION 0xFFFFFFFFu
#define CUTS 5u /* faults in which power is lost: the first five */

enum fault {
    CUT,       /* power is lost once `extent` bytes of the operation are done */
    CUT_BITS,  /* power is lost, any of the bits that were to change have */
    CUT_WEAK,  /* likewise, and some of them read as they like from then on */
    CUT_EARLY, /* power is lost, nothing has changed but that a few of the bits read as they like */
    CUT_LATE,  /* power is lost, all is done but that a few of the bits read as they like */
    REFUSE,    /* nothing is done, the answer is false */
    HALF,      /* any of the bits have changed, the answer is false */
    IGNORE,    /* nothing is done, the answer is true */
    STICK      /* done but for one bit, the answer is true */
};

struct flash {
    struct shoal_store store; /* for the calls; its context is this flash */
    uint32_t           size;  /* of both slots */
    uint8_t           *bytes;
    uint8_t           *weak;     /* bits that read as they like */
    uint8_t           *units;    /* what each unit is: erased, programmed, torn */
    uint32_t          *erasures; /* of each block */
    uint8_t           *blank;    /* an erased block */
    bool               checked;  /* reading a torn unit fails, as where each has an error-correcting code */

    enum fault fault;
    uint32_t   fault_at, extent; /* in which operation, and at which byte of it */
    uint32_t   length;           /* bytes of that operation, once it came */
    uint32_t   rot_at, rot_bit;  /* before which read a bit flips, and which */
    bool       off;              /* power is lost: nothing works */

    uint32_t operations, reads, misuse; /* so far; operations are erasures and programs */
    uint32_t random;
};

/* Never erased: any content. With `rewritable`, memory without erasure. */
void make_flash(struct flash *f, uint32_t block_size, uint32_t program_size, uint32_t blocks,
                bool rewritable, uint32_t seed);
void free_flash(struct flash *f);

/* The content of a flash of the same sizes; power is on, no fault lies in wait. */
void copy_flash(struct flash *to, const struct flash *from);

/* For the operation of that number from now on. */
void lay_fault(struct flash *f, enum fault fault, uint32_t operation, uint32_t extent);

/* Power is back, and no fault lies in wait any more. */
void power_on(struct flash *f);

uint32_t flash_random(struct flash *f);

#endif
