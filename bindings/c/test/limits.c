/* limits.c: where the system does not give what the library needs it is a status and words, never the program's end:
 * little address space, memory, threads or descriptors, and system calls that a sandbox refuses. What resnext.h says
 * is enough, is. */
#define _GNU_SOURCE
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "child.h"

enum { MIB = 1 << 20, PROGRAM = 50 /* MiB that this program has itself */ };

/* The limit that holds in a child. */
static struct {
	__rlimit_resource_t resource;
	rlim_t value;
	int enough; /* it must not be refused */
} limit;

static void set_limit(void)
{
	struct rlimit both = {limit.value, limit.value};

	CHECK(setrlimit(limit.resource, &both) == 0, "%s", strerror(errno));
}

/* Everything works, or nothing begins. */
static void use(void)
{
	resnext_model *model = NULL;
	resnext_status status = resnext_model_open(TINY, NULL, &model);

	if (status == RESNEXT_ENOMEM || status == RESNEXT_EIO) {
		CHECK(!limit.enough && !model, "refused: %s", resnext_last_error());
		CHECK(strlen(resnext_last_error()) > 30 && *resnext_strerror(status), "words");
		return;
	}
	OK(status);
	resnext_session *session = NULL;
	status = resnext_session_new(model, NULL, &session);
	if (status == RESNEXT_ENOMEM && !limit.enough) {
		CHECK(!session && strlen(resnext_last_error()) > 30, "words");
	} else {
		OK(status);
		check_input(session);
		OK(resnext_session_close(session));
	}
	OK(resnext_model_close(model));
}

static void use_limited(void)
{
	set_limit();
	use();
}

/* Runs f, which sets the limit, in a child. */
static void in_limited_child(void (*f)(void), __rlimit_resource_t resource, rlim_t value)
{
	limit.resource = resource, limit.value = value;
	snprintf(child_about, sizeof child_about, " under a limit of %llu of resource %d", (unsigned long long)value,
		(int)resource);
	in_child(f);
	child_about[0] = 0;
}

static void try(__rlimit_resource_t resource, rlim_t value, int enough)
{
	limit.enough = enough;
	in_limited_child(use_limited, resource, value);
}

/* Refused, and then not: the first call can be tried again. */
static void try_again(void)
{
	struct rlimit little = {200 * MIB, RLIM_INFINITY}, much = {RLIM_INFINITY, RLIM_INFINITY};
	resnext_model *model;

	CHECK(setrlimit(RLIMIT_AS, &little) == 0, "%s", strerror(errno));
	STATUS(RESNEXT_ENOMEM, resnext_model_open(TINY, NULL, &model));
	CHECK(strstr(resnext_last_error(), "MiB of address space (ulimit -v)"), "words");
	CHECK(setrlimit(RLIMIT_AS, &much) == 0, "%s", strerror(errno));
	use();
}

static void *work(void *model)
{
	resnext_session *session = make_session(model, 0);

	for (int i = 0; i < 30; i++)
		check_input(session);
	OK(resnext_session_close(session));
	OK(resnext_model_close(open_tiny()));
	return NULL;
}

/* So much work at a time that Go has more threads than it needs afterwards: one that it cannot start ends the
 * process. */
static void start_threads(resnext_model *model)
{
	pthread_t threads[4];

	for (int i = 0; i < 4; i++)
		CHECK(pthread_create(&threads[i], NULL, work, model) == 0, "%s", strerror(errno));
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
}

