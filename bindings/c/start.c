//go:build cgo

/* start.c: starts Go, and keeps it from changing what is the program's.
 *
 * A Go library starts its runtime when it is loaded, by an entry in .init_array. build.sh takes that entry out, so that
 * loading costs nothing, starts no thread and leaves the program free to fork; the first call starts the runtime. That
 * is no more than loading the library at that moment.
 */
#include "start.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "_cgo_export.h"
#include "errors.h"
#include "fork.h"
#include "probe.h"
#include "thread.h"

#if defined(__x86_64__)
#define GO_ENTRY _rt0_amd64_linux_lib
#elif defined(__aarch64__)
#define GO_ENTRY _rt0_arm64_linux_lib
#elif defined(__arm__)
#define GO_ENTRY _rt0_arm_linux_lib
#else
#error "libresnext for C is for Linux on x86-64 and ARM"
#endif

/* Null in a library that was built in another way, whose .init_array starts Go. */
extern void GO_ENTRY(int argc, char **argv) __attribute__((weak));

static int process_argc;
static char **process_argv;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* held while Go starts */
static int running;                                      /* Go has been started */

/* Frees the lock in a child that was forked off while another thread was about to start Go. */
static void after_fork(void) { lock = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER; }

/* The C library hands the process's arguments to constructors. The environment and the auxiliary vector, which tells
 * of the machine, are behind them. */
__attribute__((constructor)) static void loaded(int argc, char **argv)
{
	process_argc = argc;
	process_argv = argv;
	pthread_atfork(NULL, NULL, after_fork);
}

/* ---- The environment ----
 *
 * Go's own variables are for the programs that a user runs: some make Go end the process where it finds fault with C,
 * as GODEBUG=cgocheck=2 does. Here they have no effect. In their place stands what a library needs: Go interrupts
 * loops for its collector by SIGURG, which would be sent to the program's threads; it goes without where it is told
 * so. */
static const char *const go_variables[] = {"GODEBUG", "GOGC", "GOMAXPROCS", "GOMEMLIMIT", "GOTRACEBACK"};
static char go_debug[] = "GODEBUG=asyncpreemptoff=1";

static int is_go_variable(const char *variable)
{
	for (size_t i = 0; i < sizeof go_variables / sizeof *go_variables; i++) {
		size_t length = strlen(go_variables[i]);
		if (strncmp(variable, go_variables[i], length) == 0 && variable[length] == '=')
			return 1;
	}
	return 0;
}

/* Copies what a process is started with, without its arguments: a null pointer, the environment, a null pointer, the
 * auxiliary vector, whose last pair begins with 0. Null for want of memory. Go keeps it. */
static char **go_arguments(void)
{
	char **environment = process_argv + process_argc + 1, **from = environment;
	size_t variables = 0, pairs = 1, n = 0;

	while (environment[variables])
		variables++;
	char **auxiliary = environment + variables + 1;
	for (char **pair = auxiliary; *pair; pair += 2)
		pairs++;
	char **all = calloc(1 + variables + 2 + 2 * pairs, sizeof *all);
	if (!all)
		return NULL;
	all[n++] = NULL;
	for (; *from; from++) {
		if (!is_go_variable(*from))
			all[n++] = *from;
	}
	all[n++] = go_debug;
	all[n++] = NULL;
	memcpy(all + n, auxiliary, 2 * pairs * sizeof *all);
	return all;
}

/* ---- Signals ---- */

/* What Go calls for sigaction: build.sh sees to it. Go has handlers for the faults that it turns into errors, and no
 * others. It would also have SIGPIPE and SIGURG, and tell the system to run all of the program's handlers on
 * alternate stacks, which may be too small for them. */
int resnextgo_sigaction(int number, const struct sigaction *action, struct sigaction *former)
{
	if (action && number != SIGSEGV && number != SIGBUS && number != SIGFPE)
		action = NULL;
	return action || former ? sigaction(number, action, former) : 0;
}

/* Go's table of signals, runtime.sigtable, which build.sh has made visible. */
typedef struct go_signal {
	int32_t flags;
	const char *name;
	intptr_t name_length;
} go_signal;
extern go_signal go_signals[65] __asm__("runtime.sigtable") __attribute__((weak));
enum { GO_UNBLOCKS = 1 << 7 }; /* a flag */

/* Go's threads take over the mask of the thread that starts them, but open SIGCHLD, SIGPROF and SIGRTMIN, which a
 * program may be waiting for with signalfd: they would be lost, or end the process. The C library's own two stay
 * open. */
static void block_in_go(void)
{
	if (!go_signals)
		return;
	for (int number = 1; number < 65; number++) {
		if (!resnextgo_is_fault(number) && number != 32 && number != 33)
			go_signals[number].flags &= ~GO_UNBLOCKS;
#if defined(__arm__)
		/* Here Go asks the system itself, and not resnextgo_sigaction. A signal without flags is none of its business. */
		if (number != SIGSEGV && number != SIGBUS && number != SIGFPE)
			go_signals[number].flags &= number == 32 || number == 33 ? GO_UNBLOCKS : 0;
#endif
	}
}

/* ---- Starting ---- */

static void start_go(char **arguments)
{
	struct rlimit descriptors;

	/* First: a child that is forked off while Go starts must not go on with half of it. */
	resnextgo_own_process();
	block_in_go();
	/* Go raises the limit of descriptors; programs that use select rely on it. */
	int has_limit = getrlimit(RLIMIT_NOFILE, &descriptors) == 0;
	if (GO_ENTRY)
		GO_ENTRY(0, arguments);
	resnextgo_await_start();
	if (has_limit)
		setrlimit(RLIMIT_NOFILE, &descriptors);
}

resnext_status resnextgo_start(const char *function)
{
	resnext_status status = RESNEXT_OK;

	if (__atomic_load_n(&running, __ATOMIC_SEQ_CST))
		return RESNEXT_OK;
	pthread_mutex_lock(&lock);
	if (!running) {
		char **arguments = go_arguments();
		status = arguments ? resnextgo_probe(function)
				   : resnextgo_refuse(function, RESNEXT_ENOMEM, "no memory");
		if (status == RESNEXT_OK) {
			start_go(arguments);
			__atomic_store_n(&running, 1, __ATOMIC_SEQ_CST);
		} else {
			free(arguments);
		}
	}
	pthread_mutex_unlock(&lock);
	return status;
}
