/* The network @{name}: what it takes, what it answers, and the memory that it needs. Written by Shoal @{version}.
 *
 * A sample: @{sample}
 * An answer: @{answer}
 * @{label}
 */
#ifndef MODEL_H
#define MODEL_H

#include "shoal.h"

#ifdef __cplusplus
extern "C" {
#endif

@{definitions}

/* The exact number of bytes that shoal_open() needs, by the size of a pointer. */
#define MODEL_MEMORY (sizeof(void *) == 8 ? @{memory_64}u : @{memory_32}u)

typedef @{input_type} model_input;
typedef @{output_type} model_output;

extern const uint32_t model_image[@{words}];

#if MODEL_LEARNS
extern const struct shoal_optimizer model_optimizer; /* how learning begins; shoal_set_optimizer() changes it */
#endif

#if MODEL_LABELS > 0
extern const char *const model_labels[MODEL_LABELS]; /* the names of the first outputs */
#endif

/* The bytes of the answers that golden.c compares with. */
extern const uint8_t model_golden[MODEL_GOLDEN_SAMPLES][MODEL_OUTPUTS * sizeof(model_output)];

#ifdef __cplusplus
}
#endif
#endif
