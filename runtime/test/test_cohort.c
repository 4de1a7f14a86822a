/* Devices in lanes: the bits of a device that runs alone, whatever the width.
 *
 *   test_cohort [short] FILE.vec...
 */
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "shoal_cohort.h"
#include "vector.h"

typedef enum shoal_status memory_call(size_t *memory_size, const void *image, size_t image_size);
typedef enum shoal_status visit_call(const struct shoal_visit *visit, const void *image, size_t image_size,
                                     void *memory, size_t memory_size);
typedef enum shoal_status answer_call(const struct shoal_answer *answer, const void *image, size_t image_size,
                                      void *memory, size_t memory_size);

static const struct width {
    int          lanes;
    memory_call *memory;
    visit_call  *visit;
    answer_call *answer;
} widths[] = {
    {1, shoal_cohort_memory, shoal_cohort_visit, shoal_cohort_answer},
    {8, shoal_cohort_memory_w8, shoal_cohort_visit_w8, shoal_cohort_answer_w8},
    {16, shoal_cohort_memory_w16, shoal_cohort_visit_w16, shoal_cohort_answer_w16},
};

enum { WIDTHS = 3, MARKS = 3 };

/* Memory of the size that a width asks for, from an address that is a multiple of 64 on. */
static void *memory_for(const struct width *w, const struct vector *v, size_t *size)
{
    void *memory = NULL;
    CHECK(w->memory(size, v->image, v->image_size) == SHOAL_OK);
    CHECK(posix_memalign(&memory, 64, *size) == 0);
    return memory;
}

/* Devices with the streams of their seeds; `seeds[d]` equal: the same samples. */
struct fleet {
    size_t    devices, samples;
    float    *x, *targets, *start;
    uint32_t *row, *counts;
};

static struct fleet make_fleet(const struct vector *v, const uint32_t *seeds, size_t devices, size_t samples)
{
    struct fleet  f = {devices, samples, NULL, NULL, NULL, NULL, NULL};
    struct device d = open_vector(v);
    const uint32_t active = shoal_info(d.net).active;
    f.x = malloc(4 * devices * samples * v->inputs);
    f.targets = malloc(4 * devices * samples * v->targets);
    f.row = malloc(4 * devices * samples);
    f.counts = malloc(4 * devices);
    f.start = copy_of(shoal_state(d.net), 4 * (size_t)v->parameters);
    for (size_t k = 0; k < devices; k++) {
        struct stream s = {seeds[k]};
        f.counts[k] = (uint32_t)samples;
        for (size_t i = k * samples; i < (k + 1) * samples; i++) {
            f.row[i] = (uint32_t)i;
            next_sample(&s, v, active, f.x + i * v->inputs, f.targets + i * v->targets);
        }
    }
    close_device(&d);
    return f;
}

static void free_fleet(struct fleet *f)
{
    free(f->x);
    free(f->targets);
    free(f->start);
    free(f->row);
    free(f->counts);
}

static struct shoal_stream stream_of(const struct fleet *f)
{
    const struct shoal_stream s = {f->x, f->devices * f->samples, f->row, f->targets, f->counts, f->devices, f->samples};
    return s;
}

/* Two phases, the second with the first layer frozen and another rate. */
static void make_phases(const struct vector *v, struct shoal_phase phases[2], uint32_t samples)
{
    memset(phases, 0, 2 * sizeof *phases);
    phases[0].optimizer = phases[1].optimizer = v->optimizer;
    phases[1].optimizer.rate = v->optimizer.rate / 2;
    phases[0].samples = samples;
    phases[0].batch = phases[1].batch = v->batch;
    phases[1].frozen[0] = 1;
}

