/* fork_meanwhile.c: a program forks exactly while another thread is inside of a call that is about to set the log function, or
 * to start Go. The child has nobody who would finish that, and must work all the same. */
#define _GNU_SOURCE /* the next function of a name */
#include <dlfcn.h>
#include <pthread.h>
#include <semaphore.h>

#include "check.h"
#include "child.h"

/* The thread that is to stop inside of the library, at the functions below: they stand before the C library's. */
static __thread int stops;
static sem_t stopped, go_on;

static void stop(void)
{
	if (!stops)
		return;
	stops = 0;
	sem_post(&stopped);
	while (sem_wait(&go_on) != 0)
		;
}

int pthread_mutex_unlock(pthread_mutex_t *mutex)
{
	int (*next)(pthread_mutex_t *);

	*(void **)&next = dlsym(RTLD_NEXT, "pthread_mutex_unlock");
	stop();
	return next(mutex);
}

/* The library asks whether there are descriptors before it starts Go. */
int epoll_create1(int flags)
{
	int (*next)(int);

	*(void **)&next = dlsym(RTLD_NEXT, "epoll_create1");
	stop();
	return next(flags);
}

static void count(resnext_log_level level, const char *message, void *user)
{
	(void)level, (void)message;
	++*(int *)user;
}

static int heard;

static void *set_log(void *unused)
{
	(void)unused;
	stops = 1;
	OK(resnext_set_log(count, &heard));
	return NULL;
}

static void *ask_features(void *unused)
{
	(void)unused;
	stops = 1;
	CHECK(resnext_cpu_features(), "null");
	return NULL;
}

/* Everything works in the child, and the half-finished call of its parent has taken place in whole or not at all. */
static void use(void)
{
	int here = 0, before;

	OK(resnext_model_close(open_tiny()));
	before = heard;
	CHECK(before <= 1, "%d messages", before);
	OK(resnext_set_log(count, &here));
	OK(resnext_model_close(open_tiny()));
	CHECK(here == 1 && heard == before, "%d messages, %d to the former", here, heard);
	const char *features = resnext_cpu_features();
	CHECK(features == resnext_cpu_features(), "the features move");
}

static void fork_during(void *(*call)(void *))
{
	pthread_t thread;

	CHECK(pthread_create(&thread, NULL, call, NULL) == 0, "%s", strerror(errno));
	while (sem_wait(&stopped) != 0)
		;
	in_child(use);
	sem_post(&go_on);
	pthread_join(thread, NULL);
}

int main(void)
{
	CHECK(sem_init(&stopped, 0, 0) == 0 && sem_init(&go_on, 0, 0) == 0, "%s", strerror(errno));
	fork_during(set_log);
	fork_during(ask_features);
	use(); /* and so it does here */
	return 0;
}