/* A limit that comes when all is in use refuses new models and sessions, and leaves the old ones alone. */
static void limit_later(void)
{
	resnext_model *model = open_tiny(), *another = NULL;
	resnext_session *session = make_session(model, 1), *second = NULL;
	resnext_image image = RESNEXT_IMAGE(RESNEXT_BGR, 16384, 1024, input); /* refused before a pixel is read */
	resnext_image small = RESNEXT_IMAGE(RESNEXT_RGB, SIDE, SIDE, input);
	float logits[CLASSES];
	size_t length;
	unsigned char *file = read_file(TINY, &length);

	start_threads(model);
	check_input(session);
	set_limit();
	STATUS(RESNEXT_ENOMEM, resnext_model_open(TINY, NULL, &another));
	STATUS(RESNEXT_ENOMEM, resnext_model_open_memory(file, length, NULL, &another));
	STATUS(RESNEXT_ENOMEM, resnext_session_new(model, NULL, &second));
	STATUS(RESNEXT_ENOMEM, resnext_infer(session, &image, logits, CLASSES));
	STATUS(RESNEXT_ENOMEM, resnext_infer_batch(session, &small, 1, logits, CLASSES));
	CHECK(!another && !second, "written");
	for (int i = 0; i < 100; i++)
		check_input(session);
	free(file);
	OK(resnext_session_close(session));
	OK(resnext_model_close(model));
}

static void later(__rlimit_resource_t resource, rlim_t value)
{
	in_limited_child(limit_later, resource, value);
}

/* Root has no limit of threads, and the limit counts those of all programs of a user: this one has no others. */
static void use_as_another(void)
{
	CHECK(getuid() != 0 || setuid(0x6e787400 + getpid()) == 0, "%s", strerror(errno));
	use_limited();
}

static void try_threads(rlim_t value)
{
	limit.enough = 0;
	in_limited_child(use_as_another, RLIMIT_NPROC, value);
}

/* ---- Sandboxes ---- */

static int refused_call, refused_with;

static void use_in_sandbox(void)
{
	struct sock_filter steps[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)refused_call, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned)refused_with),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog filter = {sizeof steps / sizeof *steps, steps};
	resnext_model *model;

	CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0, "%s", strerror(errno));
	CHECK(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0, "%s", strerror(errno));
	if (refused_call == SYS_clone3 && refused_with == ENOSYS) { /* the C library has another way */
		limit.enough = 1;
		use();
		return;
	}
	STATUS(RESNEXT_ENOMEM, resnext_model_open(TINY, NULL, &model));
	CHECK(strstr(resnext_last_error(), strerror(refused_with)), "words");
}

static void check_sandboxes(void)
{
	static const int calls[] = {SYS_sigaltstack, SYS_epoll_create1, SYS_epoll_ctl, SYS_eventfd2, SYS_clone3,
		SYS_rt_sigprocmask};
	static const int with[] = {EPERM, ENOSYS};

	for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
		for (size_t j = 0; j < 2; j++) {
			refused_call = calls[i], refused_with = with[j];
			in_child(use_in_sandbox);
		}
	}
}

/* Every little, and what resnext.h says is enough. */
static void check_memory(void)
{
	long all = sysconf(_SC_NPROCESSORS_ONLN) + 10, threads = all < 72 ? all : 72, stacks = 8 * threads;
	long addresses = 1648 + stacks + PROGRAM, enough = addresses + 64 * threads, memory = 48 + stacks + PROGRAM;

	for (long mib = 40; mib < addresses; mib += mib < 800 ? 90 : mib < 1500 ? 37 : 7)
		try(RLIMIT_AS, (rlim_t)mib * MIB, 0);
	try(RLIMIT_AS, (rlim_t)enough * MIB, 1);
	for (long mib = 2; mib < memory; mib += 3)
		try(RLIMIT_DATA, (rlim_t)mib * MIB, 0);
	try(RLIMIT_DATA, (rlim_t)memory * MIB, 1);
}

int main(void)
{
	if (getenv("RESNEXT_TEST_RUN")) {
		fprintf(stderr, "limits: LEFT OUT under the emulator, which has no limits and no sandboxes: all of it\n");
		return 0;
	}
	read_input();
	check_memory();
	for (rlim_t n = 0; n < 14; n++)
		try(RLIMIT_NOFILE, n, 0);
	for (rlim_t n = 0; n < 16; n++)
		try_threads(n);
	in_child(try_again);
	later(RLIMIT_AS, 100 * MIB);
	later(RLIMIT_AS, 400 * MIB);
	later(RLIMIT_DATA, 20 * MIB);
	check_sandboxes();
	return 0;
}
