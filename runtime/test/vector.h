/* Test vectors: see vectors/README.md. */
#ifndef VECTOR_H
#define VECTOR_H

#include "shoal.h"

#define NEVER 0xFFFFFFFFu

/* What learning must have led to. */
struct golden { uint32_t parameters, state; };

struct vector {
    uint32_t               inputs, outputs, targets, parameters, state;
    uint32_t               samples, batch, grow, seed;
    struct golden          after_500, after_10000;
    float                  tolerance;
    struct shoal_optimizer optimizer;
    void                  *image;
    size_t                 image_size;
    const float           *x, *target, *y, *loss, *end;
    void                  *data; /* holds the arrays */
};

/* Ends the program where the file is missing or no vector. */
unsigned char *read_file(const char *path, size_t *size);

struct vector read_vector(const char *path);
void          free_vector(struct vector *v);

/* A network open in memory of exactly the size that it needs. */
struct device {
    struct shoal *net;
    void         *memory;
    size_t        memory_size;
};

struct device open_device(const void *image, size_t image_size);
void          close_device(struct device *d);

/* With the vector's optimizer and, where there is room, its anchor. */
struct device open_vector(const struct vector *v);

bool accumulates(const struct vector *v);
bool has_anchor(const struct vector *v);
bool has_labels(const struct vector *v);

/* The stream of samples that a seed stands for. */
struct stream { uint32_t state; };
void next_sample(struct stream *s, const struct vector *v, uint32_t active, float *x, float *target);

/* Learns the samples [from, to) of a stream: batches and growth as the vector says. */
void learn_stream(struct shoal *net, const struct vector *v, struct stream *s, uint32_t from, uint32_t to);

uint32_t      crc32_of(const void *bytes, size_t size);
struct golden golden_of(struct shoal *net);
bool          same_golden(struct golden a, struct golden b);

/* A copy of `size` bytes in a block of exactly that size, so that sanitizers see the end. */
void *copy_of(const void *bytes, size_t size);

/* A changed image gets its checksum right again. */
void seal(void *image, size_t size);

#endif
