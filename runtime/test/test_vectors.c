/* Answers, losses and parameters against the float64 reference, and the exact bits of a long stream.
 *
 *   test_vectors [short] FILE.vec...
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "vector.h"

static bool near(float got, float want, float tolerance)
{
    const float size = fabsf(want);
    return fabsf(got - want) <= tolerance * (size > 1 ? size : 1);
}

static void check_values(const char *what, const float *got, const float *want, size_t n, float tolerance)
{
    for (size_t i = 0; i < n; i++)
        if (!CHECK(near(got[i], want[i], tolerance)))
            fprintf(stderr, "  %s %zu: %.9g instead of %.9g\n", what, i, (double)got[i], (double)want[i]);
}

static void check_sample(struct shoal *net, const struct vector *v, size_t i, float *y)
{
    const float *x = v->x + i * v->inputs, *target = v->target + i * v->targets;
    float        loss = 0, score = 0;
    CHECK(shoal_predict(net, x, v->inputs, y, v->outputs) == SHOAL_OK);
    if (v->targets == 0) {
        check_values("answer", y, v->y + i * v->outputs, v->outputs, v->tolerance);
        return;
    }
    CHECK(shoal_score(net, x, v->inputs, target, v->targets, NULL, 0, &score) == SHOAL_OK);
    CHECK(shoal_learn(net, x, v->inputs, target, v->targets, y, v->outputs, &loss) == SHOAL_OK);
    check_values("answer", y, v->y + i * v->outputs, v->outputs, v->tolerance);
    check_values("loss", &loss, v->loss + i, 1, v->tolerance);
    if (accumulates(v) && (i + 1) % v->batch == 0) CHECK(shoal_apply(net) == SHOAL_OK);
}

static void check_reference(const struct vector *v)
{
    struct device d = open_vector(v);
    float        *y = malloc(4 * (size_t)v->outputs);
    CHECK(shoal_info(d.net).inputs == v->inputs);
    CHECK(shoal_info(d.net).outputs == v->outputs);
    CHECK(shoal_info(d.net).parameters == v->parameters);
    CHECK(shoal_info(d.net).state == v->state);
    for (size_t i = 0; i < v->samples; i++) {
        if (i == v->grow) CHECK(shoal_grow(d.net) == SHOAL_OK);
        check_sample(d.net, v, i, y);
    }
    check_values("parameter", shoal_state(d.net), v->end, v->parameters, v->tolerance);
    free(y);
    close_device(&d);
}

static void check_golden(const struct vector *v, const char *path, bool complete)
{
    struct device d = open_vector(v);
    struct stream s = {v->seed};
    learn_stream(d.net, v, &s, 0, 500);
    if (!CHECK(same_golden(golden_of(d.net), v->after_500)))
        fprintf(stderr, "  %s: %08x after 500 steps\n", path, (unsigned)shoal_checksum(d.net));
    if (complete) {
        learn_stream(d.net, v, &s, 500, 10000);
        if (!CHECK(same_golden(golden_of(d.net), v->after_10000)))
            fprintf(stderr, "  %s: %08x after 10,000 steps\n", path, (unsigned)shoal_checksum(d.net));
    }
    close_device(&d);
}

int main(int argc, char **argv)
{
    const bool complete = argc < 2 || strcmp(argv[1], "short") != 0;
    for (int i = complete ? 1 : 2; i < argc; i++) {
        struct vector v = read_vector(argv[i]);
        check_reference(&v);
        if (v.targets > 0) check_golden(&v, argv[i], complete);
        free_vector(&v);
    }
    return check_end("vectors");
}
