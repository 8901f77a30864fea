/* other_go.c: beside a second Go library in the same process, loaded before (with an argument: after) this one, both work,
 * in parallel too. Each has its own runtime, threads and collector. */
#include <pthread.h>

#include "late.h"

#include "check.h"

static int (*other_work)(int);
static int stop;

static void load_other(void) { *(void **)&other_work = dlsym(load_file("./other.so"), "other_work"); }

static void *work(void *unused)
{
	(void)unused;
	while (!__atomic_load_n(&stop, __ATOMIC_SEQ_CST))
		CHECK(other_work(20) == 20, "the other library");
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t thread;
	(void)argv;
	if (argc > 1) {
		load_library();
		load_other();
	} else {
		load_other();
		load_library();
	}
	read_input();
	CHECK(other_work(3) == 3, "the other library");
	resnext_model *model = open_tiny();
	resnext_session *one = make_session(model, 1), *all = make_session(model, 0);
	CHECK(pthread_create(&thread, NULL, work, NULL) == 0, "%s", strerror(errno));
	for (long i = 0; i < rounds(1000); i++)
		check_input(i % 20 ? one : all);
	__atomic_store_n(&stop, 1, __ATOMIC_SEQ_CST);
	pthread_join(thread, NULL);
	CHECK(other_work(3) == 3, "the other library");
	OK(resnext_session_close(one));
	OK(resnext_session_close(all));
	OK(resnext_model_close(model));
	return 0;
}
