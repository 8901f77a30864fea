/* threads.c: sessions of one model run side by side, one session refuses a second user, and threads come and go. */
#include <pthread.h>
#include <unistd.h>

#include "check.h"

static resnext_model *model;
static resnext_session *shared;
static int stop;

static void *own_session(void *unused)
{
	resnext_session *session = make_session(model, 2);

	(void)unused;
	for (long i = 0; i < rounds(100); i++)
		check_input(session);
	OK(resnext_session_close(session));
	return NULL;
}

/* Uses the shared session and counts how often it was free. */
static void *shared_session(void *counts)
{
	long *count = counts;

	while (!__atomic_load_n(&stop, __ATOMIC_SEQ_CST) || count[0] == 0) {
		float logits[CLASSES];
		memset(logits, 0, sizeof logits);
		resnext_status status = resnext_infer_input(shared, input, sizeof input, logits, CLASSES);
		CHECK(status == RESNEXT_OK || status == RESNEXT_EBUSY, "%d", (int)status);
		count[status != RESNEXT_OK]++;
		if (status == RESNEXT_OK)
			CHECK(memcmp(logits, input_logits, sizeof logits) == 0, "%g", (double)logits[0]);
		else
			CHECK(logits[0] == 0 && strstr(resnext_last_error(), "in use by another thread"), "%s", resnext_last_error());
	}
	return NULL;
}

/* A thread with as little stack as the header asks for opens a model and classifies. */
static void *small_stack(void *unused)
{
	resnext_image image = RESNEXT_IMAGE(RESNEXT_RGB, SIDE, SIDE, input);
	resnext_model *small = open_tiny();
	resnext_session *session = make_session(small, 1);
	resnext_prediction best;
	size_t top = 1;

	(void)unused;
	OK(resnext_classify(session, &image, &best, &top));
	STATUS(RESNEXT_EIO, resnext_model_open("/nowhere", NULL, &small));
	OK(resnext_session_close(session));
	OK(resnext_model_close(small));
	return NULL;
}

static void check_small_stack(void)
{
	pthread_attr_t attributes;
	pthread_t thread;
	size_t size = 64 << 10, least = (size_t)sysconf(_SC_THREAD_STACK_MIN);

	pthread_attr_init(&attributes);
	CHECK(pthread_attr_setstacksize(&attributes, size < least ? least : size) == 0, "stack");
	CHECK(pthread_create(&thread, &attributes, small_stack, NULL) == 0, "%s", strerror(errno));
	pthread_join(thread, NULL);
	pthread_attr_destroy(&attributes);
}

/* Errors belong to the thread that made them. */
static void *own_error(void *unused)
{
	(void)unused;
	CHECK(strcmp(resnext_last_error(), "") == 0, "another thread's error");
	STATUS(RESNEXT_EINVAL, resnext_model_label(model, 77, NULL));
	CHECK(strcmp(resnext_last_error(), "resnext_model_label: label is null") == 0, "words");
	check_input(shared);
	CHECK(strcmp(resnext_last_error(), "resnext_model_label: label is null") == 0, "success has changed the words");
	return NULL;
}

static pthread_key_t last_words_key;

/* A destructor of the program's that runs after the library's own, and fails a call. */
static void last_words(void *unused)
{
	(void)unused;
	STATUS(RESNEXT_EINVAL, resnext_model_label(model, 77, NULL));
	char *other = malloc(1200); /* where the words were, had their memory been given back */
	CHECK(other, "memory");
	memset(other, 'x', 1199);
	other[1199] = 0;
	CHECK(strcmp(resnext_last_error(), "resnext_model_label: label is null") == 0, "words");
	free(other);
}

static void *fails_to_the_end(void *unused)
{
	STATUS(RESNEXT_EINVAL, resnext_model_label(model, 77, NULL));
	CHECK(pthread_setspecific(last_words_key, &last_words_key) == 0, "key");
	return unused;
}

