/* Frames in and out, one byte at a time. */
#include "frame.h"

#include <string.h>

static void store(struct shoal_server *server, uint8_t byte)
{
    if (server->received < server->frame) server->request[server->received++] = byte;
    else server->broken = true;
}

void shoal_frame_clear(struct shoal_server *server)
{
    server->received = 0;
    server->left = 0;
    server->zero = server->broken = false;
}

static bool is_whole(const struct shoal_server *server)
{
    uint32_t crc;
    if (server->broken || server->left > 0 || server->received < CRC_SIZE) return false;
    const size_t size = server->received - CRC_SIZE;
    memcpy(&crc, server->request + size, CRC_SIZE);
    return crc == shoal_crc32(server->request, size);
}

bool shoal_frame_receive(struct shoal_server *server, uint8_t byte)
{
    if (byte == 0) {
        if (!server->zero && server->left == 0 && server->received == 0) return false; /* no frame */
        server->broken = !is_whole(server);
        if (!server->broken) server->received -= CRC_SIZE;
        return true;
    }
    if (server->left > 0) {
        store(server, byte);
        server->left--;
        return false;
    }
    if (server->zero) store(server, 0); /* the one that the last block stands for */
    server->left = (uint8_t)(byte - 1);
    server->zero = byte < 255;
    return false;
}

static void send(const struct shoal_server *server, uint8_t byte)
{
    server->port.send(server->port.line, byte);
}

void shoal_frame_send(const struct shoal_server *server, uint8_t *bytes, size_t size)
{
    const uint32_t crc = shoal_crc32(bytes, size);
    memcpy(bytes + size, &crc, CRC_SIZE);
    size += CRC_SIZE;
    for (size_t first = 0; first <= size;) {
        size_t end = first;
        while (end < size && end < first + 254 && bytes[end] != 0) end++;
        send(server, (uint8_t)(end - first + 1));
        for (size_t i = first; i < end; i++) send(server, bytes[i]);
        /* A block of 254 stands for no zero; the end of the bytes counts as one. */
        first = end < first + 254 ? end + 1 : end;
        if (first == size && end == size) break;
    }
    send(server, 0);
}
