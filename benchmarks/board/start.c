/* Start-up, output and a counter for QEMU's mps2-an385 and mps2-an386 (Cortex-M) and virt (RV32). */
#include "start.h"

extern uint32_t data_load[], data_start[], data_end[], bss_start[], bss_end[], stack_start[], stack_end[];

#define PAINT 0xA5A5A5A5u

#if defined(__riscv)

static uint32_t call_host(uint32_t operation, const void *argument)
{
    register uint32_t a0 __asm__("a0") = operation;
    register uint32_t a1 __asm__("a1") = (uint32_t)argument;
    __asm__ volatile(".option push\n.option norvc\n.balign 16\nslli zero, zero, 0x1f\nebreak\nsrai zero, zero, 7\n.option pop"
                     : "+r"(a0) : "r"(a1) : "memory");
    return a0;
}

uint32_t ticks(void)
{
    uint32_t count;
    __asm__ volatile("csrr %0, 0xb02" : "=r"(count) : : "memory"); /* minstret */
    return count;
}

static void prepare(void)
{
#if defined(__riscv_flen)
    __asm__ volatile("csrs mstatus, %0" : : "r"(0x6000)); /* the floating-point unit */
#endif
}

void start(void);
void __attribute__((naked, section(".start"))) reset(void)
{
    __asm__ volatile("la sp, stack_end\nj start");
}

#else

static uint32_t call_host(uint32_t operation, const void *argument)
{
    register uint32_t r0 __asm__("r0") = operation;
    register const void *r1 __asm__("r1") = argument;
    __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
    return r0;
}

static volatile uint32_t *const timer = (volatile uint32_t *)0x40000000; /* counts down */

uint32_t ticks(void) { return 0xFFFFFFFFu - timer[1]; }

static void prepare(void)
{
#if defined(__ARM_FP)
    *(volatile uint32_t *)0xE000ED88 |= 0xFu << 20; /* the floating-point unit */
    __asm__ volatile("dsb\nisb");
#endif
    timer[1] = timer[2] = 0xFFFFFFFFu;
    timer[0] = 1;
}

void start(void);
static void fault(void)
{
    print("fault\n");
    for (;;) call_host(0x18, (const void *)0x20023); /* a run-time error */
}

const void *const vectors[16] __attribute__((section(".start"), used)) = {
    stack_end, (const void *)start, (const void *)fault, (const void *)fault,
};

#endif

void print(const char *text) { call_host(0x04, text); }

void print_number(uint32_t number)
{
    char  digits[11];
    char *at = digits + 10;
    *at = 0;
    do *--at = (char)('0' + number % 10);
    while (number /= 10);
    print(at);
}

uint32_t stack_used(void)
{
    const uint32_t *at = stack_start;
    while (*at == PAINT) at++;
    return (uint32_t)(stack_end - at) * 4;
}

void start(void)
{
    uint32_t top;
    for (volatile uint32_t *at = stack_start; at < &top - 16; at++) *at = PAINT;
    for (uint32_t *to = data_start, *from = data_load; to < data_end;) *to++ = *from++;
    for (uint32_t *to = bss_start; to < bss_end;) *to++ = 0;
    prepare();
    /* The program ended, or failed. */
    call_host(0x18, (const void *)(main() == 0 ? 0x20026u : 0x20023u));
    for (;;) {}
}
