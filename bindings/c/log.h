/* log.h: the program's log function. */
#ifndef RESNEXT_LOG_H
#define RESNEXT_LOG_H

#include "resnext.h"

/* Whether somebody listens. */
int resnextgo_logs(void);

/* Hands a message to the program, outside of Go and in the caller's floating-point environment. */
void resnextgo_log(resnext_log_level level, const char *message);

#endif
