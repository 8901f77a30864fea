/* growth.c: opening and closing, inferring, failing and short-lived threads leave nothing behind: no descriptor, no thread,
 * no memory. */
#include <dirent.h>
#include <pthread.h>

#include "check.h"

static int entries(const char *folder)
{
	DIR *d = opendir(folder);
	int n = 0;

	CHECK(d, "%s: %s", folder, strerror(errno));
	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

/* Resident memory in KiB. */
static long resident(void)
{
	long total, pages;
	FILE *f = fopen("/proc/self/statm", "r");

	CHECK(f && fscanf(f, "%ld %ld", &total, &pages) == 2, "statm");
	fclose(f);
	return pages * 4;
}

static resnext_model *model;
static resnext_session *session, *two; /* of one thread and of two */

static void open_close(void)
{
	resnext_model *m = open_tiny();
	resnext_session *s = make_session(m, 2);

	check_input(s);
	OK(resnext_session_close(s));
	OK(resnext_model_close(m));
}

static void infer(void) { check_input(session); }

static void infer_batch(void)
{
	resnext_image images[5];
	float features[5 * FEATURES];

	for (int i = 0; i < 5; i++)
		images[i] = (resnext_image)RESNEXT_IMAGE(RESNEXT_GRAY, SIDE + i, SIDE, input);
	OK(resnext_embed_batch(two, images, 5, features, 5 * FEATURES));
}

static void infer_yuyv(void)
{
	static unsigned char pixels[64 * 48 * 2];
	resnext_image image = RESNEXT_IMAGE(RESNEXT_YUYV, 64, 48, pixels);
	float logits[CLASSES];

	OK(resnext_infer(session, &image, logits, CLASSES));
}

static void fail(void)
{
	resnext_model *m;

	STATUS(RESNEXT_EMODEL, resnext_model_open_memory(input, INPUT, NULL, &m));
}

static void *call(void *unused)
{
	uint32_t threads;

	(void)unused;
	OK(resnext_session_threads(session, &threads));
	STATUS(RESNEXT_EINVAL, resnext_session_threads(session, NULL));
	return NULL;
}

static void thread(void)
{
	pthread_t t;

	CHECK(pthread_create(&t, NULL, call, NULL) == 0, "%s", strerror(errno));
	pthread_join(t, NULL);
}

/* Does it a tenth as often to warm up, then in full, and compares. */
static void steady(const char *name, void (*work)(void), long times, long most_kib)
{
	if (getenv("RESNEXT_TEST_RUN")) /* the emulator's own memory is counted along: 24 bytes for each page that ever was */
		most_kib += 1 << 18;
	for (long i = 0; i < times / 10 + 20; i++)
		work();
	int descriptors = entries("/proc/self/fd"), tasks = entries("/proc/self/task");
	long before = resident();
	for (long i = 0; i < times; i++)
		work();
	long grown = resident() - before;
	if (getenv("RESNEXT_TEST_VERBOSE"))
		printf("%ld x %s: %ld KiB more of %ld, %d threads\n", times, name, grown, before, tasks - 2);
	CHECK(entries("/proc/self/fd") == descriptors, "%s: descriptors leak: %d, then %d", name, descriptors, entries("/proc/self/fd"));
	/* Go keeps threads that have waited in the system, of which a busy machine makes some more; a leak would be hundreds. */
	CHECK(entries("/proc/self/task") <= tasks + 20, "%s: threads leak: %d, then %d", name, tasks, entries("/proc/self/task"));
	CHECK(grown <= most_kib, "%s: %ld KiB more after %ld times", name, grown, times);
}

int main(void)
{
	read_input();
	model = open_tiny();
	session = make_session(model, 1);
	steady("open and close", open_close, rounds(1000), 4096);
	steady("inference", infer, rounds(100000), 1024);
	steady("inference of YUYV", infer_yuyv, rounds(5000), 1024);
	two = make_session(model, 2);
	steady("a batch", infer_batch, rounds(2000), 1024);
	OK(resnext_session_close(two));
	steady("error", fail, rounds(5000), 8192);
	steady("thread", thread, rounds(2000), 1024);
	OK(resnext_session_close(session));
	OK(resnext_model_close(model));
	return 0;
}
