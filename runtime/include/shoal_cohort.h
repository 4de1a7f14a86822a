/* Many simulated devices at once: for a host, never part of a firmware.
 *
 * The kernels are those of shoal.h, compiled again at widths 8 and 16 with one device in each
 * lane. Whatever the width, a device ends with the same bits as one that runs alone. Nothing is
 * allocated: each thread brings memory of shoal_cohort_memory() bytes, aligned to 64.
 */
#ifndef SHOAL_COHORT_H
#define SHOAL_COHORT_H

#include "shoal.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A part of a visit: `samples` in a row with one setting, an update after each `batch` of them. */
struct shoal_phase {
    struct shoal_optimizer optimizer;
    uint32_t               samples; /* of the last phase: ignored, it takes what is left */
    uint32_t               batch;   /* more than 1 only for an image that accumulates */
    uint8_t                frozen[32]; /* a bit for each layer that does not learn */
};

/* What devices learn from: their samples are rows of a shared store. */
struct shoal_stream {
    const float    *x;       /* (rows, inputs) */
    size_t          rows;
    const uint32_t *row;     /* (devices, samples): which row each sample is */
    const float    *targets; /* (devices, samples, targets) */
    const uint32_t *counts;  /* (devices): how many of `samples` each has; NULL: all. Devices of a
                              * visit take all earlier phases, and whole batches of the last */
    size_t          devices, samples;
};

/* Where devices start and what is kept of them. A start is the first `start_count` values of
 * the state, the rest 0; `start_stride` values lie between two devices' starts, 0: all the same. */
struct shoal_visit {
    struct shoal_stream       stream;
    const struct shoal_phase *phases;
    size_t                    phase_count;
    const float              *start;
    size_t                    start_stride, start_count;
    const uint32_t           *marks; /* (mark_count): after how many samples to keep, at most what
                                      * every device has; NULL: at the end */
    size_t                    mark_count;
    float                    *end;   /* (devices, marks, end_count): first values of the state */
    size_t                    end_count;
    float                    *loss;  /* (devices): mean of the losses before each sample's update */
    int32_t                  *status; /* (devices): a shoal_status; `end` is the start where it is not 0 */
};

/* Answers without learning; of a stream, each device from its start. */
struct shoal_answer {
    struct shoal_stream stream;
    const float        *start;
    size_t              start_stride, start_count;
    float              *y;    /* (devices, samples, outputs) or NULL */
    float              *loss; /* (devices, samples) or NULL; refuses labels that name no class */
};

/* Serial federated learning: devices visit one after the other, and after each the shared
 * parameters move: p = p + server_rate * (end - p). A device that fails moves nothing. */
struct shoal_serial {
    struct shoal_visit visit; /* start, marks and end are set by the call */
    float             *parameters; /* (info.parameters): in and out */
    const float       *server_rate; /* (devices) */
};

#define SHOAL_COHORT(width)                                                                          \
    SHOAL_API enum shoal_status shoal_cohort_memory##width(size_t *memory_size, const void *image,   \
                                                           size_t image_size);                       \
    SHOAL_API enum shoal_status shoal_cohort_visit##width(const struct shoal_visit *visit,           \
                                                          const void *image, size_t image_size,      \
                                                          void *memory, size_t memory_size);         \
    SHOAL_API enum shoal_status shoal_cohort_answer##width(const struct shoal_answer *answer,        \
                                                           const void *image, size_t image_size,     \
                                                           void *memory, size_t memory_size);

SHOAL_COHORT()
SHOAL_COHORT(_w8)
SHOAL_COHORT(_w16)

/* The build that suits this processor: avx512, avx2, baseline or neon. */
SHOAL_API const char *shoal_cohort_isa(void);

SHOAL_API enum shoal_status shoal_cohort_serial(const struct shoal_serial *serial,
                                                const void *image, size_t image_size,
                                                void *memory, size_t memory_size);

#ifdef __cplusplus
}
#endif
#endif
