/* Everything that a sketch needs of the network @{name}. */
#ifndef @{macro}_H
#define @{macro}_H

#include "app.h"
#include "sensor.h"

#endif
