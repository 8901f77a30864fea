/* fork.h: in which process Go runs. */
#ifndef RESNEXT_FORK_H
#define RESNEXT_FORK_H

#include "resnext.h"

/* Go is about to start in this process. */
void resnextgo_own_process(void);

/* Whether this process is a fork of the one in which Go runs. */
int resnextgo_forked(void);

/* Refuses a call in such a process. */
resnext_status resnextgo_refuse_fork(const char *function);

#endif
