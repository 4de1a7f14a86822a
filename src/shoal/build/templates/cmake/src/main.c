/* The application on this computer; on a board, its main() calls the same two functions. */
#include <stdio.h>

#include "app.h"

int main(void)
{
    const char *problem = app_start();
    if (problem != NULL) {
        (void)fprintf(stderr, "%s\n", problem);
        return 1;
    }
    puts("golden vectors: ok");
    for (;;) {
        const struct app_event event = app_step();
        if (!event.sensed) break; /* a board would wait for the next sample */
        if (event.status != SHOAL_OK) puts(shoal_status_text(event.status));
        else printf("output %u is the largest\n", (unsigned)app_largest(event.answer));
        if (event.learned) printf("loss %g\n", (double)event.loss);
    }
    puts("no sample: write sensor.c");
    return 0;
}
