/* fork.c: a child of fork() is refused by every function and never hangs; one that execs starts afresh; and a program that
 * forks before its first call, as daemons do, may use the library in the child. */
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "check.h"
#include "child.h"

/* Stands before the C library's: a child in a process namespace of its own may have its parent's number. */
static pid_t pretended;

pid_t getpid(void) { return pretended ? pretended : (pid_t)syscall(SYS_getpid); }

static void use(void)
{
	resnext_model *model = open_tiny();
	resnext_session *session = make_session(model, 0);

	check_input(session);
	OK(resnext_session_close(session));
	OK(resnext_model_close(model));
}

static resnext_model *model;
static resnext_session *session;

static void ignore(resnext_log_level level, const char *message, void *user)
{
	(void)level, (void)message, (void)user;
}

static void refused(void)
{
	resnext_image image = RESNEXT_IMAGE(RESNEXT_RGB, SIDE, SIDE, input);
	resnext_model *m = NULL;
	resnext_session *s = NULL;
	resnext_model_info info = {0};
	resnext_prediction best[1];
	const char *label = NULL;
	float logits[CLASSES] = {0}, features[FEATURES] = {0};
	uint32_t threads = 0;
	int32_t head = 0;
	size_t top = 1;

	info.size = sizeof info;
	STATUS(RESNEXT_EFORK, resnext_model_open(TINY, NULL, &m));
	CHECK(strstr(resnext_last_error(), "fork of process"), "words");
	STATUS(RESNEXT_EFORK, resnext_model_open_memory(input, INPUT, NULL, &m));
	STATUS(RESNEXT_EFORK, resnext_model_open_fd(0, NULL, &m));
	STATUS(RESNEXT_EFORK, resnext_model_get_info(model, &info));
	STATUS(RESNEXT_EFORK, resnext_model_label(model, 0, &label));
	STATUS(RESNEXT_EFORK, resnext_model_head(model, &head));
	STATUS(RESNEXT_EFORK, resnext_model_features(model, &threads));
	STATUS(RESNEXT_EFORK, resnext_session_new(model, NULL, &s));
	STATUS(RESNEXT_EFORK, resnext_session_threads(session, &threads));
	STATUS(RESNEXT_EFORK, resnext_infer(session, &image, logits, CLASSES));
	STATUS(RESNEXT_EFORK, resnext_infer_input(session, input, INPUT, logits, CLASSES));
	STATUS(RESNEXT_EFORK, resnext_embed(session, &image, features, FEATURES));
	STATUS(RESNEXT_EFORK, resnext_embed_input(session, input, INPUT, features, FEATURES));
	STATUS(RESNEXT_EFORK, resnext_infer_batch(session, &image, 1, logits, CLASSES));
	STATUS(RESNEXT_EFORK, resnext_embed_batch(session, &image, 1, features, FEATURES));
	STATUS(RESNEXT_EFORK, resnext_classify(session, &image, best, &top));
	STATUS(RESNEXT_EFORK, resnext_softmax(input_logits, CLASSES, logits));
	STATUS(RESNEXT_EFORK, resnext_sigmoid(input_logits, CLASSES, logits));
	STATUS(RESNEXT_EFORK, resnext_top(input_logits, CLASSES, best, &top));
	STATUS(RESNEXT_EFORK, resnext_session_close(session));
	STATUS(RESNEXT_EFORK, resnext_model_close(model));
	STATUS(RESNEXT_EFORK, resnext_set_log(ignore, NULL));
	CHECK(!m && !s && !label && !threads && !head && logits[0] == 0 && features[0] == 0, "written");
	CHECK(resnext_cpu_features() && resnext_abi_version() && *resnext_version_string(), "constants");
}

static void refused_with_the_same_number(void)
{
	pretended = getppid();
	refused();
}

/* A child that the C library knows nothing of. */
static void check_clone(void) { child_runs((pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0), refused); }

static const char *program; /* this one's file */

/* RESNEXT_TEST_RUN is the emulator, if there is one. */
static void run_again(void)
{
	execl("/bin/sh", "sh", "-c", "exec $RESNEXT_TEST_RUN \"$0\" again", program, (char *)NULL);
	_exit(3);
}

int main(int argc, char **argv)
{
	read_input();
	if (argc > 1) { /* the child that has execed */
		use();
		return 0;
	}
	in_child(use); /* before the first call here */
	in_child(use);
	use();
	model = open_tiny();
	session = make_session(model, 0);
	check_input(session);
	for (int i = 0; i < 5; i++)
		in_child(refused);
	in_child(refused_with_the_same_number);
	check_clone();
	program = argv[0];
	in_child(run_again);
	check_input(session); /* the parent goes on */
	OK(resnext_session_close(session));
	OK(resnext_model_close(model));
	return 0;
}
