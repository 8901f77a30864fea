//go:build cgo

/* fork.c: Go lives in the process in which it was started, and in none of its forks: only the thread that forks is
 * there. */
#define _GNU_SOURCE /* flags of mmap */
#include "fork.h"

#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#include "errors.h"

static pid_t owner;           /* the process in which Go runs; 0 before it starts */
static int in_child;          /* of the owner */
static const char *not_wiped; /* 1, in memory that is zero in every child; null if the system has none such */

/* Runs in the child of a fork. Nothing is locked before the fork: a log function may run for long, and may wait for
 * what the forking thread holds. */
static void after_fork(void)
{
	if (__atomic_load_n(&owner, __ATOMIC_SEQ_CST) != 0)
		__atomic_store_n(&in_child, 1, __ATOMIC_SEQ_CST);
}

__attribute__((constructor)) static void loaded(void)
{
	pthread_atfork(NULL, NULL, after_fork);
}

/* Memory that is zero in every child, or null. An emulator may say that it is, and not do it: it is believed only
 * where it refuses what Linux does, memory that is shared with the child. */
static char *wiped_memory(void)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	char *shared = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	char *own = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int both = shared != MAP_FAILED && own != MAP_FAILED;
	int works = both && madvise(shared, page, MADV_WIPEONFORK) != 0 && madvise(own, page, MADV_WIPEONFORK) == 0;

	if (shared != MAP_FAILED)
		munmap(shared, page);
	if (own != MAP_FAILED && !works)
		munmap(own, page);
	return works ? own : NULL;
}

void resnextgo_own_process(void)
{
	char *memory = wiped_memory();

	if (memory) {
		*memory = 1;
		not_wiped = memory;
	}
	__atomic_store_n(&owner, getpid(), __ATOMIC_SEQ_CST);
}

/* A child may have its parent's process number: the first process of a container, or where numbers were used up. One
 * of clone() has run no handler. Memory that the system wipes tells of both, and sooner than a process number can be
 * had; before Linux 4.14 there is none. */
int resnextgo_forked(void)
{
	pid_t pid = __atomic_load_n(&owner, __ATOMIC_SEQ_CST);

	if (pid == 0)
		return 0;
	if (__atomic_load_n(&in_child, __ATOMIC_SEQ_CST))
		return 1;
	return not_wiped ? !*not_wiped : pid != getpid();
}

resnext_status resnextgo_refuse_fork(const char *function)
{
	return resnextgo_refuse(function, RESNEXT_EFORK,
		"this process is a fork of process %ld, which uses the library: call it in one of them only, or exec",
		(long)owner);
}
