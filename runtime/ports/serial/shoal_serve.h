/* A network behind a serial line: the same verbs as shoal.h, each as a frame of bytes.
 *
 * The firmware gives every byte that arrives to shoal_serve() and a function that sends one.
 * Requests and answers are described byte by byte in PROTOCOL.md; shoal.devices speaks them.
 *
 *     static uint64_t memory[MEMORY / 8], frames[FRAMES / 8];
 *
 *     static void send(void *line, uint8_t byte) { ... }
 *
 *     struct shoal_port   port = {0};
 *     struct shoal_server server;
 *     port.send = send;
 *     port.memory = memory, port.memory_size = sizeof memory;
 *     port.frames = frames, port.frames_size = sizeof frames;
 *     if (!shoal_serve_start(&server, &port)) { ... }
 *     for (;;) shoal_serve(&server, receive());
 *
 * Nothing is allocated; all memory is the caller's. Whatever bytes arrive, the server answers with
 * a status and stays within the memory it was given. A frame that arrived damaged changes nothing,
 * and a request that is sent again because its answer was lost is answered again but not done again.
 */
#ifndef SHOAL_SERVE_H
#define SHOAL_SERVE_H

#include "shoal.h"

#ifdef __cplusplus
extern "C" {
#endif

#define SHOAL_SERVE_PROTOCOL 1

/* What an answer can say besides the statuses of shoal.h. */
#define SHOAL_SERVE_STATUSES(X)                                                             \
    X(ERROR_DAMAGED, -32, "a frame arrived damaged or too long; nothing was done")          \
    X(ERROR_REQUEST, -33, "a request that this firmware does not know")                     \
    X(ERROR_LENGTH, -34, "a request of another length than its kind has")                   \
    X(ERROR_CLOSED, -35, "no network is open")                                              \
    X(ERROR_OPEN, -36, "a network is open; close it first")                                 \
    X(ERROR_RANGE, -37, "bytes outside the memory that is free, or outside the sample")

enum shoal_serve_status {
#define SHOAL_SERVE_STATUS_(name, value, text) SHOAL_SERVE_##name = value,
    SHOAL_SERVE_STATUSES(SHOAL_SERVE_STATUS_)
#undef SHOAL_SERVE_STATUS_
};

/* Requests, in the second byte of a frame. */
enum shoal_serve_request {
    SHOAL_SERVE_INFO = 1, SHOAL_SERVE_OPEN, SHOAL_SERVE_CLOSE,
    SHOAL_SERVE_WRITE, SHOAL_SERVE_READ, SHOAL_SERVE_INPUT,
    SHOAL_SERVE_PREDICT, SHOAL_SERVE_SCORE, SHOAL_SERVE_LEARN, SHOAL_SERVE_OBSERVE,
    SHOAL_SERVE_APPLY, SHOAL_SERVE_GROW,
    SHOAL_SERVE_OPTIMIZER, SHOAL_SERVE_TRAINABLE, SHOAL_SERVE_ANCHOR,
    SHOAL_SERVE_CHECKSUM, SHOAL_SERVE_SAVE, SHOAL_SERVE_LOAD,
    SHOAL_SERVE_COUNTS, SHOAL_SERVE_STACK, SHOAL_SERVE_RESET
};

/* What a counter counts. */
enum shoal_serve_unit {
    SHOAL_SERVE_NOTHING, SHOAL_SERVE_INSTRUCTIONS, SHOAL_SERVE_CYCLES, SHOAL_SERVE_MICROSECONDS
};

#define SHOAL_SERVE_FRAME_MINIMUM 192 /* the answer to INFO fits */
#define SHOAL_SERVE_PAINT 0xA5A5A5A5u /* what the unused stack is filled with */

/* What a firmware gives. All of it is optional except send, memory and frames. */
struct shoal_port {
    void (*send)(void *line, uint8_t byte); /* may wait until the line takes it */
    void  *line;                            /* given to send and count */

    void  *memory; /* the open network, then images and states in transit; aligned to 8 */
    size_t memory_size;
    void  *frames; /* one request and one answer, half each; aligned to 8 */
    size_t frames_size; /* at least twice SHOAL_SERVE_FRAME_MINIMUM */

    const void *image; /* in flash, opened at the start; aligned to 4 */
    size_t      image_size;

    uint32_t (*count)(void *line); /* counts up and wraps at 32 bits */
    enum shoal_serve_unit unit;

    const void *stack;      /* its lowest address, aligned to 4, filled with SHOAL_SERVE_PAINT */
    size_t      stack_size; /* multiple of 4 */

    const char *title; /* of the board; at most 63 characters are sent */
};

/* One end of a line; of interest to serve.c alone. */
struct shoal_server {
    struct shoal_port port;
    struct shoal     *net;     /* NULL: closed */
    uint8_t          *request, *answer;
    size_t            frame;   /* size of each */
    size_t            free_at; /* where the free part of the memory begins */
    size_t            received, answered;
    uint32_t          last;    /* CRC of the last request that was done */
    uint32_t          image;   /* checksum of the open image */
    uint32_t          overhead, counts[5];
    uint8_t           left;    /* bytes until the next code byte */
    bool              zero, broken;
};

/* False where memory or frames are too small or not aligned. A built-in image that the runtime
 * refuses leaves the server without a network. */
bool shoal_serve_start(struct shoal_server *server, const struct shoal_port *port);

/* Takes the next byte of the line; with the last byte of a request, does it and answers. */
void shoal_serve(struct shoal_server *server, uint8_t byte);

#ifdef __cplusplus
}
#endif
#endif
