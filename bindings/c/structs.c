//go:build cgo

/* structs.c: structs of programs that were built with an older or a newer header. Members are only ever added at the end, so
 * the size tells which are there. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "enter.h"

enum { LONGEST_STRUCT = 512 }; /* what is longer was never set */

/* Padding could not become a member: older programs leave in it what was there. Where pointers have 4 bytes, macs has 4 of
 * padding before it, which never will be one. */
#define FOLLOWS(type, member, before) \
	_Static_assert(offsetof(type, member) == offsetof(type, before) + sizeof(((type *)0)->before), #type " has padding")
#define LAST(type, member) \
	_Static_assert(sizeof(type) == offsetof(type, member) + sizeof(((type *)0)->member), #type " has padding at its end")
FOLLOWS(resnext_model_options, kernels, size);
FOLLOWS(resnext_model_options, memory_limit, kernels);
LAST(resnext_model_options, memory_limit);
#if UINTPTR_MAX > UINT32_MAX
FOLLOWS(resnext_model_info, macs, layers);
#endif
LAST(resnext_model_info, kernels);
LAST(resnext_session_options, reserved);
FOLLOWS(resnext_image, pixels, reserved);
LAST(resnext_image, chroma_stride);

static size_t size_of(const void *s)
{
	size_t size;

	memcpy(&size, s, sizeof size); /* the first member of every struct */
	return size;
}

resnext_status resnextgo_check_size(const char *function, const char *name, const void *theirs, size_t first)
{
	size_t size = size_of(theirs);

	if (size >= first && size <= LONGEST_STRUCT)
		return RESNEXT_OK;
	return resnextgo_refuse(function, RESNEXT_EINVAL, "%s->size is %zu: set it to sizeof(*%s)", name, size, name);
}

resnext_status resnextgo_take_struct(const char *function, const char *name, const void *theirs, size_t first, void *ours,
	size_t length)
{
	resnext_status status = resnextgo_check_size(function, name, theirs, first);

	if (status != RESNEXT_OK)
		return status;
	size_t size = size_of(theirs), known = size < length ? size : length;
	for (size_t i = known; i < size; i++) {
		if (((const unsigned char *)theirs)[i])
			return resnextgo_refuse(function, RESNEXT_EINVAL, "%s has members that this version, %s, does not know",
				name, RESNEXT_VERSION);
	}
	memset(ours, 0, length);
	memcpy(ours, theirs, known);
	return RESNEXT_OK;
}

void resnextgo_give_struct(void *theirs, const void *ours, size_t length)
{
	size_t size = size_of(theirs), known = size < length ? size : length;

	memcpy((unsigned char *)theirs + sizeof size, (const unsigned char *)ours + sizeof size, known - sizeof size);
	memset((unsigned char *)theirs + known, 0, size - known);
}