static void start(pthread_t *thread, void *(*run)(void *), void *argument)
{
	CHECK(pthread_create(thread, NULL, run, argument) == 0, "%s", strerror(errno));
}

static void check_last_words(void)
{
	pthread_t thread;

	STATUS(RESNEXT_EINVAL, resnext_model_label(model, 77, NULL)); /* the library's key is the older one */
	CHECK(pthread_key_create(&last_words_key, last_words) == 0, "key");
	start(&thread, fails_to_the_end, NULL);
	pthread_join(thread, NULL);
	pthread_key_delete(last_words_key);
}

static void check_busy(void)
{
	enum { USERS = 4 };
	pthread_t threads[USERS];
	long counts[USERS][2] = {{0}}, busy_closes = 0;
	int refused = 0;

	for (int i = 0; i < USERS; i++)
		start(&threads[i], shared_session, counts[i]);
	/* Until every thread has had it, and somebody was refused. */
	while (!refused) {
		for (int i = 0; i < USERS; i++)
			refused |= __atomic_load_n(&counts[i][1], __ATOMIC_SEQ_CST) > 0;
	}
	__atomic_store_n(&stop, 1, __ATOMIC_SEQ_CST);
	for (int i = 0; i < USERS; i++)
		pthread_join(threads[i], NULL);

	/* Closing is refused while a thread infers, and works once it does not. */
	stop = 0;
	counts[0][0] = 0;
	start(&threads[0], shared_session, counts[0]);
	resnext_session *other = make_session(model, 1);
	for (;;) {
		STATUS(RESNEXT_OK, resnext_session_close(other));
		other = make_session(model, 1);
		uint32_t n;
		OK(resnext_session_threads(shared, &n)); /* needs no turn */
		CHECK(n == 1, "%u", n);
		if (++busy_closes > 50 && __atomic_load_n(&counts[0][0], __ATOMIC_SEQ_CST) > 0)
			break;
	}
	__atomic_store_n(&stop, 1, __ATOMIC_SEQ_CST);
	pthread_join(threads[0], NULL);
	OK(resnext_session_close(other));
}

/* Infers until the session is closed under its hands. */
static int inferring;

static void *until_closed(void *session)
{
	float logits[CLASSES];

	while (resnext_infer_input(session, input, sizeof input, logits, CLASSES) != RESNEXT_EHANDLE)
		__atomic_store_n(&inferring, 1, __ATOMIC_SEQ_CST);
	return NULL;
}

static void check_close(void)
{
	pthread_t thread;
	int busy = 0;

	/* Closing meets an inference most of the times, once the thread is at it; on a busy machine it takes more rounds. */
	for (int round = 0; round < 10000 && !(busy && round > 20); round++) {
		resnext_session *session = make_session(model, 1);
		resnext_status status;
		__atomic_store_n(&inferring, 0, __ATOMIC_SEQ_CST);
		start(&thread, until_closed, session);
		while (!__atomic_load_n(&inferring, __ATOMIC_SEQ_CST))
			;
		while ((status = resnext_session_close(session)) == RESNEXT_EBUSY)
			busy = 1;
		STATUS(RESNEXT_OK, status);
		pthread_join(thread, NULL);
	}
	CHECK(busy, "the session was never busy");
}

int main(void)
{
	pthread_t threads[300];

	read_input();
	model = open_tiny();
	shared = make_session(model, 1);
	for (int i = 0; i < 6; i++)
		start(&threads[i], own_session, NULL);
	for (int i = 0; i < 6; i++)
		pthread_join(threads[i], NULL);
	check_small_stack();
	check_last_words();
	check_busy();
	check_close();
	for (int i = 0; i < 300; i++) {
		start(&threads[i], own_error, NULL);
		pthread_join(threads[i], NULL);
	}
	OK(resnext_session_close(shared));
	OK(resnext_model_close(model));
	return 0;
}
