/* Prepares the memory as C expects it; reset.c of the architecture comes before. */
#include "board.h"
#include "shoal_serve.h"

extern uint32_t stack_paint_end[], data_load[], data_start[], data_end[], bss_start[], bss_end[];

void start(void)
{
    for (volatile uint32_t *at = stack_start; at < stack_paint_end; at++) *at = SHOAL_SERVE_PAINT;
    for (volatile uint32_t *to = data_start, *from = data_load; to < data_end;) *to++ = *from++;
    for (volatile uint32_t *to = bss_start; to < bss_end;) *to++ = 0;
    board_start();
    (void)main();
    board_reset();
}
