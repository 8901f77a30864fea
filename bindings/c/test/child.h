/* child.h: for what is to happen in a child process. */
#ifndef CHILD_H
#define CHILD_H

#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

enum { PATIENCE = 60 }; /* seconds */

/* What the next children are about, if that is not plain: for words about one that failed. */
static char child_about[100] __attribute__((unused));

/* Runs f in a child that has just been made, and expects it to end well in time. Parent and child both call it, with what
 * fork gave them. */
static inline void child_runs(pid_t child, void (*f)(void))
{
	int state;

	CHECK(child >= 0, "%s", strerror(errno));
	if (child == 0) {
		alarm(PATIENCE);
		f();
		_exit(0);
	}
	CHECK(waitpid(child, &state, 0) == child, "%s", strerror(errno));
	CHECK(WIFEXITED(state) && WEXITSTATUS(state) == 0, "the child ended with %x%s", state, child_about);
}

static inline void in_child(void (*f)(void)) { child_runs(fork(), f); }

#endif
