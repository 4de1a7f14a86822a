/* What the application needs from the outside: samples, and now and then what they show. */
#ifndef SENSOR_H
#define SENSOR_H

#include "model.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Writes the next sample, MODEL_INPUTS values as model.h describes them, scaled as those that the network
 * was trained with. False while there is none. */
bool sensor_read(model_input *sample);

/* Writes what the last sample shows, MODEL_TARGETS values: for a classifier the number of its class. False
 * where nobody says; the network then answers and does not learn. */
bool sensor_label(float *target);

#ifdef __cplusplus
}
#endif
#endif
