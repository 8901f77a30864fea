/* errors.h: the words of errors. */
#ifndef RESNEXT_ERRORS_H
#define RESNEXT_ERRORS_H

#include "resnext.h"

/* Keeps the words of this thread's last error, and returns its status. */
resnext_status resnextgo_keep_error(const char *function, resnext_status status, const char *words);

/* The same for an error that was found before Go. */
resnext_status resnextgo_refuse(const char *function, resnext_status status, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
