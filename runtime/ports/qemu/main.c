/* A network behind the serial line of an emulated board. All RAM that is left is its memory. */
#include "board.h"
#include "shoal_serve.h"

int main(void)
{
    struct shoal_server server;
    struct shoal_port   port = {0};
    port.send = board_send;
    port.memory = memory_start;
    port.memory_size = (size_t)(memory_end - memory_start);
    port.frames = frames_start;
    port.frames_size = (size_t)(frames_end - frames_start);
    port.image = image_start;
    port.image_size = (size_t)(image_end - image_start);
    port.count = board_count;
    port.unit = SHOAL_SERVE_INSTRUCTIONS;
    port.stack = stack_start;
    port.stack_size = 4 * (size_t)(stack_end - stack_start);
    port.title = TITLE;
    if (!shoal_serve_start(&server, &port)) return 1;
    for (;;) shoal_serve(&server, board_receive());
}
