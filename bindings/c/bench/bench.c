/* bench.c: what a Go library costs a C program: time and memory to load it and to start it, and time for each call,
 * beside the time of an inference.
 *
 *     bench MODEL
 *
 * Times of calls are the smallest mean of many batches, which other work on the machine disturbs least. */
#include <dirent.h>
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "resnext.h"

static __typeof__(resnext_model_open) *model_open;
static __typeof__(resnext_model_get_info) *get_info;
static __typeof__(resnext_session_new) *session_new;
static __typeof__(resnext_session_threads) *session_threads;
static __typeof__(resnext_infer_input) *infer_input;
static __typeof__(resnext_softmax) *softmax;
static __typeof__(resnext_abi_version) *abi_version;
static __typeof__(resnext_last_error) *last_error;
static __typeof__(resnext_cpu_features) *cpu_features;

static double now(void) /* in nanoseconds */
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static long resident(void) /* in KiB */
{
	long total, pages = 0;
	FILE *f = fopen("/proc/self/statm", "r");

	if (!f || fscanf(f, "%ld %ld", &total, &pages) != 2)
		exit(1);
	fclose(f);
	return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

static int threads(void)
{
	DIR *tasks = opendir("/proc/self/task");
	int n = -2; /* . and .. */

	while (tasks && readdir(tasks))
		n++;
	closedir(tasks);
	return n;
}

static resnext_session *session;
static unsigned char *rgb;
static size_t length;
static float *logits;
static size_t classes;

static void call_none(void) { abi_version(); }
static void call_go(void)
{
	uint32_t n;
	session_threads(session, &n);
}
static void call_softmax(void)
{
	float numbers[10] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
	softmax(numbers, 10, numbers);
}
static void call_infer(void)
{
	if (infer_input(session, rgb, length, logits, classes) != RESNEXT_OK)
		exit(1);
}

/* The nanoseconds of one call. */
static double measure(void (*call)(void), int batches, int batch)
{
	double best = 0;

	for (int i = 0; i < batches; i++) {
		double begin = now();
		for (int j = 0; j < batch; j++)
			call();
		double mean = (now() - begin) / batch;
		if (i == 0 || mean < best)
			best = mean;
	}
	return best;
}

static void find(void *library)
{
	*(void **)&model_open = dlsym(library, "resnext_model_open");
	*(void **)&get_info = dlsym(library, "resnext_model_get_info");
	*(void **)&session_new = dlsym(library, "resnext_session_new");
	*(void **)&session_threads = dlsym(library, "resnext_session_threads");
	*(void **)&infer_input = dlsym(library, "resnext_infer_input");
	*(void **)&softmax = dlsym(library, "resnext_softmax");
	*(void **)&abi_version = dlsym(library, "resnext_abi_version");
	*(void **)&last_error = dlsym(library, "resnext_last_error");
	*(void **)&cpu_features = dlsym(library, "resnext_cpu_features");
}

static void report_step(const char *name, double begin, long memory)
{
	printf("%-34s %9.2f ms %8ld KiB more %4d threads\n", name, (now() - begin) / 1e6, resident() - memory, threads());
}

int main(int argc, char **argv)
{
	resnext_model *model;
	resnext_model_info info;
	resnext_session_options one = {sizeof one, 1, 0};

	if (argc != 2) {
		fprintf(stderr, "usage: bench MODEL\n");
		return 2;
	}
	long memory = resident();
	double begin = now();
	void *library = dlopen("libresnext.so.0", RTLD_NOW | RTLD_LOCAL);
	if (!library) {
		fprintf(stderr, "bench: %s\n", dlerror());
		return 1;
	}
	find(library);
	report_step("loading the library", begin, memory);
	memory = resident(), begin = now();
	cpu_features();
	report_step("the first call, which starts Go", begin, memory);
	memory = resident(), begin = now();
	if (model_open(argv[1], NULL, &model) != RESNEXT_OK || session_new(model, &one, &session) != RESNEXT_OK) {
		fprintf(stderr, "bench: %s\n", last_error());
		return 1;
	}
	report_step("opening the model, a session", begin, memory);

	info.size = sizeof info;
	get_info(model, &info);
	classes = info.classes;
	length = (size_t)info.width * info.height * 3;
	rgb = calloc(length, 1);
	logits = calloc(classes, sizeof *logits);
	if (!rgb || !logits)
		return 1;
	for (size_t i = 0; i < length; i++)
		rgb[i] = (unsigned char)(i * 7);
	call_infer();

	double none = measure(call_none, 50, 10000), go = measure(call_go, 200, 1000), soft = measure(call_softmax, 200, 1000);
	int batch = info.macs > 100000000 ? 1 : 20;
	double inference = measure(call_infer, 50, batch);
	printf("%-34s %9.1f ns\n", "a call that needs no Go", none);
	printf("%-34s %9.1f ns\n", "a call into Go and back", go);
	printf("%-34s %9.1f ns\n", "softmax of 10 logits", soft);
	printf("%-34s %9.1f us, of which the call is %.3f%%\n", "an inference on one thread", inference / 1e3, 100 * go / inference);
	return 0;
}
