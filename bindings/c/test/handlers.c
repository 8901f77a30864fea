/* handlers.c: handlers that need much stack run as if the library were not there: on the thread's own stack, or on
 * the signal stack that the program gave it, whenever they were installed and whatever thread they meet in whatever
 * call. */
#define _GNU_SOURCE
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include "child.h"

enum { THREADS = 4, KINDS = 3 };

/* What a program may be like. */
static struct {
	size_t need;       /* of the handlers' stack, in bytes */
	size_t stack;      /* the threads' signal stack, 0 for none */
	int on_stack;      /* the handlers' SA_ONSTACK */
	int after;         /* they are installed after the first call */
} program;

static int signals[KINDS]; /* SIGUSR1 and two that queue */
static sem_t handled;
static long count, elsewhere; /* how many, and how many not on the stack where they belong */
static int stop;
static __thread char *own_stack; /* this thread's signal stack */

static void use_stack(size_t bytes)
{
	volatile char *memory = __builtin_alloca(bytes);

	for (size_t i = 0; i < bytes; i += 64)
		memory[i] = 1;
	memory[bytes - 1] = 1;
}

static void on_signal(int number)
{
	char here;
	int saved = errno, on_own = own_stack && &here >= own_stack && &here < own_stack + program.stack;

	(void)number;
	if (on_own != program.on_stack)
		__atomic_add_fetch(&elsewhere, 1, __ATOMIC_SEQ_CST);
	use_stack(program.need);
	__atomic_add_fetch(&count, 1, __ATOMIC_SEQ_CST);
	sem_post(&handled);
	errno = saved;
}

static void install(void)
{
	struct sigaction action = {0};

	action.sa_handler = on_signal;
	action.sa_flags = SA_RESTART | (program.on_stack ? SA_ONSTACK : 0);
	for (int i = 0; i < KINDS; i++)
		CHECK(sigaction(signals[i], &action, NULL) == 0, "%s", strerror(errno));
}

/* Gives this thread a signal stack between pages that end the process where it overflows. */
static void give_stack(void)
{
	stack_t stack = {0};
	size_t guard = 64 << 10;

	if (!program.stack)
		return;
	char *memory = mmap(NULL, program.stack + 2 * guard, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(memory != MAP_FAILED, "%s", strerror(errno));
	CHECK(mprotect(memory + guard, program.stack, PROT_READ | PROT_WRITE) == 0, "%s", strerror(errno));
	own_stack = stack.ss_sp = memory + guard;
	stack.ss_size = program.stack;
	CHECK(sigaltstack(&stack, NULL) == 0, "%s", strerror(errno));
}

static resnext_model *model;

static void *infer(void *unused)
{
	resnext_session *session = make_session(model, 1);

	(void)unused;
	give_stack(); /* the session was made without it */
	while (!__atomic_load_n(&stop, __ATOMIC_SEQ_CST))
		check_input(session);
	OK(resnext_session_close(session));
	return NULL;
}

static void await(void)
{
	while (sem_wait(&handled) != 0)
		;
}

static void storm(void)
{
	pthread_t threads[THREADS];
	long sent = 0;

	read_input();
	sem_init(&handled, 0, 0);
	give_stack();
	if (!program.after)
		install();
	model = open_tiny();
	if (program.after)
		install();
	for (int i = 0; i < KINDS; i++, sent++) { /* outside of any call */
		CHECK(raise(signals[i]) == 0, "%s", strerror(errno));
		await();
	}
	for (int i = 0; i < THREADS; i++)
		CHECK(pthread_create(&threads[i], NULL, infer, NULL) == 0, "%s", strerror(errno));
	for (long round = 0; round < rounds(15); round++) {
		for (int i = 0; i < THREADS; i++, sent++)
			CHECK(pthread_kill(threads[i], signals[round % KINDS]) == 0, "%s", strerror(errno));
		for (int i = 0; i < THREADS; i++)
			await();
	}
	__atomic_store_n(&stop, 1, __ATOMIC_SEQ_CST);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	CHECK(count == sent, "%ld of %ld signals were handled", count, sent);
	/* Before a thread has its signal stack it can meet a signal elsewhere. */
	CHECK(elsewhere == 0 || program.on_stack, "%ld of %ld signals on another stack", elsewhere, sent);
}

int main(void)
{
	static const size_t needs[] = {24 << 10, 40 << 10, 64 << 10}, stacks[] = {0, 16 << 10};

	signals[0] = SIGUSR1, signals[1] = SIGRTMIN, signals[2] = SIGRTMIN + 3;
	for (int after = 0; after < 2; after++) {
		program.after = after;
		program.on_stack = 0;
		for (int need = 0; need < 3; need++) {
			for (int stack = 0; stack < 2; stack++) {
				program.need = needs[need];
				program.stack = stacks[stack];
				in_child(storm);
			}
		}
		program.on_stack = 1; /* as it ought to be, with room enough */
		program.need = 64 << 10;
		program.stack = 128 << 10;
		in_child(storm);
	}
	return 0;
}
