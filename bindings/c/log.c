//go:build cgo

/* log.c: resnext_set_log and what it sets. */
#define _GNU_SOURCE /* a mutex that knows its owner */
#include "log.h"

#include <pthread.h>

#include "enter.h"

/* Held while the function runs, so that resnext_set_log returns only when the former one is done. Locking fails for the
 * thread that holds it: a call out of the function. */
static pthread_mutex_t lock = PTHREAD_ERRORCHECK_MUTEX_INITIALIZER_NP;
static resnext_log_fn receiver;
static void *receiver_user;

resnext_status resnext_set_log(resnext_log_fn log, void *user)
{
	if (resnextgo_forked()) /* where another thread of the parent may have held the lock for ever */
		return resnextgo_refuse(__func__, RESNEXT_EFORK, "this process is a fork of one that uses the library");
	if (pthread_mutex_lock(&lock) != 0)
		return resnextgo_refuse(__func__, RESNEXT_EBUSY, "the log function may not replace itself");
	__atomic_store_n(&receiver, log, __ATOMIC_SEQ_CST);
	receiver_user = user;
	pthread_mutex_unlock(&lock);
	return RESNEXT_OK;
}

int resnextgo_logs(void)
{
	return __atomic_load_n(&receiver, __ATOMIC_SEQ_CST) != NULL;
}

void resnextgo_log(resnext_log_level level, const char *message)
{
	if (pthread_mutex_lock(&lock) != 0)
		return;
	if (receiver)
		receiver(level, message, receiver_user);
	pthread_mutex_unlock(&lock);
}
