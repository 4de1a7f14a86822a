/* Whether this build computes what the host computed, to the bit. */
#ifndef GOLDEN_H
#define GOLDEN_H

#include "model.h"

#ifdef __cplusplus
extern "C" {
#endif

/* NULL: the answers to MODEL_GOLDEN_SAMPLES samples and, where the network learns, the checksum after
 * MODEL_GOLDEN_STEPS steps are those of the host. Otherwise what differs. Opens the network in `memory` and
 * leaves it changed; `answer` and `target` hold MODEL_OUTPUTS and MODEL_TARGETS values. */
const char *golden_check(void *memory, size_t memory_size, model_output *answer, float *target);

/* Sample number `number`, drawn, the same on every machine: floats from -1 to below 1, or any integers. */
void golden_sample(model_input *sample, uint32_t number);

#if MODEL_LEARNS
/* Its label, drawn too: one of the MODEL_CLASSES in use at first, or values from 0 to below 1. */
void golden_target(float *target, uint32_t number);
#endif

#ifdef __cplusplus
}
#endif
#endif
