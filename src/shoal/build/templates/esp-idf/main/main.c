/* @{name} on the @{board}: sense, answer, learn when a label comes. */
#include <stdio.h>

#include "app.h"
#include "freertos/FreeRTOS.h"
#include "freertos/task.h"

void app_main(void)
{
    const char *problem = app_start();
    if (problem != NULL) {
        printf("%s\n", problem);
        return;
    }
    printf("golden vectors: ok\n");
    for (;;) {
        const struct app_event event = app_step();
        if (!event.sensed) {
            vTaskDelay(1);
        } else if (event.status != SHOAL_OK) {
            printf("%s\n", shoal_status_text(event.status));
        } else {
            printf("largest output %u%s\n", (unsigned)app_largest(event.answer), event.learned ? ", learnt" : "");
        }
    }
}
