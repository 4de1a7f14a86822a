/* RV32: the first instruction in flash. */
#include "board.h"

#define FINISHER (*(volatile uint32_t *)0x00100000u)

void board_reset(void)
{
    FINISHER = 0x3333u | 1u << 16; /* the emulator ends here, with a failure */
    for (;;) {}
}

void reset(void);
void __attribute__((naked, section(".vectors"), used)) reset(void)
{
    __asm__ volatile(".option push\n.option arch, +zicsr\n"
                     ".option norelax\nla gp, __global_pointer$\n.option relax\n"
                     "la sp, stack_end\n"
                     "la t0, board_reset\n" /* a fault ends the board */
                     "csrw mtvec, t0\n"
#if defined(__riscv_flen)
                     "li t0, 0x2000\n"
                     "csrs mstatus, t0\n" /* the floating-point unit */
#endif
                     "j start\n.option pop");
}
