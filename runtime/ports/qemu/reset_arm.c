/* Cortex-M: the first thing in flash is the table of vectors. */
#include "board.h"

#define CPACR (*(volatile uint32_t *)0xE000ED88u)
#define AIRCR (*(volatile uint32_t *)0xE000ED0Cu)

void board_reset(void)
{
    AIRCR = 0x05FA0004u; /* the emulator ends here */
    for (;;) {}
}

static void reset(void)
{
#if defined(__ARM_FP)
    CPACR |= 0xFu << 20; /* the floating-point unit */
    __asm__ volatile("dsb\nisb" : : : "memory");
#endif
    start();
}

/* A fault, a stack that grew out of the RAM for instance, ends the board. */
static void fault(void) { board_reset(); }

struct vectors {
    uint32_t *stack;
    void (*handler[15])(void);
};

extern const struct vectors vectors;
const struct vectors vectors __attribute__((section(".vectors"), used)) = {
    stack_end,
    {reset, fault, fault, fault, fault, fault, fault, 0, 0, 0, fault, fault, 0, fault, fault},
};
