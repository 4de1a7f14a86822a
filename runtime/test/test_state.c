/* Saving, growth, freezing, statistics, accumulation and the anchor.
 *
 *   test_state FILE.vec...
 */
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "vector.h"

/* A block of random numbers for one sample. */
struct sample {
    float *x, *target, *y;
};

static struct sample sample_for(const struct vector *v)
{
    struct sample s = {malloc(4 * (size_t)v->inputs), malloc(4 * (size_t)v->targets + 4), malloc(4 * (size_t)v->outputs)};
    return s;
}

static void free_sample(struct sample *s)
{
    free(s->x);
    free(s->target);
    free(s->y);
}

/* Learning that is interrupted by save and load in another memory goes on with the same bits. */
static void check_save(const struct vector *v, uint32_t when)
{
    struct device whole = open_vector(v), first = open_vector(v), second = open_vector(v);
    struct stream a = {v->seed}, b = {v->seed};
    const size_t  size = shoal_state_size(first.net);
    void         *saved = malloc(size);
    learn_stream(whole.net, v, &a, 0, 60);
    learn_stream(first.net, v, &b, 0, when);
    const struct golden before = golden_of(first.net);
    CHECK(shoal_save(first.net, saved, size) == SHOAL_OK);
    CHECK(shoal_save(first.net, saved, size - 1) == SHOAL_ERROR_SIZE);
    CHECK(same_golden(before, golden_of(first.net)));
    CHECK(shoal_load(second.net, saved, size) == SHOAL_OK);
    const struct shoal_info x = shoal_info(first.net), y = shoal_info(second.net);
    CHECK(memcmp(&x, &y, sizeof x) == 0);
    learn_stream(second.net, v, &b, when, 60);
    CHECK(same_golden(golden_of(whole.net), golden_of(second.net)));
    CHECK(shoal_info(whole.net).steps == shoal_info(second.net).steps);
    free(saved);
    close_device(&whole);
    close_device(&first);
    close_device(&second);
}

/* Accumulation: the state stays until apply, pending counts, apply without any changes nothing. */
static void check_accumulation(const struct vector *v)
{
    struct device d = open_vector(v);
    struct sample s = sample_for(v);
    struct stream stream = {5};
    float         loss;
    const uint32_t before = shoal_checksum(d.net);
    CHECK(shoal_apply(d.net) == (accumulates(v) ? SHOAL_OK : SHOAL_ERROR_NOT_TRAINABLE));
    CHECK(shoal_checksum(d.net) == before && shoal_info(d.net).steps == 0);
    for (uint32_t i = 1; i <= 3; i++) {
        next_sample(&stream, v, shoal_info(d.net).active, s.x, s.target);
        CHECK(shoal_learn(d.net, s.x, v->inputs, s.target, v->targets, NULL, 0, &loss) == SHOAL_OK);
        CHECK(shoal_info(d.net).pending == (accumulates(v) ? i : 0));
        CHECK(shoal_info(d.net).steps == (accumulates(v) ? 0 : i));
        CHECK((shoal_checksum(d.net) == before) == accumulates(v));
    }
    if (accumulates(v)) {
        CHECK(shoal_apply(d.net) == SHOAL_OK);
        CHECK(shoal_info(d.net).pending == 0 && shoal_info(d.net).steps == 1);
        CHECK(shoal_checksum(d.net) != before);
    }
    free_sample(&s);
    close_device(&d);
}

/* Predict and score change nothing; observe changes statistics alone. */
static void check_reading(const struct vector *v)
{
    struct device d = open_vector(v);
    struct sample s = sample_for(v);
    struct stream stream = {9};
    float         loss;
    learn_stream(d.net, v, &stream, 0, 4);
    const struct golden before = golden_of(d.net);
    next_sample(&stream, v, shoal_info(d.net).active, s.x, s.target);
    CHECK(shoal_predict(d.net, s.x, v->inputs, s.y, v->outputs) == SHOAL_OK);
    CHECK(shoal_score(d.net, s.x, v->inputs, s.target, v->targets, s.y, v->outputs, &loss) == SHOAL_OK);
    CHECK(same_golden(before, golden_of(d.net)));
    CHECK(shoal_observe(d.net, s.x, v->inputs) == SHOAL_OK);
    CHECK(shoal_checksum(d.net) == before.parameters);
    uint32_t statistics;
    memcpy(&statistics, (const char *)v->image + 36, 4);
    CHECK((golden_of(d.net).state == before.state) == (statistics == 0));
    if (statistics > 0) {
        const float *count = shoal_state(d.net) + v->state - 1; /* one Standardize, first layer */
        CHECK(*count == 5.0f);
    }
    free_sample(&s);
    close_device(&d);
}

