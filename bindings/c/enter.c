//go:build cgo

/* enter.c: from C into Go and back. What must happen before Go is entered is here; see enter.h. */
#include "enter.h"

#include <string.h>

#include "errors.h"
#include "fork.h"
#include "log.h"
#include "start.h"

/* ---- The floating-point environment ----
 *
 * Inference rounds to nearest and keeps denormal numbers; a program may have set its thread otherwise. So each call
 * sets the default for its own time. Go's threads inherit it: they are started by threads that are inside of a call,
 * or by each other.
 */
#if defined(__x86_64__)
static void default_floating_point(resnextgo_call *call)
{
	call->control = __builtin_ia32_stmxcsr();
	__builtin_ia32_ldmxcsr(0x1f80); /* round to nearest, no flushing to zero, no traps */
}

static void callers_floating_point(const resnextgo_call *call)
{
	__builtin_ia32_ldmxcsr((unsigned)call->control);
}
#elif defined(__arm__)
static void default_floating_point(resnextgo_call *call)
{
	call->control = __builtin_arm_get_fpscr();
	__builtin_arm_set_fpscr(0);
}

static void callers_floating_point(const resnextgo_call *call)
{
	__builtin_arm_set_fpscr((unsigned)call->control);
}
#else
static void default_floating_point(resnextgo_call *call)
{
	__asm__ volatile("mrs %0, fpcr\n\tmrs %1, fpsr" : "=r"(call->control), "=r"(call->state));
	__asm__ volatile("msr fpcr, %0" : : "r"((uint64_t)0));
}

static void callers_floating_point(const resnextgo_call *call)
{
	__asm__ volatile("msr fpcr, %0\n\tmsr fpsr, %1" : : "r"(call->control), "r"(call->state));
}
#endif

/* ---- A call ---- */

/* Gives the thread back as it was. */
static void give_back(const resnextgo_call *call)
{
	callers_floating_point(call);
	resnextgo_give_signals_back(call->thread);
}

resnext_status resnextgo_enter(resnextgo_call *call, const char *function)
{
	resnextgo_thread *thread;
	int failed;

	if (resnextgo_forked())
		return resnextgo_refuse_fork(function);
	if (!(thread = resnextgo_get_thread()))
		return RESNEXT_ENOMEM;
	failed = resnextgo_hold_signals(thread);
	if (failed)
		return resnextgo_refuse(function, RESNEXT_ENOMEM, "the thread's signals: %s", strerror(failed));
	call->function = function;
	call->thread = thread;
	call->words.wants_log = resnextgo_logs();
	call->words.error[0] = call->words.warning[0] = call->words.info[0] = 0;
	default_floating_point(call);
	resnext_status status = resnextgo_start(function);
	if (status != RESNEXT_OK)
		give_back(call);
	return status;
}

resnext_status resnextgo_leave(resnextgo_call *call, int status)
{
	give_back(call);
	if (call->words.warning[0])
		resnextgo_log(RESNEXT_LOG_WARNING, call->words.warning);
	if (call->words.info[0])
		resnextgo_log(RESNEXT_LOG_INFO, call->words.info);
	if (status == RESNEXT_OK)
		return RESNEXT_OK;
	return resnextgo_keep_error(call->function, (resnext_status)status, call->words.error);
}
