//go:build cgo

/* errors.c: resnext_last_error and what it gives. */
#include "errors.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "thread.h"

resnext_status resnextgo_keep_error(const char *function, resnext_status status, const char *words)
{
	int saved = errno;
	resnextgo_thread *thread = resnextgo_get_thread();

	if (thread)
		snprintf(thread->error, sizeof thread->error, "%s: %s", function, words);
	errno = saved;
	return status;
}

resnext_status resnextgo_refuse(const char *function, resnext_status status, const char *format, ...)
{
	char words[256];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(words, sizeof words, format, arguments);
	va_end(arguments);
	return resnextgo_keep_error(function, status, words);
}

const char *resnext_last_error(void)
{
	return resnextgo_this_thread ? resnextgo_this_thread->error : "";
}
