/* enter.h: what every call does before and after Go. For its use see models.c. */
#ifndef RESNEXT_ENTER_H
#define RESNEXT_ENTER_H

#include <stdint.h>

#include "errors.h"
#include "thread.h"
#include "words.h"

/* One call, on the stack of its function. */
typedef struct resnextgo_call {
	const char *function; /* its name, for errors */
	resnextgo_thread *thread;
	uint64_t control; /* the caller's floating-point environment */
	uint64_t state;
	resnextgo_words words;
} resnextgo_call;

/* Readies a call: refuses in a fork, holds the thread's signals, puts the floating-point environment right, starts Go if this
 * is the first call. After RESNEXT_OK, and only then, resnextgo_leave must follow. */
resnext_status resnextgo_enter(resnextgo_call *call, const char *function);

/* Ends a call: gives the caller's floating-point environment and signals back, keeps an error's words, sends log messages. */
resnext_status resnextgo_leave(resnextgo_call *call, int status);

/* ---- Structs of other versions: structs.c ---- */

/* The sizes of the structs in version 1. They stay when members are added: offsetof() of the first one added. */
enum {
	MODEL_OPTIONS_FIRST = sizeof(resnext_model_options),
	MODEL_INFO_FIRST = sizeof(resnext_model_info),
	SESSION_OPTIONS_FIRST = sizeof(resnext_session_options),
	IMAGE_FIRST = sizeof(resnext_image)
};

/* Refuses a struct whose size is less than in the first version, or was never set. */
resnext_status resnextgo_check_size(const char *function, const char *name, const void *theirs, size_t first);

/* Copies a struct of the program's of any version to ours of length bytes. What the program does not know becomes 0; what
 * this library does not know must be. */
resnext_status resnextgo_take_struct(const char *function, const char *name, const void *theirs, size_t first, void *ours,
	size_t length);

/* Copies ours to a struct of the program's whose size is checked, and zeros what this library does not know. Its size stays. */
void resnextgo_give_struct(void *theirs, const void *ours, size_t length);

/* ---- For the functions of resnext.h, which have `call` and `status` ---- */

/* Refuses a null pointer by its name. */
#define NOT_NULL(pointer)                                                                        \
	do {                                                                                     \
		if (!(pointer))                                                                  \
			return resnextgo_refuse(__func__, RESNEXT_EINVAL, "%s is null", #pointer); \
	} while (0)

/* Runs a function of Go, whose words go to `call`, for a function of this name. */
#define RUN(function, ...)                                               \
	do {                                                             \
		resnext_status entered = resnextgo_enter(&call, function); \
		if (entered != RESNEXT_OK)                               \
			return entered;                                  \
		status = resnextgo_leave(&call, __VA_ARGS__);            \
	} while (0)

#define GO(...) RUN(__func__, __VA_ARGS__)

/* Refuses a length that no object of C has: Go counts in signed integers. */
#define CHECK_LENGTH(length)                                                                          \
	do {                                                                                          \
		if ((length) > (size_t)PTRDIFF_MAX)                                                   \
			return resnextgo_refuse(__func__, RESNEXT_EINVAL, "length is %zu", (length)); \
	} while (0)

#endif
