/* Samples are drawn as the host drew them: they take no flash, only their answers do. */
#include "golden.h"

#include <string.h>

#define DRAWS (MODEL_INPUTS + MODEL_TARGETS) /* for one sample and its label */

static uint32_t draw(uint32_t number)
{
    uint32_t h = number * 0x9E3779B9u;
    h = (h ^ h >> 16) * 0x85EBCA6Bu;
    h = (h ^ h >> 13) * 0xC2B2AE35u;
    return h ^ h >> 16;
}

void golden_sample(model_input *sample, uint32_t number)
{
    for (uint32_t i = 0; i < MODEL_INPUTS; i++) {
        const uint32_t bits = draw(DRAWS * number + i);
#if MODEL_INPUT_BITS == 32
        sample[i] = (float)(bits >> 8) * 0x1p-23f - 1.0f;
#else
        sample[i] = (model_input)((int32_t)(bits >> (32 - MODEL_INPUT_BITS)) + MODEL_INPUT_LEAST);
#endif
    }
}

#if MODEL_LEARNS
void golden_target(float *target, uint32_t number)
{
    for (uint32_t i = 0; i < MODEL_TARGETS; i++) {
        const uint32_t bits = draw(DRAWS * number + MODEL_INPUTS + i);
#if MODEL_CLASSES > 0
        target[i] = (float)(bits % MODEL_CLASSES);
#else
        target[i] = (float)(bits >> 8) * 0x1p-24f;
#endif
    }
}
#endif

const char *golden_check(void *memory, size_t memory_size, model_output *answer, float *target)
{
    struct shoal     *net;
    enum shoal_status status = shoal_open(&net, model_image, sizeof model_image, memory, memory_size);
    if (status != SHOAL_OK) return shoal_status_text(status);
    for (uint32_t i = 0; i < MODEL_GOLDEN_SAMPLES; i++) {
        golden_sample(shoal_input(net), i);
        status = shoal_predict(net, shoal_input(net), MODEL_INPUTS, answer, MODEL_OUTPUTS);
        if (status != SHOAL_OK) return shoal_status_text(status);
        if (memcmp(answer, model_golden[i], sizeof model_golden[i]) != 0)
            return "an answer differs from the host's: compile with -ffp-contract=off, without -ffast-math";
    }
#if MODEL_LEARNS
    status = shoal_set_optimizer(net, &model_optimizer);
    for (uint32_t i = 0; i < MODEL_GOLDEN_STEPS && status == SHOAL_OK; i++) {
        float loss;
        golden_sample(shoal_input(net), MODEL_GOLDEN_SAMPLES + i);
        golden_target(target, MODEL_GOLDEN_SAMPLES + i);
        status = shoal_learn(net, shoal_input(net), MODEL_INPUTS, target, MODEL_TARGETS, NULL, 0, &loss);
    }
    if (status != SHOAL_OK) return shoal_status_text(status);
    if (shoal_checksum(net) != MODEL_GOLDEN_CHECKSUM)
        return "learning differs from the host's: compile with -ffp-contract=off, without -ffast-math";
#else
    (void)target;
#endif
    return NULL;
}
