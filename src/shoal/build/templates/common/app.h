/* The application: sense, answer, learn when a label comes. */
#ifndef APP_H
#define APP_H

#include "model.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Steps after which what was learnt is saved: flash wears out, a slot of it after 10,000 saves or more. */
#ifndef APP_SAVE_EVERY
#define APP_SAVE_EVERY 100
#endif

struct app_event {
    bool                sensed;  /* there was a sample */
    bool                learned; /* and a label: one step was taken */
    bool                saved;   /* and what was learnt outlives the power */
    enum shoal_status   status;  /* what was refused, where it is not SHOAL_OK */
    const model_output *answer;  /* MODEL_OUTPUTS values, until the next call */
    float               loss;    /* before the step, where one was taken */
};

/* Checks that this build computes the host's bits, opens the network, and loads what it learnt before the power
 * went. NULL, or what is wrong. */
const char *app_start(void);

/* One turn: a sample, if the sensor has one, and what came of it. */
struct app_event app_step(void);

/* The number of the largest output: the class, where the network is a classifier. */
uint32_t app_largest(const model_output *answer);

/* The open network, for the other calls of shoal.h. */
struct shoal *app_network(void);

#ifdef __cplusplus
}
#endif
#endif
