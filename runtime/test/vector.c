#include "vector.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void stop(const char *path, const char *problem)
{
    fprintf(stderr, "%s: %s\n", path, problem);
    exit(2);
}

static void *allocate(size_t size)
{
    void *memory = malloc(size > 0 ? size : 1);
    if (memory == NULL) stop("memory", "none left");
    return memory;
}

void *copy_of(const void *bytes, size_t size)
{
    return memcpy(allocate(size), bytes, size);
}

/* The polynomial bit by bit: another way than the runtime's. */
uint32_t crc32_of(const void *bytes, size_t size)
{
    const unsigned char *at = bytes;
    uint32_t             table[256], crc = 0xFFFFFFFFu;
    for (uint32_t i = 0; i < 256; i++) {
        table[i] = i;
        for (int bit = 0; bit < 8; bit++) table[i] = table[i] >> 1 ^ (table[i] & 1 ? 0xEDB88320u : 0);
    }
    for (size_t i = 0; i < size; i++) crc = crc >> 8 ^ table[(crc ^ at[i]) & 255];
    return ~crc;
}

void seal(void *image, size_t size)
{
    const uint32_t crc = crc32_of((const char *)image + 16, size - 16);
    memcpy((char *)image + 12, &crc, 4);
}

enum { HEAD = 92 };

unsigned char *read_file(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) stop(path, "cannot be opened");
    unsigned char *data = NULL;
    *size = 0;
    for (size_t got = 1; got > 0; *size += got) {
        unsigned char *larger = realloc(data, *size + 65536);
        if (larger == NULL) stop(path, "too large");
        data = larger;
        got = fread(data + *size, 1, 65536, file);
    }
    fclose(file);
    return data;
}

struct vector read_vector(const char *path)
{
    struct vector  v;
    size_t         size;
    unsigned char *data = read_file(path, &size);
    uint32_t       word[16];
    if (size < HEAD || memcmp(data, "SVEC", 4) != 0) stop(path, "no test vector");
    memcpy(word, data + 4, 64);
    if (word[0] != 1) stop(path, "a test vector of another version");
    v.image_size = word[1];
    v.inputs = word[2], v.outputs = word[3], v.targets = word[4];
    v.parameters = word[5], v.state = word[6];
    v.samples = word[7], v.batch = word[8], v.grow = word[9], v.seed = word[10];
    v.after_500.parameters = word[11], v.after_500.state = word[12];
    v.after_10000.parameters = word[13], v.after_10000.state = word[14];
    memcpy(&v.tolerance, &word[15], 4);
    memcpy(&v.optimizer, data + 68, 24);
    const size_t each = (size_t)v.inputs + v.targets + v.outputs + 1;
    if (size != HEAD + v.image_size + 4 * (each * v.samples + v.parameters)) stop(path, "cut short");
    v.image = copy_of(data + HEAD, v.image_size);
    v.data = copy_of(data + HEAD + v.image_size, size - HEAD - v.image_size);
    v.x = v.data;
    v.target = v.x + (size_t)v.samples * v.inputs;
    v.y = v.target + (size_t)v.samples * v.targets;
    v.loss = v.y + (size_t)v.samples * v.outputs;
    v.end = v.loss + v.samples;
    free(data);
    return v;
}

void free_vector(struct vector *v)
{
    free(v->image);
    free(v->data);
}

static uint16_t flags_of(const struct vector *v)
{
    uint16_t flags;
    memcpy(&flags, (const char *)v->image + 6, 2);
    return flags;
}

bool accumulates(const struct vector *v) { return (flags_of(v) & 1) != 0; }
bool has_anchor(const struct vector *v) { return (flags_of(v) & 2) != 0; }

/* The code of the loss, the first of the learning operations. */
bool has_labels(const struct vector *v)
{
    uint32_t tensors, forward;
    memcpy(&tensors, (const char *)v->image + 16, 4);
    memcpy(&forward, (const char *)v->image + 20, 4);
    return v->targets == 1 && ((const unsigned char *)v->image)[64 + 20 * tensors + 36 * forward] == 34;
}

struct device open_device(const void *image, size_t image_size)
{
    struct device     d = {0};
    enum shoal_status status = shoal_memory_needed(&d.memory_size, image, image_size);
    if (status == SHOAL_OK) {
        d.memory = allocate(d.memory_size);
        status = shoal_open(&d.net, image, image_size, d.memory, d.memory_size);
    }
    if (status != SHOAL_OK) stop("image", shoal_status_text(status));
    return d;
}

struct device open_vector(const struct vector *v)
{
    struct device d = open_device(v->image, v->image_size);
    if (v->targets > 0 && shoal_set_optimizer(d.net, &v->optimizer) != SHOAL_OK) stop("vector", "bad optimizer");
    if (has_anchor(v) && shoal_set_anchor(d.net) != SHOAL_OK) stop("vector", "no anchor");
    return d;
}

void close_device(struct device *d) { free(d->memory); }

static uint32_t draw(struct stream *s)
{
    s->state = s->state * 1664525u + 1013904223u;
    return s->state;
}

void next_sample(struct stream *s, const struct vector *v, uint32_t active, float *x, float *target)
{
    for (uint32_t i = 0; i < v->inputs; i++) x[i] = (float)(draw(s) >> 8) * 0x1p-23f - 1.0f;
    for (uint32_t i = 0; i < v->targets; i++)
        target[i] = has_labels(v) ? (float)((draw(s) >> 16) * active >> 16) : (float)(draw(s) >> 8) * 0x1p-24f;
}

void learn_stream(struct shoal *net, const struct vector *v, struct stream *s, uint32_t from, uint32_t to)
{
    float *x = allocate(4 * (size_t)v->inputs), *target = allocate(4 * (size_t)v->targets), loss;
    for (uint32_t i = from; i < to; i++) {
        enum shoal_status status = i == v->grow ? shoal_grow(net) : SHOAL_OK;
        next_sample(s, v, shoal_info(net).active, x, target);
        if (status == SHOAL_OK) status = shoal_learn(net, x, v->inputs, target, v->targets, NULL, 0, &loss);
        if (status == SHOAL_OK && accumulates(v) && (i + 1) % v->batch == 0) status = shoal_apply(net);
        if (status != SHOAL_OK) stop("stream", shoal_status_text(status));
    }
    free(x);
    free(target);
}

struct golden golden_of(struct shoal *net)
{
    const struct golden g = {shoal_checksum(net), crc32_of(shoal_state(net), 4 * (size_t)shoal_info(net).state)};
    return g;
}

bool same_golden(struct golden a, struct golden b) { return a.parameters == b.parameters && a.state == b.state; }
