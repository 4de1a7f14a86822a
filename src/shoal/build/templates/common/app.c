/* The network in memory of its exact size, between sensor and answer. */
#include "app.h"

#include "golden.h"
#include "sensor.h"
#if MODEL_LEARNS
#include "flash.h"
#endif

static union {
    void   *aligned; /* as shoal_open() wants it */
    uint8_t bytes[MODEL_MEMORY];
} memory;
static model_output  answer[MODEL_OUTPUTS];
static struct shoal *net;
#if MODEL_LEARNS
static float    label[MODEL_TARGETS];
static uint32_t steps;
#else
static float *const label = NULL;
#endif

static enum shoal_status open_network(void)
{
    enum shoal_status status = shoal_open(&net, model_image, sizeof model_image, memory.bytes, sizeof memory.bytes);
#if MODEL_LEARNS
    if (status == SHOAL_OK) status = shoal_set_optimizer(net, &model_optimizer);
#endif
    return status;
}

const char *app_start(void)
{
    const char *problem = golden_check(memory.bytes, sizeof memory.bytes, answer, label);
    if (problem != NULL) return problem;
    enum shoal_status status = open_network();
#if MODEL_LEARNS
    /* Whatever else is wrong with a saved state, the network is then the one of the image. */
    if (status == SHOAL_OK && shoal_store_load_network(&flash_store, net) == SHOAL_ERROR_STORAGE)
        status = open_network();
#endif
    return status == SHOAL_OK ? NULL : shoal_status_text(status);
}

struct app_event app_step(void)
{
    struct app_event event = {false, false, false, SHOAL_OK, answer, 0.0f};
    model_input     *sample = shoal_input(net);
    event.sensed = sensor_read(sample);
    if (!event.sensed) return event;
#if MODEL_LEARNS
    if (sensor_label(label)) { /* answers, then learns */
        event.status = shoal_learn(net, sample, MODEL_INPUTS, label, MODEL_TARGETS, answer, MODEL_OUTPUTS, &event.loss);
        event.learned = event.status == SHOAL_OK;
        if (event.learned && ++steps % APP_SAVE_EVERY == 0)
            event.saved = shoal_store_save_network(&flash_store, net) == SHOAL_OK;
        return event;
    }
#endif
    event.status = shoal_predict(net, sample, MODEL_INPUTS, answer, MODEL_OUTPUTS);
    return event;
}

uint32_t app_largest(const model_output *values)
{
    uint32_t largest = 0;
    for (uint32_t i = 1; i < MODEL_OUTPUTS; i++)
        if (values[i] > values[largest]) largest = i;
    return largest;
}

struct shoal *app_network(void) { return net; }
