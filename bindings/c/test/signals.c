/* signals.c: the program's signal handlers go on working, storms of signals change no result, and the mask stays. */
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

static volatile sig_atomic_t users, alarms, faults;
static sigjmp_buf after_fault;

static void on_user(int number) { (void)number; users++; }
static void on_alarm(int number) { (void)number; alarms++; }
static void on_fault(int number)
{
	(void)number;
	faults++;
	siglongjmp(after_fault, 1);
}

static void install(int number, void (*handler)(int), int flags)
{
	struct sigaction action;

	memset(&action, 0, sizeof action);
	action.sa_handler = handler;
	action.sa_flags = SA_ONSTACK | flags;
	CHECK(sigaction(number, &action, NULL) == 0, "%s", strerror(errno));
}

static void still_installed(int number, void (*handler)(int))
{
	struct sigaction action;

	CHECK(sigaction(number, NULL, &action) == 0 && action.sa_handler == handler, "signal %d has another handler", number);
}

/* The program's own mistakes still reach its own handler. */
static void fault(void)
{
	volatile int *volatile nowhere = (int *)16;
	int before = faults;

	if (sigsetjmp(after_fault, 1) == 0)
		*nowhere = 1;
	CHECK(faults == before + 1, "%d faults, expected %d", (int)faults, before + 1);
}

static void *thread_with_faults(void *session)
{
	stack_t stack = {0}, now;

	stack.ss_size = 1 << 16;
	stack.ss_sp = malloc(stack.ss_size);
	CHECK(stack.ss_sp && sigaltstack(&stack, NULL) == 0, "%s", strerror(errno));
	check_input(session);
	fault();
	check_input(session);
	CHECK(sigaltstack(NULL, &now) == 0 && now.ss_sp == stack.ss_sp, "the thread's signal stack was changed");
	return NULL;
}

/* A write to a pipe that nobody reads kills a program that has asked for nothing else. */
static void check_pipe(void)
{
	int pipes[2], state;

	CHECK(pipe(pipes) == 0, "%s", strerror(errno));
	pid_t child = fork();
	CHECK(child >= 0, "%s", strerror(errno));
	if (child == 0) {
		alarm(60);
		OK(resnext_model_close(open_tiny()));
		close(pipes[0]);
		_exit(write(pipes[1], "x", 1) < 0 ? 2 : 3);
	}
	close(pipes[0]);
	close(pipes[1]);
	CHECK(waitpid(child, &state, 0) == child, "%s", strerror(errno));
	CHECK(WIFSIGNALED(state) && WTERMSIG(state) == SIGPIPE, "the child ended with %x", state);
}

int main(void)
{
	sigset_t before, after;
	pthread_t thread;
	long inferences = 0;

	check_pipe();
	install(SIGSEGV, on_fault, 0);
	install(SIGUSR1, on_user, SA_RESTART);
	struct sigaction plain = {0};
	plain.sa_handler = on_user; /* without SA_ONSTACK, which a handler that comes before Go may lack */
	CHECK(sigaction(SIGUSR1, &plain, NULL) == 0, "%s", strerror(errno));
	install(SIGALRM, on_alarm, SA_RESTART);
	fault();
	sigemptyset(&before);
	sigaddset(&before, SIGUSR2);
	sigaddset(&before, SIGWINCH);
	CHECK(sigprocmask(SIG_BLOCK, &before, NULL) == 0, "%s", strerror(errno));
	sigprocmask(SIG_BLOCK, NULL, &before);

	read_input();
	resnext_model *model = open_tiny();
	resnext_session *one = make_session(model, 1), *all = make_session(model, 0);
	check_input(one);
	fault();
	check_input(one);

	struct itimerval storm = {{0, 300}, {0, 300}}, calm = {{0, 0}, {0, 0}};
	CHECK(setitimer(ITIMER_REAL, &storm, NULL) == 0, "%s", strerror(errno));
	for (long most = rounds(100000); (alarms < 300 || users < 300) && inferences < most; inferences++) {
		raise(SIGUSR1);
		check_input(inferences % 50 ? one : all);
	}
	setitimer(ITIMER_REAL, &calm, NULL);
	CHECK(alarms > 10 && users >= 300, "%d alarms, %d users in %ld inferences", (int)alarms, (int)users, inferences);

	CHECK(pthread_create(&thread, NULL, thread_with_faults, one) == 0, "%s", strerror(errno));
	pthread_join(thread, NULL);
	sigprocmask(SIG_BLOCK, NULL, &after);
	for (int number = 1; number < 65; number++)
		CHECK(sigismember(&before, number) == sigismember(&after, number), "signal %d's place in the mask", number);
	still_installed(SIGUSR1, on_user);
	still_installed(SIGALRM, on_alarm);
	fault();
	OK(resnext_session_close(one));
	OK(resnext_session_close(all));
	OK(resnext_model_close(model));
	return 0;
}