/* All layers frozen: nothing changes. One of them thawed: something does, unless it has nothing to learn. */
static void check_freezing(const struct vector *v)
{
    struct device d = open_vector(v);
    struct stream stream = {13};
    const uint32_t layers = shoal_info(d.net).layers;
    bool           learnt = false;
    CHECK(shoal_set_trainable(d.net, layers, false) == SHOAL_ERROR_SIZE);
    for (uint32_t i = 0; i < layers; i++) CHECK(shoal_set_trainable(d.net, i, false) == SHOAL_OK);
    const uint32_t before = shoal_checksum(d.net);
    learn_stream(d.net, v, &stream, 0, 4);
    CHECK(shoal_checksum(d.net) == before);
    for (uint32_t i = 0; i < layers; i++) {
        float         *kept = copy_of(shoal_state(d.net), 4 * (size_t)v->parameters);
        const uint32_t here = shoal_checksum(d.net);
        CHECK(shoal_set_trainable(d.net, i, true) == SHOAL_OK);
        learn_stream(d.net, v, &stream, 4, 8);
        if (shoal_checksum(d.net) != here) learnt = true;
        CHECK(shoal_set_trainable(d.net, i, false) == SHOAL_OK);
        memcpy(shoal_state(d.net), kept, 4 * (size_t)v->parameters);
        free(kept);
    }
    CHECK(learnt);
    close_device(&d);
}

/* Outputs in reserve answer 0 and no label may name them; weights in reserve do not learn. */
static void check_growth(const struct vector *v)
{
    struct device d = open_vector(v);
    struct sample s = sample_for(v);
    struct stream stream = {21};
    float         loss;
    uint32_t      active = shoal_info(d.net).active;
    for (; active < v->outputs; active++) {
        next_sample(&stream, v, active, s.x, s.target);
        CHECK(shoal_predict(d.net, s.x, v->inputs, s.y, v->outputs) == SHOAL_OK);
        for (uint32_t i = active; i < v->outputs; i++) CHECK(s.y[i] == 0.0f);
        s.target[0] = (float)active;
        const struct golden before = golden_of(d.net);
        CHECK(shoal_learn(d.net, s.x, v->inputs, s.target, 1, NULL, 0, &loss) == SHOAL_ERROR_LABEL);
        CHECK(same_golden(before, golden_of(d.net)));
        CHECK(shoal_grow(d.net) == SHOAL_OK);
        CHECK(same_golden(before, golden_of(d.net)));
        CHECK(shoal_info(d.net).active == active + 1);
        CHECK(shoal_learn(d.net, s.x, v->inputs, s.target, 1, s.y, v->outputs, &loss) == SHOAL_OK);
        CHECK(s.y[active] > 0.0f);
    }
    CHECK(shoal_grow(d.net) == SHOAL_ERROR_CAPACITY);
    free_sample(&s);
    close_device(&d);
}

/* With the anchor set, a strong pull brings the parameters nearer to it. */
static void check_anchor(const struct vector *v)
{
    if (!has_anchor(v)) {
        struct device d = open_vector(v);
        CHECK(shoal_set_anchor(d.net) == SHOAL_ERROR_NOT_TRAINABLE);
        close_device(&d);
        return;
    }
    double moved[2] = {0, 0};
    for (int pull = 0; pull < 2; pull++) {
        struct device          d = open_vector(v);
        struct stream          stream = {v->seed};
        struct shoal_optimizer o = v->optimizer;
        float                 *start = copy_of(shoal_state(d.net), 4 * (size_t)v->parameters);
        o.proximal = pull ? 2.0f : 0.0f;
        CHECK(shoal_set_optimizer(d.net, &o) == SHOAL_OK);
        learn_stream(d.net, v, &stream, 0, 400);
        for (uint32_t i = 0; i < v->parameters; i++) {
            const double by = (double)shoal_state(d.net)[i] - (double)start[i];
            moved[pull] += by * by;
        }
        free(start);
        close_device(&d);
    }
    CHECK(moved[1] > 0 && moved[1] < moved[0] / 4);
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        struct vector v = read_vector(argv[i]);
        if (v.targets > 0) {
            check_save(&v, 0);
            check_save(&v, 30); /* in the middle of a batch */
            check_accumulation(&v);
            check_reading(&v);
            check_freezing(&v);
            check_growth(&v);
            check_anchor(&v);
        }
        free_vector(&v);
    }
    return check_end("state");
}
