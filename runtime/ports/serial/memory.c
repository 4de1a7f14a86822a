/* Requests about memory: images, samples and states in pieces, and the stack. */
#include "call.h"

/* Opens an image behind the first `at` bytes of the memory. */
int shoal_open_behind(struct shoal_server *server, const void *image, size_t size, size_t at)
{
    size_t need;
    int    status = shoal_memory_needed(&need, image, size);
    at = (at + 7) & ~(size_t)7;
    if (status != SHOAL_OK) return status;
    if (at > server->port.memory_size || need > server->port.memory_size - at)
        return SHOAL_ERROR_MEMORY;
    status = shoal_open(&server->net, image, size, (uint8_t *)server->port.memory + at, need);
    if (status != SHOAL_OK) {
        server->net = NULL;
        return status;
    }
    server->image = word_at((const uint8_t *)image + 12);
    server->free_at = (at + need + 7) & ~(size_t)7;
    if (server->free_at > server->port.memory_size) server->free_at = server->port.memory_size;
    memset(server->counts, 0, sizeof server->counts);
    return SHOAL_OK;
}

int shoal_request_open(struct shoal_server *server, const struct call *call)
{
    if (call->size != 4) return SHOAL_SERVE_ERROR_LENGTH;
    if (server->net) return SHOAL_SERVE_ERROR_OPEN;
    const uint32_t size = word_at(call->body);
    if (size == 0) return shoal_open_behind(server, server->port.image, server->port.image_size, 0);
    if (size > server->port.memory_size) return SHOAL_SERVE_ERROR_RANGE;
    return shoal_open_behind(server, server->port.memory, size, size);
}

static bool is_within(uint32_t offset, size_t count, size_t size)
{
    return count <= size && offset <= size - count;
}

int shoal_request_write(const struct shoal_server *server, const struct call *call, bool sample)
{
    if (call->size < 4) return SHOAL_SERVE_ERROR_LENGTH;
    const uint32_t offset = word_at(call->body);
    const size_t   size = call->size - 4;
    uint8_t       *to = free_memory(server);
    size_t         room = free_size(server);
    if (sample) {
        const struct shoal_info info = shoal_info(server->net);
        to = shoal_input(server->net);
        room = info.inputs * bytes_of(info.input_type);
    }
    if (!is_within(offset, size, room)) return SHOAL_SERVE_ERROR_RANGE;
    memcpy(to + offset, call->body + 4, size);
    return SHOAL_OK;
}

int shoal_request_read(const struct shoal_server *server, struct call *call)
{
    if (call->size != 4 || call->number > call->room) return SHOAL_SERVE_ERROR_LENGTH;
    const uint32_t offset = word_at(call->body);
    if (!is_within(offset, call->number, free_size(server))) return SHOAL_SERVE_ERROR_RANGE;
    memcpy(call->out, free_memory(server) + offset, call->number);
    call->written = call->number;
    return SHOAL_OK;
}

int shoal_request_save(const struct shoal_server *server, struct call *call)
{
    const size_t size = shoal_state_size(server->net);
    if (size > free_size(server)) return SHOAL_ERROR_MEMORY;
    put(call, (uint32_t)size);
    return shoal_save(server->net, free_memory(server), size);
}

int shoal_request_load(const struct shoal_server *server, const struct call *call)
{
    if (call->size != 4) return SHOAL_SERVE_ERROR_LENGTH;
    const uint32_t size = word_at(call->body);
    if (size > free_size(server)) return SHOAL_SERVE_ERROR_RANGE;
    return shoal_load(server->net, free_memory(server), size);
}

void shoal_request_stack(const struct shoal_server *server, struct call *call)
{
    const uint32_t *words = server->port.stack;
    const size_t    total = server->port.stack ? server->port.stack_size / 4 : 0;
    size_t          unused = 0;
    while (unused < total && words[unused] == SHOAL_SERVE_PAINT) unused++;
    put(call, (uint32_t)(4 * (total - unused)));
    put(call, (uint32_t)(4 * total));
}
