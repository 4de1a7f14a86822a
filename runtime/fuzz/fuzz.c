/* What the harnesses share: the cost of an image and a life of a network. */
#include <stdlib.h>

#include "fuzz.h"

uint64_t elements(const struct tensor *t)
{
    return (uint64_t)t->shape[0] * t->shape[1] * t->shape[2];
}

/* Multiply-accumulates of one operation, generously. */
static uint64_t work_of_operation(const struct operation *op, const uint8_t *tensors)
{
    const uint16_t parts[6] = {op->in, op->in2, op->out, op->weights, op->bias, op->aux};
    uint64_t       largest = 0, weights = 0, input_channels = 1;
    for (size_t i = 0; i < 6; i++) {
        struct tensor t;
        if (parts[i] == NONE) continue;
        memcpy(&t, tensors + sizeof t * parts[i], sizeof t);
        if (i == 3) weights = elements(&t);
        else if (elements(&t) > largest) largest = elements(&t);
        if (i == 0) input_channels = t.shape[2];
    }
    const uint8_t  code = op->code % BACKWARD;
    const uint64_t window = (uint64_t)op->kernel[0] * op->kernel[1];
    if (code == DENSE) return 3 * weights + largest;
    if (code == CONV2D) return largest * (weights + 1) * 2;
    if (code == LSTM) return 64 * largest * (weights + 1);
    if (code <= AVERAGE_POOL2D) return 2 * largest * (window + 1) + weights + input_channels;
    return 16 * (largest + weights);
}

uint64_t work_of(const uint8_t *image)
{
    struct header h;
    uint64_t      work = 0;
    memcpy(&h, image, sizeof h);
    const uint8_t *tensors = image + sizeof h, *operations = tensors + sizeof(struct tensor) * h.tensors;
    for (uint32_t i = 0; i < h.forward + h.learning; i++) {
        struct operation op;
        memcpy(&op, operations + sizeof op * i, sizeof op);
        work += 36 + work_of_operation(&op, tensors) + 64 * (uint64_t)op.runs;
    }
    return work;
}

void must_hold(bool condition, const char *text, int line)
{
    if (condition) return;
    fprintf(stderr, "broken promise, line %d: %s\n", line, text);
    abort();
}

void *exactly(size_t size)
{
    void *memory = malloc(size > 0 ? size : 1);
    must(memory != NULL);
    return memory;
}

void fill(float *values, size_t count, uint32_t *seed)
{
    for (size_t i = 0; i < count; i++) {
        *seed = *seed * 1664525u + 1013904223u;
        values[i] = (float)(*seed >> 8) * 0x1p-22f - 2.0f;
    }
}

bool is_label_loss(const uint8_t *image)
{
    struct header    h;
    struct operation op;
    memcpy(&h, image, sizeof h);
    if (h.learning == 0) return false;
    memcpy(&op, image + sizeof h + sizeof(struct tensor) * h.tensors + sizeof op * h.forward, sizeof op);
    return takes_class(op.code);
}

struct samples {
    float *x, *target, *y;
    size_t inputs, targets, outputs;
};

static void learn(struct shoal *net, const struct samples *s)
{
    float loss;
    shoal_learn(net, s->x, s->inputs, s->target, s->targets, s->y, s->outputs, &loss);
}

void exercise(struct shoal *net, const uint8_t *image, uint32_t seed)
{
    const struct shoal_info info = shoal_info(net);
    struct samples          s = {exactly(4 * (size_t)info.inputs), exactly(4 * (size_t)info.targets),
                                 exactly(4 * (size_t)info.outputs), info.inputs, info.targets, info.outputs};
    float                   loss;
    const size_t            size = 4 * (size_t)info.state;
    float                  *before = exactly(size);
    fill(s.x, s.inputs, &seed);
    fill(s.target, s.targets, &seed);
    if (is_label_loss(image)) s.target[0] = (float)(seed % info.active);
    memcpy(before, shoal_state(net), size);
    must(shoal_predict(net, s.x, s.inputs, s.y, s.outputs) == SHOAL_OK);
    shoal_reset(net);
    shoal_score(net, s.x, s.inputs, s.target, s.targets, NULL, 0, &loss);
    must(memcmp(before, shoal_state(net), size) == 0);
    learn(net, &s);
    shoal_observe(net, s.x, s.inputs);
    shoal_grow(net);
    shoal_set_anchor(net);
    const struct shoal_optimizer o = {0.5f, 0.5f, 0.0f, 0.5f, 1e-3f, 0.25f};
    must(shoal_set_optimizer(net, &o) == SHOAL_OK);
    learn(net, &s);
    shoal_apply(net);
    if (info.layers > 0) shoal_set_trainable(net, seed % info.layers, false);
    learn(net, &s);
    const size_t   saved_size = shoal_state_size(net);
    uint8_t       *saved = exactly(saved_size);
    const uint32_t checksum = shoal_checksum(net);
    if (shoal_save(net, saved, saved_size) == SHOAL_OK) {
        learn(net, &s);
        must(shoal_load(net, saved, saved_size) == SHOAL_OK);
        must(shoal_checksum(net) == checksum);
    }
    free(saved);
    free(before);
    free(s.x);
    free(s.target);
    free(s.y);
}
