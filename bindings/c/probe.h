/* probe.h: what the system must give before Go starts. */
#ifndef RESNEXT_PROBE_H
#define RESNEXT_PROBE_H

#include "resnext.h"

/* Asks the system for what Go needs to start, and gives it back. Where it refuses, Go would end the process; here
 * that gives RESNEXT_ENOMEM and words. */
resnext_status resnextgo_probe(const char *function);

#endif
