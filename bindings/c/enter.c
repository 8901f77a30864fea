//go:build cgo

/* enter.c: from C into Go and back. What must happen before Go is entered is here; see enter.h. */
#include "enter.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"

/* ---- Starting Go ----
 *
 * A Go library starts its runtime when it is loaded, by an entry in .init_array. build.sh takes that entry out, so that
 * loading costs nothing, starts no thread and leaves the program free to fork; the first call starts the runtime with
 * the arguments that the entry would have got. That is no more than loading the library at that moment.
 */
#if defined(__x86_64__)
#define GO_ENTRY _rt0_amd64_linux_lib
#elif defined(__aarch64__)
#define GO_ENTRY _rt0_arm64_linux_lib
#else
#error "libresnext for C is for Linux on x86-64 and 64-bit ARM"
#endif

/* Null in a library that was built in another way, whose .init_array starts Go. */
extern void GO_ENTRY(int argc, char **argv) __attribute__((weak));

static int process_argc;
static char **process_argv;
static pid_t owner; /* the process in which Go runs; 0 before it starts */
static int in_child; /* of the owner */
static pthread_once_t started = PTHREAD_ONCE_INIT;

/* Runs in the child of a fork. Nothing is locked before the fork: a log function may run for long, and may wait for what
 * the forking thread holds. */
static void after_fork(void)
{
	if (__atomic_load_n(&owner, __ATOMIC_SEQ_CST) != 0)
		__atomic_store_n(&in_child, 1, __ATOMIC_SEQ_CST);
	resnextgo_log_after_fork();
}

/* The C library hands the process's arguments to constructors. Go finds the environment and the auxiliary vector
 * behind them. Where the handler of forks cannot be had for want of memory, resnextgo_forked has process numbers. */
__attribute__((constructor)) static void loaded(int argc, char **argv)
{
	process_argc = argc;
	process_argv = argv;
	pthread_atfork(NULL, NULL, after_fork);
}

static void start_go(void)
{
	/* Set first: a child that is forked off while Go starts must not go on with half of it. */
	__atomic_store_n(&owner, getpid(), __ATOMIC_SEQ_CST);
	if (GO_ENTRY)
		GO_ENTRY(process_argc, process_argv);
}

/* A child may have its parent's number: the first process of a container, or where numbers were used up. One of clone()
 * has run no handler, but has a number of its own as a rule. */
int resnextgo_forked(void)
{
	pid_t pid = __atomic_load_n(&owner, __ATOMIC_SEQ_CST);

	return pid != 0 && (__atomic_load_n(&in_child, __ATOMIC_SEQ_CST) || pid != getpid());
}

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

/* ---- Errors ---- */

enum { ERROR_SIZE = 1200 }; /* a function's name and words from Go */

/* The words of this thread's last error: a pointer alone, since thread-local memory is scarce in libraries that are
 * loaded late. */
static __thread char *last_error;
static pthread_key_t free_key;
static pthread_once_t free_once = PTHREAD_ONCE_INIT;

/* The thread's end. A destructor of the program's that runs later may fail a call again. */
static void forget_error(void *buffer)
{
	last_error = NULL;
	free(buffer);
}

static void make_free_key(void)
{
	if (pthread_key_create(&free_key, forget_error) != 0)
		free_key = (pthread_key_t)-1;
}

static char *error_buffer(void)
{
	if (!last_error) {
		pthread_once(&free_once, make_free_key);
		last_error = malloc(ERROR_SIZE);
		if (last_error && free_key != (pthread_key_t)-1)
			pthread_setspecific(free_key, last_error);
	}
	return last_error;
}

static resnext_status keep_error(const char *function, resnext_status status, const char *words)
{
	int saved = errno;
	char *buffer = error_buffer();

	if (buffer)
		snprintf(buffer, ERROR_SIZE, "%s: %s", function, words);
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
	return keep_error(function, status, words);
}

const char *resnext_last_error(void)
{
	return last_error ? last_error : "";
}

/* ---- A call ---- */

resnext_status resnextgo_enter(resnextgo_call *call, const char *function)
{
	if (resnextgo_forked())
		return resnextgo_refuse(function, RESNEXT_EFORK,
			"this process is a fork of process %ld, which uses the library: call it in one of them only, or exec",
			(long)owner);
	call->function = function;
	call->words.wants_log = resnextgo_logs();
	call->words.error[0] = call->words.warning[0] = call->words.info[0] = 0;
	default_floating_point(call);
	pthread_once(&started, start_go);
	return RESNEXT_OK;
}

resnext_status resnextgo_leave(resnextgo_call *call, int status)
{
	callers_floating_point(call);
	if (call->words.warning[0])
		resnextgo_log(RESNEXT_LOG_WARNING, call->words.warning);
	if (call->words.info[0])
		resnextgo_log(RESNEXT_LOG_INFO, call->words.info);
	if (status == RESNEXT_OK)
		return RESNEXT_OK;
	return keep_error(call->function, (resnext_status)status, call->words.error);
}