/* The same by the interface of one device. */
static void learn_alone(const struct vector *v, const struct fleet *f, size_t k, const struct shoal_phase *phases,
                        const uint32_t *marks, float *end)
{
    struct device  d = open_vector(v);
    const uint32_t count = f->counts[k];
    for (uint32_t i = 0; i <= count; i++) {
        for (size_t m = 0; m < MARKS; m++)
            if (marks[m] == i) memcpy(end + m * v->state, shoal_state(d.net), 4 * (size_t)v->state);
        if (i == phases[0].samples) {
            CHECK(shoal_set_optimizer(d.net, &phases[1].optimizer) == SHOAL_OK);
            CHECK(shoal_set_trainable(d.net, 0, false) == SHOAL_OK);
            if (has_anchor(v)) CHECK(shoal_set_anchor(d.net) == SHOAL_OK);
        }
        if (i == count) break;
        const size_t at = f->row[k * f->samples + i];
        float        loss;
        CHECK(shoal_learn(d.net, f->x + at * v->inputs, v->inputs, f->targets + (k * f->samples + i) * v->targets,
                          v->targets, NULL, 0, &loss) == SHOAL_OK);
        const uint32_t last = i < phases[0].samples && phases[0].samples < count ? phases[0].samples : count;
        if (accumulates(v) && (shoal_info(d.net).pending == v->batch || i + 1 == last)) CHECK(shoal_apply(d.net) == SHOAL_OK);
    }
    close_device(&d);
}

static void check_lanes(const struct vector *v)
{
    enum { DEVICES = 19, SAMPLES = 40 };
    uint32_t seeds[DEVICES];
    for (uint32_t k = 0; k < DEVICES; k++) seeds[k] = k % 3 == 0 ? 77 : 100 + k;
    struct fleet       f = make_fleet(v, seeds, DEVICES, SAMPLES);
    const uint32_t     marks[MARKS] = {0, 12, 26};
    const size_t       end_size = 4 * (size_t)v->state * MARKS;
    struct shoal_phase phases[2];
    float             *alone = malloc(end_size * DEVICES), *end = malloc(end_size * DEVICES);
    make_phases(v, phases, 18);
    for (size_t k = 0; k < DEVICES; k++) {
        f.counts[k] = (uint32_t)(38 - k % 4 * 4); /* 18 of the first phase, then whole batches */
        learn_alone(v, &f, k, phases, marks, alone + k * v->state * MARKS);
        CHECK(k % 3 != 0 || memcmp(alone, alone + k * v->state * MARKS, end_size) == 0);
        CHECK(k % 3 == 0 || memcmp(alone, alone + k * v->state * MARKS, end_size) != 0);
    }
    for (size_t w = 0; w < WIDTHS; w++) {
        size_t             size;
        float              loss[DEVICES];
        int32_t            status[DEVICES];
        void              *memory = memory_for(&widths[w], v, &size);
        struct shoal_visit visit = {stream_of(&f), phases, 2, f.start, 0, v->parameters, marks, MARKS, end, v->state, loss, status};
        CHECK(widths[w].visit(&visit, v->image, v->image_size, memory, size - 1) == SHOAL_ERROR_MEMORY);
        CHECK(widths[w].visit(&visit, v->image, v->image_size, memory, size) == SHOAL_OK);
        for (size_t k = 0; k < DEVICES; k++) {
            CHECK(status[k] == SHOAL_OK);
            if (!CHECK(memcmp(end + k * v->state * MARKS, alone + k * v->state * MARKS, end_size) == 0))
                fprintf(stderr, "  device %zu at width %d\n", k, widths[w].lanes);
        }
        free(memory);
    }
    free(alone);
    free(end);
    free_fleet(&f);
}

/* Devices with fewer samples than others of their group end as if alone; a part of a batch is refused. */
static void check_counts(const struct vector *v)
{
    enum { DEVICES = 11, SAMPLES = 44 };
    uint32_t seeds[DEVICES];
    float    loss[WIDTHS][DEVICES], *end[WIDTHS];
    for (uint32_t k = 0; k < DEVICES; k++) seeds[k] = k;
    struct fleet       f = make_fleet(v, seeds, DEVICES, SAMPLES);
    struct shoal_phase phase = {v->optimizer, 0, v->batch, {0}};
    for (uint32_t k = 0; k < DEVICES; k++) f.counts[k] = k * v->batch;
    for (size_t w = 0; w < WIDTHS; w++) {
        size_t             size;
        int32_t            status[DEVICES];
        void              *memory = memory_for(&widths[w], v, &size);
        end[w] = calloc(DEVICES * v->state, 4);
        struct shoal_visit visit = {stream_of(&f), &phase, 1, f.start, 0, v->parameters, NULL, 0, end[w], v->state, loss[w], status};
        f.counts[3] = 3 * v->batch + 1;
        CHECK(v->batch == 1 || widths[w].visit(&visit, v->image, v->image_size, memory, size) == SHOAL_ERROR_SIZE);
        f.counts[3] = 3 * v->batch;
        CHECK(widths[w].visit(&visit, v->image, v->image_size, memory, size) == SHOAL_OK);
        for (size_t k = 0; k < DEVICES; k++) {
            const size_t at = k * v->state;
            if (!CHECK(memcmp(end[w] + at, end[0] + at, 4 * (size_t)v->state) == 0))
                fprintf(stderr, "  device %zu at width %d, batch %u\n", k, widths[w].lanes, (unsigned)v->batch);
            CHECK(memcmp(&loss[w][k], &loss[0][k], 4) == 0);
        }
        free(memory);
    }
    for (size_t w = 0; w < WIDTHS; w++) free(end[w]);
    free_fleet(&f);
}

