//go:build cgo

/* library.c: the functions of resnext.h about the library itself, and the check of structs for all of them. */
#include <pthread.h>

#include "_cgo_export.h"
#include "enter.h"

/* ---- The library ---- */

uint32_t resnext_abi_version(void)
{
	return RESNEXT_ABI_VERSION;
}

const char *resnext_version_string(void)
{
	return RESNEXT_VERSION;
}

const char *resnext_strerror(resnext_status status)
{
	switch (status) {
	case RESNEXT_OK: return "no error";
	case RESNEXT_EINVAL: return "an argument makes no sense";
	case RESNEXT_EHANDLE: return "the handle is closed or of another kind";
	case RESNEXT_EIO: return "a file could not be read";
	case RESNEXT_EMODEL: return "the file is no usable int8 model";
	case RESNEXT_EKERNELS: return "the kernels are unknown or not for this CPU";
	case RESNEXT_EBUSY: return "the session or the log function is in use";
	case RESNEXT_EFORK: return "the library cannot be used in a fork of the process that uses it";
	case RESNEXT_ENOMEM: return "memory could not be had";
	case RESNEXT_EINTERNAL: return "a bug in libresnext";
	}
	return "an unknown status";
}

static char cpu_features[256];
static pthread_mutex_t cpu_features_lock = PTHREAD_MUTEX_INITIALIZER;

static resnext_status find_cpu_features(void)
{
	resnextgo_call call;
	resnext_status status;

	GO(resnextgo_cpu_features(&call.words, cpu_features, sizeof cpu_features));
	return status;
}

const char *resnext_cpu_features(void)
{
	static int found;

	if (resnextgo_forked())
		return cpu_features;
	pthread_mutex_lock(&cpu_features_lock);
	if (!found)
		found = find_cpu_features() == RESNEXT_OK;
	pthread_mutex_unlock(&cpu_features_lock);
	return cpu_features;
}

/* ---- Structs of other versions ----
 *
 * A struct that is longer than this library's comes from a newer header: what is new must be zero, the default.
 */
enum { LONGEST_STRUCT = 512 }; /* what is longer was never set */

resnext_status resnextgo_check_size(const char *function, const char *name, size_t size, size_t ours)
{
	if (size >= ours && size <= LONGEST_STRUCT)
		return RESNEXT_OK;
	return resnextgo_refuse(function, RESNEXT_EINVAL, "%s->size is %zu: set it to sizeof(*%s)", name, size, name);
}

resnext_status resnextgo_check_struct(const char *function, const char *name, const void *s, size_t size, size_t ours)
{
	resnext_status status = resnextgo_check_size(function, name, size, ours);

	if (status != RESNEXT_OK)
		return status;
	for (const unsigned char *p = s; ours < size; ours++) {
		if (p[ours])
			return resnextgo_refuse(function, RESNEXT_EINVAL, "%s has members that this version, %s, does not know",
				name, RESNEXT_VERSION);
	}
	return RESNEXT_OK;
}
