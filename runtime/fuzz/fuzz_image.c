/* Any bytes as an image: refused, or safe to run in exactly the memory that was asked for.
 *
 * Images that are accepted and small are run through every call, at width 1 and, now and then, at
 * width 8, where each lane must end with the same bits. */
#include <stdlib.h>

#include "fuzz.h"
#include "shoal_cohort.h"

/* Marks or looks up the words of a tensor; true where all of them were marked before, by the same type and, as
 * lanes of bytes lie one after the other, bytes from the same place. */
static bool visit_values(const uint8_t *image, uint32_t *written, uint16_t number, bool mark)
{
    struct tensor t;
    bool          whole = true;
    if (number == NONE) return true;
    memcpy(&t, image + sizeof(struct header) + sizeof t * number, sizeof t);
    if (t.space != ARENA) return true;
    const bool     bytes = bytes_in(t.type) == 1;
    const uint32_t name = bytes ? (2 + t.offset * 2654435761u) ^ (uint32_t)words_of(&t) * 40503u : 1;
    for (uint64_t i = t.offset; i < t.offset + words_of(&t); i++) {
        whole = whole && written[i] == name;
        if (mark) written[i] = name;
    }
    return whole;
}

/* Whether every value is written in a step before it is read there. An image that reads what an
 * earlier step left is safe, but what it computes depends on which device used the memory last. */
static bool is_self_contained(const uint8_t *image)
{
    struct header h;
    bool          good = true;
    memcpy(&h, image, sizeof h);
    good = h.stream == 0;
    for (uint32_t i = 0; i < h.tensors; i++) {
        struct tensor t;
        memcpy(&t, image + sizeof h + sizeof t * i, sizeof t);
        good = good && t.type != I16 && t.space != STREAM; /* without lanes */
        good = good && !(t.type == I32 && t.space == ARENA);
    }
    uint32_t *written = exactly(4 * (size_t)h.arena);
    memset(written, 0, 4 * (size_t)h.arena);
    visit_values(image, written, h.input, true);
    for (uint32_t i = 0; i < h.forward + h.learning; i++) {
        struct operation op;
        memcpy(&op, image + sizeof h + sizeof(struct tensor) * h.tensors + sizeof op * i, sizeof op);
        good = good && op.code < QUANTIZED + BACKWARD; /* these have no lanes */
        good = good && visit_values(image, written, op.in, false) && visit_values(image, written, op.in2, false);
        good = good && (op.code == GROUP_NORM || visit_values(image, written, op.aux, false));
        visit_values(image, written, op.out, true);
        if (op.code == GROUP_NORM) visit_values(image, written, op.aux, true);
    }
    free(written);
    return good;
}

enum { DEVICES = 3, SAMPLES = 2 };

typedef enum shoal_status visit_call(const struct shoal_visit *visit, const void *image, size_t image_size,
                                     void *memory, size_t memory_size);
typedef enum shoal_status memory_call(size_t *memory_size, const void *image, size_t image_size);

/* Each call of a width in its own memory; the status of the whole visit. */
static enum shoal_status visit_at(memory_call *memory_of, visit_call *call, struct shoal_visit *v,
                                  const uint8_t *image, size_t image_size)
{
    size_t size;
    must(memory_of(&size, image, image_size) == SHOAL_OK);
    void  *memory;
    must(posix_memalign(&memory, 64, size) == 0);
    const enum shoal_status status = call(v, image, image_size, memory, size);
    free(memory);
    return status;
}