/* A device with a bad label, one whose loss overflows and their neighbours. */
static void check_failures(const struct vector *v)
{
    enum { DEVICES = 9, SAMPLES = 6 };
    uint32_t seeds[DEVICES];
    for (uint32_t k = 0; k < DEVICES; k++) seeds[k] = 5;
    struct fleet       f = make_fleet(v, seeds, DEVICES, SAMPLES);
    struct shoal_phase phase = {v->optimizer, 0, 1, {0}};
    const size_t       end_size = 4 * (size_t)v->state;
    float             *end = malloc(end_size * DEVICES), loss[DEVICES];
    f.targets[(3 * SAMPLES + 2) * v->targets] = has_labels(v) ? 1000.0f : 3e38f;
    for (size_t w = 0; w < WIDTHS; w++) {
        size_t             size;
        int32_t            status[DEVICES];
        void              *memory = memory_for(&widths[w], v, &size);
        struct shoal_visit visit = {stream_of(&f), &phase, 1, f.start, 0, v->parameters, NULL, 0, end, v->state, loss, status};
        CHECK(widths[w].visit(&visit, v->image, v->image_size, memory, size) == SHOAL_OK);
        for (size_t k = 0; k < DEVICES; k++) {
            if (k != 3) {
                CHECK(status[k] == SHOAL_OK);
                CHECK(memcmp(end + k * v->state, end, end_size) == 0);
            } else if (has_labels(v)) {
                CHECK(status[k] == SHOAL_ERROR_LABEL);
            } else if (status[k] != SHOAL_OK) { /* binary cross-entropy bears a large target */
                CHECK(status[k] == SHOAL_ERROR_NOT_FINITE);
            }
            if (status[k] != SHOAL_OK) CHECK(memcmp(end + k * v->state, f.start, 4 * (size_t)v->parameters) == 0);
        }
        f.row[0] = (uint32_t)(DEVICES * SAMPLES);
        CHECK(widths[w].visit(&visit, v->image, v->image_size, memory, size) == SHOAL_ERROR_SIZE);
        f.row[0] = 0;
        free(memory);
    }
    free(end);
    free_fleet(&f);
}

/* Devices one after the other: each starts from where the one before moved the parameters. */
static void check_serial(const struct vector *v)
{
    enum { DEVICES = 5, SAMPLES = 8 };
    const uint32_t      seeds[DEVICES] = {1, 2, 3, 4, 5};
    const float         rate[DEVICES] = {1.0f, 0.5f, 0.25f, 1.0f, 0.75f};
    struct fleet        f = make_fleet(v, seeds, DEVICES, SAMPLES);
    struct shoal_phase  phase = {v->optimizer, 0, 1, {0}};
    const size_t        n = (size_t)v->parameters;
    float              *want = copy_of(f.start, 4 * n), *end = malloc(4 * n), loss[DEVICES], alone;
    int32_t             status[DEVICES], alone_status;
    size_t              size;
    void               *memory = memory_for(&widths[0], v, &size);
    struct shoal_serial serial = {{stream_of(&f), &phase, 1, NULL, 0, 0, NULL, 0, NULL, 0, loss, status}, f.start, rate};
    if (has_labels(v)) f.targets[2 * SAMPLES] = 1000.0f; /* the third fails and moves nothing */
    for (size_t k = 0; k < DEVICES; k++) {
        struct shoal_visit one = {stream_of(&f), &phase, 1, want, 0, n, NULL, 0, end, n, &alone, &alone_status};
        one.stream.devices = 1;
        one.stream.row += k * SAMPLES;
        one.stream.targets += k * SAMPLES * v->targets;
        CHECK(shoal_cohort_visit(&one, v->image, v->image_size, memory, size) == SHOAL_OK);
        for (size_t i = 0; alone_status == SHOAL_OK && i < n; i++) want[i] += rate[k] * (end[i] - want[i]);
    }
    CHECK(shoal_cohort_serial(&serial, v->image, v->image_size, memory, size - 1) == SHOAL_ERROR_MEMORY);
    CHECK(shoal_cohort_serial(&serial, v->image, v->image_size, memory, size) == SHOAL_OK);
    CHECK(memcmp(f.start, want, 4 * n) == 0);
    for (size_t k = 0; k < DEVICES; k++)
        CHECK(status[k] == (has_labels(v) && k == 2 ? SHOAL_ERROR_LABEL : SHOAL_OK));
    free(memory);
    free(want);
    free(end);
    free_fleet(&f);
}

