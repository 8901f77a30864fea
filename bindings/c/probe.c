//go:build cgo

/* probe.c: asks the system for what Go needs to start. Go ends the process where that is refused, so it is asked for
 * beforehand, all of it at once, and given back. */
#define _GNU_SOURCE /* flags of mmap, attributes of threads */
#include "probe.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "errors.h"

/* What Go and its threads take at the most until the first model is open, beside the threads' stacks: bisected, and
 * some more. The most of it are addresses that are never used. In MiB. */
#if UINTPTR_MAX > UINT32_MAX
enum { ADDRESSES = 1648, MEMORY = 48 };
#else /* Go sets less aside there; not bisected, for want of a system with limits */
enum { ADDRESSES = 704, MEMORY = 48 };
#endif

/* How many threads Go may start: one a CPU, and some that wait. */
enum { MOST_THREADS = 72, WAITING = 10 };

static int go_threads(void)
{
	cpu_set_t cpus;
	int n = sched_getaffinity(0, sizeof cpus, &cpus) == 0 ? CPU_COUNT(&cpus) : MOST_THREADS;

	return n < MOST_THREADS - WAITING ? n + WAITING : MOST_THREADS;
}

static resnext_status refuse(const char *function, const char *what, int number)
{
	return resnextgo_refuse(function, RESNEXT_ENOMEM, "to start, the library needs %s: %s", what, strerror(number));
}

/* The stack of a thread, in MiB: the limit that holds for the stack when a program is started. Attributes that nobody has
 * changed tell it, in C libraries too that have no pthread_getattr_default_np(). */
static size_t stack_size(void)
{
	pthread_attr_t attributes;
	size_t size = 8 << 20;

	if (pthread_attr_init(&attributes) == 0) {
		pthread_attr_getstacksize(&attributes, &size);
		pthread_attr_destroy(&attributes);
	}
	return size >> 20;
}

static resnext_status refuse_memory(const char *function, size_t amount, const char *what, int number)
{
	return resnextgo_refuse(function, RESNEXT_ENOMEM, "to start, the library needs %zu MiB of %s: %s", amount, what,
		strerror(number));
}

static resnext_status probe_memory(const char *function)
{
	size_t stacks = (size_t)go_threads() * stack_size(), addresses = ADDRESSES + stacks, memory = MEMORY + stacks;
	char *all = mmap(NULL, addresses << 20, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (all == MAP_FAILED)
		return refuse_memory(function, addresses, "address space (ulimit -v)", errno);
	int failed = mprotect(all, memory << 20, PROT_READ | PROT_WRITE) ? errno : 0;
	munmap(all, addresses << 20);
	return failed ? refuse_memory(function, memory, "memory (ulimit -d)", failed) : RESNEXT_OK;
}

/* A thread that waits until all are there. */
static void *wait_for_all(void *all)
{
	pthread_mutex_lock(all);
	pthread_mutex_unlock(all);
	return NULL;
}

static resnext_status probe_threads(const char *function)
{
	pthread_mutex_t all = PTHREAD_MUTEX_INITIALIZER;
	pthread_t threads[MOST_THREADS];
	int n = 0, most = go_threads(), failed = 0;

	pthread_mutex_lock(&all);
	while (n < most && (failed = pthread_create(&threads[n], NULL, wait_for_all, &all)) == 0)
		n++;
	pthread_mutex_unlock(&all);
	while (n > 0)
		pthread_join(threads[--n], NULL);
	if (failed)
		return resnextgo_refuse(function, RESNEXT_ENOMEM,
			"to start, the library needs %d threads (ulimit -u): %s", most, strerror(failed));
	return RESNEXT_OK;
}

/* Calls that a sandbox may refuse, and the descriptors that Go keeps: two for waiting, and one or two by which it
 * sees how much of the CPUs the process may use. */
static resnext_status probe_calls(const char *function)
{
	struct epoll_event event = {.events = EPOLLIN};
	int descriptors[4], n = 0, failed = 0;
	const char *call = "sigaltstack";
	stack_t stack;

	if (sigaltstack(NULL, &stack) != 0)
		return refuse(function, call, errno);
	for (; n < 4 && !failed; n++) {
		call = n ? "eventfd" : "epoll_create1";
		descriptors[n] = n ? eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK) : epoll_create1(EPOLL_CLOEXEC);
		failed = descriptors[n] < 0 ? errno : 0;
	}
	if (!failed && epoll_ctl(descriptors[0], EPOLL_CTL_ADD, descriptors[1], &event) != 0) {
		call = "epoll_ctl";
		failed = errno;
	}
	while (n > 0) {
		if (descriptors[--n] >= 0)
			close(descriptors[n]);
	}
	return failed ? refuse(function, call, failed) : RESNEXT_OK;
}

resnext_status resnextgo_probe(const char *function)
{
	resnext_status status = probe_memory(function);

	if (status == RESNEXT_OK)
		status = probe_calls(function);
	if (status == RESNEXT_OK)
		status = probe_threads(function);
	return status;
}
