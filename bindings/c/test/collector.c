/* collector.c: Go's collector, which stops all of Go for a moment, waits for no call that takes long, nor a call for
 * it for ever: calls are not interrupted, they let it in. */
#include <pthread.h>

#include "check.h"

enum { LARGE = 1000, THREADS = 3 };

static resnext_model *model;
static int stop;
static long calls;

/* A call that takes very much longer than the collector: a large picture for a small network. */
static void *classify(void *pixels)
{
	resnext_image image = RESNEXT_IMAGE(RESNEXT_RGB, LARGE, LARGE, pixels);
	resnext_session *session = make_session(model, 1);
	resnext_prediction best;
	size_t top = 1;
	float logit = 0;

	for (long n = 0; n < 2 || !__atomic_load_n(&stop, __ATOMIC_SEQ_CST); n++) {
		OK(resnext_classify(session, &image, &best, &top));
		CHECK(n == 0 || best.logit == logit, "%g, expected %g", (double)best.logit, (double)logit);
		logit = best.logit;
		__atomic_add_fetch(&calls, 1, __ATOMIC_SEQ_CST);
	}
	OK(resnext_session_close(session));
	return NULL;
}

static void *infer(void *unused)
{
	resnext_session *session = make_session(model, 1);

	while (!__atomic_load_n(&stop, __ATOMIC_SEQ_CST))
		check_input(session);
	OK(resnext_session_close(session));
	return unused;
}

int main(void)
{
	unsigned char *pixels = calloc(LARGE * LARGE, 3);
	pthread_t threads[THREADS];

	CHECK(pixels, "memory");
	for (size_t i = 0; i < (size_t)LARGE * LARGE * 3; i++)
		pixels[i] = (unsigned char)(i * 2654435761u >> 24);
	read_input();
	model = open_tiny();
	for (int i = 0; i < THREADS; i++)
		CHECK(pthread_create(&threads[i], NULL, i ? classify : infer, pixels) == 0, "%s", strerror(errno));
	/* Each close runs the collector once. */
	for (long i = 0; i < rounds(8) || __atomic_load_n(&calls, __ATOMIC_SEQ_CST) < 2; i++)
		OK(resnext_model_close(open_tiny()));
	__atomic_store_n(&stop, 1, __ATOMIC_SEQ_CST);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	OK(resnext_model_close(model));
	free(pixels);
	return 0;
}
