/* The flash that keeps what was learnt when the power goes. */
#ifndef FLASH_H
#define FLASH_H

#include "shoal_store.h"

#ifdef __cplusplus
extern "C" {
#endif

extern const struct shoal_store flash_store;

#ifdef __cplusplus
}
#endif
#endif
