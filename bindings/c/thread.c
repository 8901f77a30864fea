//go:build cgo

/* thread.c: what the library keeps for a thread of the program's, and signals during a call.
 *
 * While a thread is in Go, a handler of the program's would run on one of Go's stacks, which are small, or on the
 * thread's alternate one, which Go would use as its own. So signals wait until the call is done, except those that
 * say that this very thread has made a mistake. Those need a stack: Go's code runs on stacks that have no room for a
 * handler. */
#define _GNU_SOURCE /* flags of mmap */
#include "thread.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* Room for Go's handlers, which need 32 KiB, and for a program's handler of SIGILL or SIGSYS. No page of it is there
 * before it is used. */
enum { SIGNAL_STACK = 128 << 10, GUARD = 64 << 10 /* a page, however large pages are */ };

/* A pointer alone, since thread-local memory is scarce in libraries that are loaded late. */
__thread resnextgo_thread *resnextgo_this_thread;

static pthread_key_t end_key;
static int has_key;
static sigset_t in_call; /* the mask during a call */

int resnextgo_is_fault(int number)
{
	return number == SIGSEGV || number == SIGBUS || number == SIGFPE || number == SIGILL || number == SIGTRAP ||
		number == SIGSYS;
}

/* Whether a mask is that of a call. */
static int is_in_call(const sigset_t *mask)
{
	for (int number = 1; number < NSIG; number++) {
		if (sigismember(mask, number) != sigismember(&in_call, number))
			return 0;
	}
	return 1;
}

/* The thread's end. Go lets go of the thread in such a function as well, and leaves it the mask of a call: so this
 * comes before that, and in the second round of such functions again. One of the program's that runs later may call
 * the library once more. */
static void end(void *kept)
{
	resnextgo_thread *thread = kept;
	sigset_t now;

	pthread_sigmask(SIG_SETMASK, NULL, &now);
	if (!thread->ending) {
		thread->ending = 1;
		if (!is_in_call(&now))
			thread->mask = now;
		pthread_setspecific(end_key, thread);
		return;
	}
	if (thread->signal_stack) {
		if (is_in_call(&now))
			pthread_sigmask(SIG_SETMASK, &thread->mask, NULL);
		munmap(thread->signal_stack - GUARD, GUARD + SIGNAL_STACK);
	}
	resnextgo_this_thread = NULL;
	free(thread);
}

__attribute__((constructor)) static void loaded(void)
{
	sigset_t now;

	has_key = pthread_key_create(&end_key, end) == 0;
	sigfillset(&in_call);
	for (int number = 1; number < NSIG; number++) {
		if (resnextgo_is_fault(number))
			sigdelset(&in_call, number);
	}
	/* What becomes of it: some signals cannot be blocked, and emulators have fewer. */
	pthread_sigmask(SIG_SETMASK, &in_call, &now);
	pthread_sigmask(SIG_SETMASK, &now, &in_call);
}

resnextgo_thread *resnextgo_get_thread(void)
{
	int saved = errno;

	if (!resnextgo_this_thread) {
		resnextgo_this_thread = calloc(1, sizeof *resnextgo_this_thread);
		if (resnextgo_this_thread && has_key)
			pthread_setspecific(end_key, resnextgo_this_thread);
	}
	errno = saved;
	return resnextgo_this_thread;
}

/* Makes the signal stack, above pages that stop what overflows it. */
static char *make_stack(void)
{
	char *memory = mmap(NULL, GUARD + SIGNAL_STACK, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);

	if (memory == MAP_FAILED)
		return NULL;
	if (mprotect(memory + GUARD, SIGNAL_STACK, PROT_READ | PROT_WRITE) == 0)
		return memory + GUARD;
	munmap(memory, GUARD + SIGNAL_STACK);
	return NULL;
}

int resnextgo_hold_signals(resnextgo_thread *thread)
{
	stack_t ours = {0};

	if (!thread->signal_stack && !(thread->signal_stack = make_stack()))
		return ENOMEM;
	int failed = pthread_sigmask(SIG_SETMASK, &in_call, &thread->mask);
	if (failed)
		return failed;
	ours.ss_sp = thread->signal_stack;
	ours.ss_size = SIGNAL_STACK;
	/* Refused in a handler that runs on the program's alternate stack, which then stays. */
	thread->has_stack = sigaltstack(&ours, &thread->stack) == 0;
	return 0;
}

void resnextgo_give_signals_back(resnextgo_thread *thread)
{
	if (thread->has_stack)
		sigaltstack(&thread->stack, NULL);
	pthread_sigmask(SIG_SETMASK, &thread->mask, NULL);
}
