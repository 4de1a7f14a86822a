/* Frames: COBS (Cheshire and Baker, 1999) takes the zeros out of the bytes, a zero ends them, and
 * the last four bytes before it are a CRC-32. */
#ifndef SHOAL_FRAME_H
#define SHOAL_FRAME_H

#include "shoal_serve.h"

enum { CRC_SIZE = 4 };

uint32_t shoal_crc32(const void *bytes, size_t size); /* state.c of the runtime */

/* Takes one byte of a request. True when it was the last: `received` bytes then lie in `request`,
 * without the CRC, or `broken` says that they are not what was sent. */
bool shoal_frame_receive(struct shoal_server *server, uint8_t byte);

/* Forgets what was received. */
void shoal_frame_clear(struct shoal_server *server);

/* Puts the CRC behind `size` bytes, which have room for it, and sends all as a frame. */
void shoal_frame_send(const struct shoal_server *server, uint8_t *bytes, size_t size);

#endif
