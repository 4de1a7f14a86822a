/* What main.c needs from a board, and the addresses that firmware.ld gives. */
#ifndef SHOAL_BOARD_H
#define SHOAL_BOARD_H

#include <stddef.h>
#include <stdint.h>

void     board_start(void);
uint8_t  board_receive(void); /* waits for a byte */
void     board_send(void *line, uint8_t byte);
uint32_t board_count(void *line); /* ticks of the emulated time; see machines.txt */
void     board_reset(void) __attribute__((noreturn));

extern uint32_t stack_start[], stack_end[];
extern uint8_t  frames_start[], frames_end[], memory_start[], memory_end[], image_start[], image_end[];

int  main(void);
void start(void) __attribute__((noreturn)); /* start.c: prepares the memory, then main */

#endif
