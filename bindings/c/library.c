//go:build cgo

/* library.c: the functions of resnext.h about the library itself. */
#include <stdlib.h>
#include <string.h>

#include "_cgo_export.h"
#include "enter.h"
#include "fork.h"

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
	case RESNEXT_ENOMEM: return "the system refuses memory, threads or a call";
	case RESNEXT_EINTERNAL: return "a bug in libresnext";
	}
	return "an unknown status";
}

static resnext_status find_cpu_features(char *text, size_t size)
{
	resnextgo_call call;
	resnext_status status;

	GO(resnextgo_cpu_features(&call.words, text, size));
	return status;
}

/* Threads that ask at the same time each find the same, and the first one's is kept: a lock could be held for ever in a
 * fork. */
const char *resnext_cpu_features(void)
{
	static char *known;
	const char *text = __atomic_load_n(&known, __ATOMIC_SEQ_CST);
	char found[256], *copy, *none = NULL;

	if (text)
		return text;
	if (resnextgo_forked() || find_cpu_features(found, sizeof found) != RESNEXT_OK || !(copy = strdup(found)))
		return "";
	if (__atomic_compare_exchange_n(&known, &none, copy, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
		return copy;
	free(copy);
	return none;
}
