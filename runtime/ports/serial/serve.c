/* Takes requests in and finds who does them. */
#include "call.h"

#include "frame.h"

enum { HEAD = 4, TITLE_SIZE = 63 };

static void request_info(const struct shoal_server *server, struct call *call)
{
    const struct shoal_port *port = &server->port;
    struct shoal_info        info = {0};
    uint32_t                 words[sizeof info / 4];
    if (server->net) info = shoal_info(server->net);
    memcpy(words, &info, sizeof info);
    put(call, SHOAL_SERVE_PROTOCOL);
    put(call, (uint32_t)server->frame);
    put(call, (uint32_t)port->memory_size);
    put(call, (uint32_t)free_size(server));
    put(call, (uint32_t)port->image_size);
    put(call, server->net ? server->image : 0);
    put(call, server->net != NULL);
    put(call, (uint32_t)port->unit);
    for (size_t i = 0; i < sizeof info / 4; i++) put(call, words[i]);
    for (size_t i = 0; i < TITLE_SIZE && port->title && port->title[i]; i++)
        call->out[call->written++] = (uint8_t)port->title[i];
}

static int request_optimizer(struct shoal *net, const struct call *call)
{
    struct shoal_optimizer optimizer;
    if (call->size != sizeof optimizer) return SHOAL_SERVE_ERROR_LENGTH;
    memcpy(&optimizer, call->body, sizeof optimizer);
    return shoal_set_optimizer(net, &optimizer);
}

/* Those that need an open network. */
static int run_open(struct shoal_server *server, struct call *call, uint8_t kind)
{
    struct shoal *const net = server->net;
    if (!net) return SHOAL_SERVE_ERROR_CLOSED;
    switch (kind) {
    case SHOAL_SERVE_INPUT: return shoal_request_write(server, call, true);
    case SHOAL_SERVE_PREDICT:
    case SHOAL_SERVE_SCORE:
    case SHOAL_SERVE_LEARN:
    case SHOAL_SERVE_OBSERVE: return shoal_request_samples(server, call, kind);
    case SHOAL_SERVE_APPLY: return shoal_request_apply(server);
    case SHOAL_SERVE_GROW: return shoal_grow(net);
    case SHOAL_SERVE_OPTIMIZER: return request_optimizer(net, call);
    case SHOAL_SERVE_TRAINABLE:
        return call->size == 1 ? shoal_set_trainable(net, call->number, call->body[0] != 0)
                               : SHOAL_SERVE_ERROR_LENGTH;
    case SHOAL_SERVE_ANCHOR: return shoal_set_anchor(net);
    case SHOAL_SERVE_RESET: shoal_reset(net); return SHOAL_OK;
    case SHOAL_SERVE_CHECKSUM: put(call, shoal_checksum(net)); return SHOAL_OK;
    case SHOAL_SERVE_SAVE: return shoal_request_save(server, call);
    case SHOAL_SERVE_LOAD: return shoal_request_load(server, call);
    default: return SHOAL_SERVE_ERROR_REQUEST;
    }
}

static int run(struct shoal_server *server, struct call *call, uint8_t kind)
{
    switch (kind) {
    case SHOAL_SERVE_INFO: request_info(server, call); return SHOAL_OK;
    case SHOAL_SERVE_OPEN: return shoal_request_open(server, call);
    case SHOAL_SERVE_CLOSE:
        server->net = NULL;
        server->free_at = 0;
        return SHOAL_OK;
    case SHOAL_SERVE_WRITE: return shoal_request_write(server, call, false);
    case SHOAL_SERVE_READ: return shoal_request_read(server, call);
    case SHOAL_SERVE_STACK: shoal_request_stack(server, call); return SHOAL_OK;
    case SHOAL_SERVE_COUNTS:
        for (size_t i = 0; i < 5; i++) put(call, server->counts[i]);
        return SHOAL_OK;
    default: return run_open(server, call, kind);
    }
}

/* Does the request that has arrived and leaves the answer. */
static void obey(struct shoal_server *server)
{
    uint8_t *const answer = server->answer;
    struct call    call = {0};
    call.body = server->request + HEAD;
    call.size = server->received - HEAD;
    call.number = server->request[2] | (uint32_t)server->request[3] << 8;
    call.out = answer + HEAD;
    call.room = server->frame - HEAD - CRC_SIZE;
    const int status = run(server, &call, server->request[1]);
    answer[0] = server->request[0];
    answer[1] = (uint8_t)status;
    answer[2] = (uint8_t)call.done;
    answer[3] = (uint8_t)(call.done >> 8);
    server->answered = HEAD + call.written;
}

void shoal_serve(struct shoal_server *server, uint8_t byte)
{
    if (!shoal_frame_receive(server, byte)) return;
    if (server->broken || server->received < HEAD) {
        uint8_t answer[HEAD + CRC_SIZE] = {0, (uint8_t)SHOAL_SERVE_ERROR_DAMAGED, 0, 0};
        shoal_frame_send(server, answer, HEAD);
    } else {
        const uint32_t crc = word_at(server->request + server->received);
        if (server->answered == 0 || crc != server->last || server->request[1] == SHOAL_SERVE_INFO)
            obey(server);
        server->last = crc;
        shoal_frame_send(server, server->answer, server->answered);
    }
    shoal_frame_clear(server);
}

bool shoal_serve_start(struct shoal_server *server, const struct shoal_port *port)
{
    const struct shoal_server nothing = {0};
    *server = nothing;
    server->port = *port;
    server->frame = port->frames_size / 2 & ~(size_t)7;
    server->request = port->frames;
    server->answer = server->request + server->frame;
    if (((uintptr_t)port->memory | (uintptr_t)port->frames) & 7) return false;
    if (server->frame < SHOAL_SERVE_FRAME_MINIMUM) return false;
    const uint32_t start = ticks(server);
    server->overhead = ticks(server) - start;
    if (port->image_size > 0) (void)shoal_open_behind(server, port->image, port->image_size, 0);
    port->send(port->line, 0); /* the board is here, and what it said before is over */
    return true;
}
