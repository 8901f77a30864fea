/* thread.h: what the library keeps for each thread that calls it, and what it takes from a thread during a call. */
#ifndef RESNEXT_THREAD_H
#define RESNEXT_THREAD_H

#include <signal.h>

enum { ERROR_SIZE = 1200 }; /* a function's name and words from Go */

typedef struct resnextgo_thread {
	char error[ERROR_SIZE]; /* the words of the last error */
	char *signal_stack;     /* for calls; null before the first */
	sigset_t mask;          /* the program's, during a call and at the end */
	stack_t stack;          /* the program's alternate signal stack, during a call */
	int has_stack;          /* whether that one is put away */
	int ending;             /* the thread's end has begun */
} resnextgo_thread;

/* This thread's; null before resnextgo_get_thread(). */
extern __thread resnextgo_thread *resnextgo_this_thread __attribute__((visibility("hidden")));

/* This thread's, made if need be; null for want of memory. It goes with the thread. */
resnextgo_thread *resnextgo_get_thread(void);

/* Blocks this thread's signals, all but those that a fault gives, and puts the library's own signal stack in the
 * place of the program's. Returns 0, or errno. After 0, and only then, resnextgo_give_signals_back must follow. */
int resnextgo_hold_signals(resnextgo_thread *thread);

/* Puts signal stack and mask back as they were. */
void resnextgo_give_signals_back(resnextgo_thread *thread);

/* Whether a fault of the thread's own gives this signal. */
int resnextgo_is_fault(int number);

#endif
