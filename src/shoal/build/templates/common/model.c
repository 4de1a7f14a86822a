/* The network @{name}, in flash. Written by Shoal @{version}. */
#include "model.h"

#if defined(__IMXRT1062__) /* Teensy 4 copies constants to RAM, unless told not to */
#define IN_FLASH __attribute__((section(".progmem")))
#else
#define IN_FLASH
#endif

const uint32_t model_image[@{words}] IN_FLASH = {
@{image}
};

#if MODEL_LEARNS
const struct shoal_optimizer model_optimizer = {@{optimizer}}; /* in the order of shoal.h */
#endif

#if MODEL_LABELS > 0
const char *const model_labels[MODEL_LABELS] = {@{labels}};
#endif

const uint8_t model_golden[MODEL_GOLDEN_SAMPLES][MODEL_OUTPUTS * sizeof(model_output)] = {
@{golden}
};
