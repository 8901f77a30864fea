/* start.h: starts Go. */
#ifndef RESNEXT_START_H
#define RESNEXT_START_H

#include "resnext.h"

/* Starts Go if it does not run yet. Gives RESNEXT_ENOMEM, and can be tried again, where the system does not give what
 * Go needs. The caller holds its signals. */
resnext_status resnextgo_start(const char *function);

#endif
