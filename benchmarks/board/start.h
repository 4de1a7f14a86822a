/* What a program on an emulated board has instead of a C library. */
#ifndef START_H
#define START_H

#include <stdint.h>

uint32_t ticks(void);                /* see Core in build.py */
uint32_t stack_used(void);           /* most bytes that the stack has held so far */
void     print(const char *text);    /* to the host, by semihosting */
void     print_number(uint32_t number);

int main(void); /* its result ends the emulation: 0 is success */

#endif
