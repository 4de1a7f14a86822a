/* @{name} on the @{board}: sense, answer, learn when a label comes. */
#include <zephyr/kernel.h>
#include <zephyr/sys/printk.h>

#include "app.h"

int main(void)
{
    const char *problem = app_start();
    if (problem != NULL) {
        printk("%s\n", problem);
        return 0;
    }
    printk("golden vectors: ok\n");
    for (;;) {
        const struct app_event event = app_step();
        if (!event.sensed) {
            k_msleep(10);
        } else if (event.status != SHOAL_OK) {
            printk("%s\n", shoal_status_text(event.status));
        } else {
            printk("largest output %u%s\n", (unsigned)app_largest(event.answer), event.learned ? ", learnt" : "");
        }
    }
}
