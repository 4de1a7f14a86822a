/* The public face: checks the caller's arguments, then runs. */
#include "network.h"

const char *shoal_status_text(enum shoal_status status)
{
    switch (status) {
#define SHOAL_STATUS_(name, value, text) \
    case SHOAL_##name: return text;
        SHOAL_STATUSES(SHOAL_STATUS_)
#undef SHOAL_STATUS_
    }
    return "unknown status";
}

struct shoal_info shoal_info(const struct shoal *net)
{
    struct shoal_info info = {
        net->inputs, net->outputs, net->active, net->targets,
        net->header.parameters, net->state_count, net->header.arena, net->layers, net->steps,
        net->pending,
        tensor_at(net, net->header.input).type, tensor_at(net, net->header.output).type,
        net->header.quantized,
    };
    return info;
}

void *shoal_input(struct shoal *net)
{
    const struct tensor input = tensor_at(net, net->header.input);
    return values_of(net, &input);
}

/* By their bits: without an FPU, arithmetic would be calls. */
static bool are_finite(const float *values, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint32_t bits;
        memcpy(&bits, values + i, sizeof bits);
        if (bits << 1 >= 0xFF000000u) return false;
    }
    return true;
}

void shoal_reset(struct shoal *net)
{
    for (uint32_t i = 0; HAS_STREAM && i < net->header.tensors; i++) {
        const struct tensor t = tensor_at(net, (uint16_t)i);
        if (t.space == STREAM) memset(remembered(net, &t), t.zero_point, tensor_size(&t) * bytes_in(t.type));
    }
}

static enum shoal_status check_target(const struct shoal *net, const float *target, size_t count)
{
    if (net->header.learning == 0) return SHOAL_ERROR_NOT_TRAINABLE;
    if (count != net->targets) return SHOAL_ERROR_SIZE;
    if (!are_finite(target, count)) return SHOAL_ERROR_NOT_FINITE;
    if (takes_class(operation_at(net, net->header.forward).code) &&
        !(target[0] >= 0.0f && target[0] < (float)net->active &&
          (float)(uint32_t)target[0] == target[0]))
        return SHOAL_ERROR_LABEL;
    return SHOAL_OK;
}

static enum shoal_status feed(struct shoal *net, const void *x, size_t count, bool observe)
{
    if (count != net->inputs) return SHOAL_ERROR_SIZE;
    const struct tensor input = tensor_at(net, net->header.input);
    if (input.type == F32 && !are_finite(x, count)) return SHOAL_ERROR_NOT_FINITE;
    void *const to = values_of(net, &input);
    if (to != x) memcpy(to, x, bytes_in(input.type) * count);
    shoal_run_forward(net, observe);
    return SHOAL_OK;
}

static void answer(const struct shoal *net, void *y, size_t count)
{
    if (count == 0) return;
    const struct tensor output = tensor_at(net, net->header.output);
    const size_t        size = bytes_in(output.type), n = elements_of(net, &output);
    memcpy(y, values_of(net, &output), size * n);
    memset((uint8_t *)y + size * n, 0, size * (count - n));
}

enum shoal_status shoal_predict(struct shoal *net, const void *x, size_t x_count,
                                void *y, size_t y_count)
{
    if (y_count != net->outputs) return SHOAL_ERROR_SIZE;
    const enum shoal_status status = feed(net, x, x_count, false);
    if (status == SHOAL_OK) answer(net, y, y_count);
    return status;
}

enum shoal_status shoal_score(struct shoal *net, const void *x, size_t x_count,
                              const float *target, size_t target_count,
                              void *y, size_t y_count, float *loss)
{
    if (y_count != 0 && y_count != net->outputs) return SHOAL_ERROR_SIZE;
    enum shoal_status status = check_target(net, target, target_count);
    if (status == SHOAL_OK) status = feed(net, x, x_count, false);
    if (status != SHOAL_OK) return status;
    answer(net, y, y_count);
    *loss = shoal_run_loss(net, target);
    return are_finite(loss, 1) ? SHOAL_OK : SHOAL_ERROR_NOT_FINITE;
}

enum shoal_status shoal_learn(struct shoal *net, const void *x, size_t x_count,
                              const float *target, size_t target_count,
                              void *y, size_t y_count, float *loss)
{
    if (y_count != 0 && y_count != net->outputs) return SHOAL_ERROR_SIZE;
    enum shoal_status status = check_target(net, target, target_count);
    if (status == SHOAL_OK) status = feed(net, x, x_count, true);
    if (status != SHOAL_OK) return status;
    answer(net, y, y_count);
    *loss = shoal_run_learning(net, target);
    return are_finite(loss, 1) ? SHOAL_OK : SHOAL_ERROR_NOT_FINITE;
}

enum shoal_status shoal_apply(struct shoal *net)
{
    if (!(net->header.flags & ACCUMULATE)) return SHOAL_ERROR_NOT_TRAINABLE;
    if (net->pending > 0) shoal_take_step(net);
    return SHOAL_OK;
}

enum shoal_status shoal_observe(struct shoal *net, const void *x, size_t x_count)
{
    return feed(net, x, x_count, true);
}

enum shoal_status shoal_grow(struct shoal *net)
{
    if (net->active >= net->outputs) return SHOAL_ERROR_CAPACITY;
    net->active++;
    return SHOAL_OK;
}

enum shoal_status shoal_set_optimizer(struct shoal *net, const struct shoal_optimizer *o)
{
    const float values[6] = {o->rate, o->momentum, o->beta1, o->beta2, o->epsilon, o->proximal};
    if (!are_finite(values, 6)) return SHOAL_ERROR_RATE;
    for (size_t i = 0; i < 6; i++)
        if (values[i] < 0.0f) return SHOAL_ERROR_RATE;
    if (o->momentum >= 1.0f || o->beta1 >= 1.0f || o->beta2 >= 1.0f || o->epsilon <= 0.0f)
        return SHOAL_ERROR_RATE;
    net->optimizer = *o;
    return SHOAL_OK;
}

enum shoal_status shoal_set_trainable(struct shoal *net, uint32_t layer, bool trainable)
{
    if (layer >= net->layers) return SHOAL_ERROR_SIZE;
    if (net->header.learning == 0) return SHOAL_ERROR_NOT_TRAINABLE;
    const uint8_t bit = (uint8_t)(1u << (layer & 7));
    if (trainable) net->frozen[layer >> 3] &= (uint8_t)~bit;
    else net->frozen[layer >> 3] |= bit;
    shoal_prune(net);
    return SHOAL_OK;
}

enum shoal_status shoal_set_anchor(struct shoal *net)
{
    if (!(net->header.flags & ANCHOR)) return SHOAL_ERROR_NOT_TRAINABLE;
    shoal_drop_anchor(net);
    return SHOAL_OK;
}