/* Answers at each width are those of one device. */
static void check_answers(const struct vector *v)
{
    enum { DEVICES = 10, SAMPLES = 3 };
    uint32_t      seeds[DEVICES];
    struct device d = open_vector(v);
    for (uint32_t k = 0; k < DEVICES; k++) seeds[k] = k;
    struct fleet f = make_fleet(v, seeds, DEVICES, SAMPLES);
    const size_t n = (size_t)v->outputs;
    float       *y = malloc(4 * DEVICES * SAMPLES * n), *want = malloc(4 * n), loss[DEVICES * SAMPLES], want_loss;
    for (size_t w = 0; w < WIDTHS; w++) {
        size_t              size;
        void               *memory = memory_for(&widths[w], v, &size);
        struct shoal_answer answer = {stream_of(&f), f.start, 0, v->parameters, y, v->targets > 0 ? loss : NULL};
        CHECK(widths[w].answer(&answer, v->image, v->image_size, memory, size) == SHOAL_OK);
        for (size_t i = 0; i < DEVICES * SAMPLES; i++) {
            CHECK(shoal_predict(d.net, f.x + i * v->inputs, v->inputs, want, n) == SHOAL_OK);
            CHECK(memcmp(want, y + i * n, 4 * n) == 0);
            if (v->targets == 0) continue;
            CHECK(shoal_score(d.net, f.x + i * v->inputs, v->inputs, f.targets + i * v->targets, v->targets, NULL, 0,
                              &want_loss) == SHOAL_OK);
            CHECK(memcmp(&want_loss, loss + i, 4) == 0);
        }
        free(memory);
    }
    free(y);
    free(want);
    free_fleet(&f);
    close_device(&d);
}

/* The long stream at each width; two devices share it. */
static void check_golden(const struct vector *v, bool complete)
{
    const uint32_t     seeds[2] = {v->seed, v->seed};
    const size_t       samples = complete ? 10000 : 500;
    struct fleet       f = make_fleet(v, seeds, 2, samples);
    struct shoal_phase phase = {v->optimizer, 0, v->batch, {0}};
    float             *end = malloc(4 * 2 * (size_t)v->state), loss[2];
    const uint32_t     want = complete ? v->after_10000.state : v->after_500.state;
    for (size_t w = 0; w < WIDTHS; w++) {
        size_t             size;
        int32_t            status[2];
        void              *memory = memory_for(&widths[w], v, &size);
        struct shoal_visit visit = {stream_of(&f), &phase, 1, f.start, 0, v->parameters, NULL, 0, end, v->state, loss, status};
        CHECK(widths[w].visit(&visit, v->image, v->image_size, memory, size) == SHOAL_OK);
        CHECK(crc32_of(end, 4 * (size_t)v->state) == want);
        CHECK(crc32_of(end + v->state, 4 * (size_t)v->state) == want);
        free(memory);
    }
    free(end);
    free_fleet(&f);
}

int main(int argc, char **argv)
{
    const bool complete = argc < 2 || strcmp(argv[1], "short") != 0;
    for (int i = complete ? 1 : 2; i < argc; i++) {
        struct vector v = read_vector(argv[i]);
        check_answers(&v);
        if (v.targets > 0) {
            check_lanes(&v);
            check_counts(&v);
            if (v.batch == 1) check_failures(&v);
            if (v.batch == 1) check_serial(&v);
            if (v.grow == NEVER) check_golden(&v, complete && v.parameters < 1000);
        }
        free_vector(&v);
    }
    return check_end("cohort");
}
