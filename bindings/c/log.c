//go:build cgo

/* log.c: resnext_set_log and what it sets. */
#define _GNU_SOURCE /* a mutex that knows its owner */
#include "log.h"

#include <pthread.h>

#include "errors.h"
#include "fork.h"

/* Held while the function runs, so that resnext_set_log returns only when the former one is done. Locking fails for the
 * thread that holds it: a call out of the function. */
static pthread_mutex_t lock = PTHREAD_ERRORCHECK_MUTEX_INITIALIZER_NP;

/* The program's function and its argument. The one in use never changes: a child that is forked off meanwhile has both of
 * the former or both of the new. */
static struct receiver {
	resnext_log_fn log;
	void *user;
} receivers[2];
static struct receiver *current; /* one of them, or null */

/* Frees the lock in the child of a fork, whose holder is not there. */
static void after_fork(void) { lock = (pthread_mutex_t)PTHREAD_ERRORCHECK_MUTEX_INITIALIZER_NP; }

__attribute__((constructor)) static void loaded(void) { pthread_atfork(NULL, NULL, after_fork); }

resnext_status resnext_set_log(resnext_log_fn log, void *user)
{
	if (resnextgo_forked())
		return resnextgo_refuse_fork(__func__);
	if (pthread_mutex_lock(&lock) != 0)
		return resnextgo_refuse(__func__, RESNEXT_EBUSY, "the log function may not replace itself");
	struct receiver *next = &receivers[current == receivers];
	next->log = log;
	next->user = user;
	__atomic_store_n(&current, log ? next : NULL, __ATOMIC_SEQ_CST);
	pthread_mutex_unlock(&lock);
	return RESNEXT_OK;
}

int resnextgo_logs(void)
{
	return __atomic_load_n(&current, __ATOMIC_SEQ_CST) != NULL;
}

void resnextgo_log(resnext_log_level level, const char *message)
{
	if (pthread_mutex_lock(&lock) != 0)
		return;
	if (current)
		current->log(level, message, current->user);
	pthread_mutex_unlock(&lock);
}