static void compare_widths(const uint8_t *image, size_t image_size, const struct shoal_info *info, uint32_t seed)
{
    static const uint32_t row[DEVICES * SAMPLES] = {0, 1, 2, 3, 1, 0};
    const size_t          targets = info->targets;
    struct header         h;
    float                *x = exactly(4 * 4 * (size_t)info->inputs), *target = exactly(4 * DEVICES * SAMPLES * targets);
    float                *start = exactly(4 * (size_t)info->parameters), *end[2], loss[2][DEVICES];
    int32_t               status[2][DEVICES];
    struct shoal_phase    phase = {{0.05f, 0.5f, 0.5f, 0.5f, 1e-3f, 0.25f}, SAMPLES, 1, {0}};
    memcpy(&h, image, sizeof h);
    fill(x, 4 * (size_t)info->inputs, &seed);
    for (size_t i = 0; info->input_type != SHOAL_FLOAT32 && i < 4 * (size_t)info->inputs; i++)
        x[i] = (float)((int)(x[i] * 60.0f) & 127);
    fill(target, DEVICES * SAMPLES * targets, &seed);
    if (is_label_loss(image))
        for (size_t i = 0; i < DEVICES * SAMPLES; i++) target[i] = (float)((seed + i) % info->active);
    memcpy(start, image + image_size - 4 * (size_t)h.parameters, 4 * (size_t)h.parameters);
    if (h.flags & ACCUMULATE) phase.batch = SAMPLES;
    for (size_t i = 0; i < 2; i++) {
        end[i] = exactly(4 * DEVICES * (size_t)info->state);
        struct shoal_visit v = {{x, 4, row, target, NULL, DEVICES, SAMPLES}, &phase, 1, start, 0, info->parameters,
                                NULL, 0, end[i], info->state, loss[i], status[i]};
        const enum shoal_status whole =
            i == 0 ? visit_at(shoal_cohort_memory, shoal_cohort_visit, &v, image, image_size)
                   : visit_at(shoal_cohort_memory_w8, shoal_cohort_visit_w8, &v, image, image_size);
        must(whole == (h.learning > 0 ? SHOAL_OK : SHOAL_ERROR_NOT_TRAINABLE));
    }
    for (size_t d = 0; h.learning > 0 && d < DEVICES; d++) {
        must(status[0][d] == status[1][d]);
        if (status[0][d] != SHOAL_OK) continue;
        must(memcmp(&loss[0][d], &loss[1][d], 4) == 0);
        for (size_t i = 0; i < info->state; i++) {
            const float a = end[0][d * info->state + i], b = end[1][d * info->state + i];
            must(memcmp(&a, &b, 4) == 0 || (a != a && b != b));
        }
    }
    free(x);
    free(target);
    free(start);
    free(end[0]);
    free(end[1]);
}

static struct { uint64_t all, accepted, run, compared; } tally;

static void report(void)
{
    fprintf(stderr, "images accepted: %llu of %llu, run: %llu, compared at two widths: %llu\n",
            (unsigned long long)tally.accepted, (unsigned long long)tally.all, (unsigned long long)tally.run,
            (unsigned long long)tally.compared);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc, (void)argv;
    return atexit(report);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t            needed = 1;
    enum shoal_status status = shoal_memory_needed(&needed, data, size);
    tally.all++;
    if (status != SHOAL_OK) {
        struct shoal *net = NULL;
        must(needed == 0);
        must(tally.all % 16 != 0 || (shoal_open(&net, data, size, &needed, sizeof needed) == status && net == NULL));
        return 0;
    }
    tally.accepted++;
    /* One image in 64 may be large, the others keep the fuzzer fast. */
    uint32_t seed;
    memcpy(&seed, data + 12, 4);
    const uint64_t work = work_of(data), limit = seed % 64 == 0 ? 1000000 : 20000;
    if (work > limit || needed > limit) return 0;
    tally.run++;
    struct shoal *net;
    void         *memory = exactly(needed);
    must(shoal_open(&net, data, size, memory, needed - 1) == SHOAL_ERROR_MEMORY);
    must(shoal_open(&net, data, size, memory, needed) == SHOAL_OK);
    const struct shoal_info info = shoal_info(net);
    exercise(net, data, seed);
    free(memory);
    if ((seed >> 6 & 15) != 0 || info.quantized > 0 || !is_self_contained(data)) return 0;
    tally.compared++;
    compare_widths(data, size, &info, seed);
    return 0;
}

#ifdef FUZZER
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed)
{
    return mutate_image(data, size, max_size, seed);
}
#endif
