/* A sensor that draws its samples, and somebody who labels each. */
#include "sensor.h"

#include "golden.h"

static uint32_t samples;

bool sensor_read(model_input *sample)
{
    golden_sample(sample, samples++);
    return true;
}

bool sensor_label(float *target)
{
#if MODEL_LEARNS
    golden_target(target, samples - 1);
#else
    (void)target;
#endif
    return true;
}
