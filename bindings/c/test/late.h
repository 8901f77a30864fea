/* late.h: for programs that load the library by dlopen: after load_library() the functions of resnext.h go there. */
#ifndef LATE_H
#define LATE_H

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

#include "resnext.h"

#define EACH_FUNCTION(f) \
	f(strerror) f(last_error) f(model_open) f(model_close) f(session_new) f(session_close) f(infer_input) f(infer) f(classify)

#define DECLARE_LATE(name) static __typeof__(resnext_##name) *late_##name;
EACH_FUNCTION(DECLARE_LATE)

static inline void *load_file(const char *file)
{
	void *library = dlopen(file, RTLD_NOW | RTLD_LOCAL);

	if (!library) {
		fprintf(stderr, "%s\n", dlerror());
		_Exit(1);
	}
	return library;
}

static inline void *load_library(void)
{
	void *library = load_file("libresnext.so.0");
#define FIND_LATE(name) *(void **)&late_##name = dlsym(library, "resnext_" #name);
	EACH_FUNCTION(FIND_LATE)
	return library;
}

#define resnext_strerror late_strerror
#define resnext_last_error late_last_error
#define resnext_model_open late_model_open
#define resnext_model_close late_model_close
#define resnext_session_new late_session_new
#define resnext_session_close late_session_close
#define resnext_infer_input late_infer_input
#define resnext_infer late_infer
#define resnext_classify late_classify

#endif
