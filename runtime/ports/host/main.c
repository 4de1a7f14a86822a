/* A board that is a process of this machine: requests from standard input, answers to standard output. It ends with
 * its input. For tests of the server under sanitizers, at full speed. */
#include "shoal_serve.h"

#include <stdio.h>

#ifndef MEMORY
#define MEMORY 262144
#endif

static uint64_t memory[MEMORY / 8], frames[2 * 1024 / 8];

static void send(void *line, uint8_t byte)
{
    putc(byte, line);
    if (byte == 0) fflush(line);
}

int main(void)
{
    struct shoal_server server;
    struct shoal_port   port = {0};
    port.send = send;
    port.line = stdout;
    port.memory = memory;
    port.memory_size = sizeof memory;
    port.frames = frames;
    port.frames_size = sizeof frames;
    port.title = "this machine";
    if (!shoal_serve_start(&server, &port)) return 1;
    for (int byte = getchar(); byte != EOF; byte = getchar()) shoal_serve(&server, (uint8_t)byte);
    return 0;
}
