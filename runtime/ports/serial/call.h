/* What serve.c, samples.c and memory.c share. */
#ifndef SHOAL_CALL_H
#define SHOAL_CALL_H

#include "shoal_serve.h"

#include <string.h>

/* A request as it arrived, and the answer as it grows. */
struct call {
    const uint8_t *body;
    size_t         size;   /* bytes of the body */
    uint32_t       number; /* in the request's head */
    uint8_t       *out;
    size_t         room, written; /* bytes for the answer's body */
    uint32_t       done;   /* in the answer's head */
};

static inline uint32_t word_at(const uint8_t *bytes)
{
    uint32_t word;
    memcpy(&word, bytes, 4);
    return word;
}

/* Only for answers of a few words: the others check `room` themselves. */
static inline void put(struct call *call, uint32_t word)
{
    memcpy(call->out + call->written, &word, 4);
    call->written += 4;
}

static inline size_t bytes_of(uint32_t type)
{
    return type == SHOAL_INT8 || type == SHOAL_UINT8 ? 1 : type == SHOAL_INT16 ? 2 : 4;
}

static inline uint8_t *free_memory(const struct shoal_server *server)
{
    return (uint8_t *)server->port.memory + server->free_at;
}

static inline size_t free_size(const struct shoal_server *server)
{
    return server->port.memory_size - server->free_at;
}

static inline uint32_t ticks(const struct shoal_server *server)
{
    return server->port.count ? server->port.count(server->port.line) : 0;
}

/* samples.c */
int shoal_request_samples(struct shoal_server *server, struct call *call, uint8_t kind);
int shoal_request_apply(struct shoal_server *server);

/* memory.c */
int  shoal_open_behind(struct shoal_server *server, const void *image, size_t size, size_t at);
int  shoal_request_open(struct shoal_server *server, const struct call *call);
int  shoal_request_write(const struct shoal_server *server, const struct call *call, bool sample);
int  shoal_request_read(const struct shoal_server *server, struct call *call);
int  shoal_request_save(const struct shoal_server *server, struct call *call);
int  shoal_request_load(const struct shoal_server *server, const struct call *call);
void shoal_request_stack(const struct shoal_server *server, struct call *call);

#endif
