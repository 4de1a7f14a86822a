/* Requests about samples: predict, score, learn, observe, and the step that ends a batch. */
#include "call.h"

/* One sample: `y` takes the answer, or the loss where there is a target. */
static int run_one(struct shoal_server *server, uint8_t kind, const struct shoal_info *info,
                   const void *x, const void *target, void *y)
{
    struct shoal *const net = server->net;
    float               loss = 0.0f;
    int                 status;
    const uint32_t      start = ticks(server);
    switch (kind) {
    case SHOAL_SERVE_PREDICT: status = shoal_predict(net, x, info->inputs, y, info->outputs); break;
    case SHOAL_SERVE_SCORE:
        status = shoal_score(net, x, info->inputs, target, info->targets, NULL, 0, &loss);
        break;
    case SHOAL_SERVE_LEARN:
        status = shoal_learn(net, x, info->inputs, target, info->targets, NULL, 0, &loss);
        break;
    default: status = shoal_observe(net, x, info->inputs); break;
    }
    server->counts[kind - SHOAL_SERVE_PREDICT] = ticks(server) - start - server->overhead;
    if (kind == SHOAL_SERVE_SCORE || kind == SHOAL_SERVE_LEARN) memcpy(y, &loss, 4);
    return status;
}

/* `number` samples, their targets before them. None is the one that INPUT wrote; its target may lie at
 * the start of the free memory. Before all of them LEARN has how many times to go over them. */
int shoal_request_samples(struct shoal_server *server, struct call *call, uint8_t kind)
{
    const struct shoal_info info = shoal_info(server->net);
    const bool   learn = kind == SHOAL_SERVE_LEARN, targeted = learn || kind == SHOAL_SERVE_SCORE;
    const bool   written = call->number == 0;
    const size_t samples = written ? 1 : call->number, head = learn ? 4 : 0;
    const size_t target_size = targeted ? 4 * (size_t)info.targets : 0;
    const bool   target_apart = written && targeted && call->size == head;
    const size_t x_size = written ? 0 : info.inputs * bytes_of(info.input_type);
    size_t       y_size = targeted ? 4 : 0;
    if (kind == SHOAL_SERVE_PREDICT) y_size = info.outputs * bytes_of(info.output_type);
    if (call->size < head || (call->size - head) % samples != 0 ||
        (!target_apart && (call->size - head) / samples != target_size + x_size))
        return SHOAL_SERVE_ERROR_LENGTH;
    if (target_apart && target_size > free_size(server)) return SHOAL_ERROR_MEMORY;
    const uint32_t passes = learn ? word_at(call->body) : 1;
    if (written && passes > 1) return SHOAL_SERVE_ERROR_LENGTH; /* the first pass writes over it */

    const uint8_t *const targets = target_apart ? free_memory(server) : call->body + head;
    const uint8_t *const x = written ? shoal_input(server->net) : targets + target_size * samples;
    /* An answer longer than a frame goes to the free memory, to be read there. */
    const bool     apart = y_size > call->room / samples;
    uint8_t *const y = apart ? free_memory(server) : call->out;
    if (apart && samples > 1) return SHOAL_SERVE_ERROR_LENGTH;
    if (apart && y_size > free_size(server)) return SHOAL_ERROR_MEMORY;

    for (uint32_t pass = 0; pass < passes; pass++) {
        for (size_t i = 0; i < samples; i++) {
            const int status = run_one(server, kind, &info, x + i * x_size, targets + i * target_size,
                                       y + i * y_size);
            call->done = (uint32_t)(status == SHOAL_OK ? i + 1 : i);
            call->written = apart ? 0 : call->done * y_size;
            if (status != SHOAL_OK) return status;
        }
    }
    return SHOAL_OK;
}

int shoal_request_apply(struct shoal_server *server)
{
    const uint32_t start = ticks(server);
    const int      status = shoal_apply(server->net);
    server->counts[4] = ticks(server) - start - server->overhead;
    return status;
}
