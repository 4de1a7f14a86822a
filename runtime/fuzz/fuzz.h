/* What the harnesses share. */
#ifndef FUZZ_H
#define FUZZ_H

#include <stdio.h>

#include "network.h"

/* Stops where the runtime broke a promise. */
#define must(condition) must_hold((condition) != 0, #condition, __LINE__)
void must_hold(bool condition, const char *text, int line);

/* Memory of exactly this size, so that the sanitizer sees each step beyond it. */
void *exactly(size_t size);

/* Numbers that follow from a seed, so that an input always does the same. */
void fill(float *values, size_t count, uint32_t *seed);

uint64_t elements(const struct tensor *t);
bool     is_label_loss(const uint8_t *image);

/* About how many multiply-accumulates a step of this image takes. */
uint64_t work_of(const uint8_t *image);

/* Every call on an open network. */
void exercise(struct shoal *net, const uint8_t *image, uint32_t seed);

/* mutate.c: changes an image and, most of the time, makes its sizes and checksum right again. */
size_t mutate_image(uint8_t *data, size_t size, size_t max_size, uint32_t seed);

/* The interface of libFuzzer. */
int    LLVMFuzzerInitialize(int *argc, char ***argv);
int    LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed);

#endif
