/* A sensor that is still to be written: it has no sample and no label yet. */
#include "sensor.h"

bool sensor_read(model_input *sample)
{
    (void)sample; /* MODEL_INPUTS values, from an accelerometer, a microphone, a camera ... */
    return false;
}

bool sensor_label(float *target)
{
    (void)target;
    return false;
}
