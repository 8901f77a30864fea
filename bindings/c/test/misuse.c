/* misuse.c: null pointers, unusable memory, and handles that are closed, of the other kind or none at all give a
 * status from every function that takes them, with words, and write nothing. For wrong sizes see sizes.c. */
#include <sys/mman.h>
#include <unistd.h>

#include "fails.h"

static resnext_model *model;
static resnext_session *session;

static void check_nulls(void)
{
	resnext_image image = RESNEXT_IMAGE(RESNEXT_RGB, SIDE, SIDE, input), none = image;
	size_t top = CLASSES;
	resnext_model_info info = {0};

	info.size = sizeof info;
	none.pixels = NULL;
	FAILS(RESNEXT_EINVAL, resnext_model_open(NULL, NULL, &out.model));
	FAILS(RESNEXT_EINVAL, resnext_model_open(TINY, NULL, NULL));
	FAILS(RESNEXT_EINVAL, resnext_model_open_memory(NULL, 9, NULL, &out.model));
	FAILS(RESNEXT_EINVAL, resnext_model_open_memory(input, 9, NULL, NULL));
	FAILS(RESNEXT_EINVAL, resnext_model_open_fd(0, NULL, NULL));
	FAILS(RESNEXT_EINVAL, resnext_model_get_info(NULL, &info));
	FAILS(RESNEXT_EINVAL, resnext_model_get_info(model, NULL));
	FAILS(RESNEXT_EINVAL, resnext_model_label(NULL, 0, &out.label));
	FAILS(RESNEXT_EINVAL, resnext_model_label(model, 0, NULL));
	FAILS(RESNEXT_EINVAL, resnext_model_head(NULL, &out.head));
	FAILS(RESNEXT_EINVAL, resnext_model_head(model, NULL));
	FAILS(RESNEXT_EINVAL, resnext_model_features(NULL, &out.count));
	FAILS(RESNEXT_EINVAL, resnext_model_features(model, NULL));
	FAILS(RESNEXT_EINVAL, resnext_session_new(NULL, NULL, &out.session));
	FAILS(RESNEXT_EINVAL, resnext_session_new(model, NULL, NULL));
	FAILS(RESNEXT_EINVAL, resnext_session_threads(NULL, &out.threads));
	FAILS(RESNEXT_EINVAL, resnext_session_threads(session, NULL));
	FAILS(RESNEXT_EINVAL, resnext_infer(NULL, &image, out.logits, CLASSES));
	FAILS(RESNEXT_EINVAL, resnext_infer(session, NULL, out.logits, CLASSES));
	FAILS(RESNEXT_EINVAL, resnext_infer(session, &none, out.logits, CLASSES));
	FAILS(RESNEXT_EINVAL, resnext_infer(session, &image, NULL, CLASSES));
	FAILS(RESNEXT_EINVAL, resnext_infer_input(NULL, input, INPUT, out.logits, CLASSES));
	FAILS(RESNEXT_EINVAL, resnext_infer_input(session, NULL, INPUT, out.logits, CLASSES));
	FAILS(RESNEXT_EINVAL, resnext_infer_input(session, input, INPUT, NULL, CLASSES));
	FAILS(RESNEXT_EINVAL, resnext_embed(NULL, &image, out.features, FEATURES));
	FAILS(RESNEXT_EINVAL, resnext_embed(session, NULL, out.features, FEATURES));
	FAILS(RESNEXT_EINVAL, resnext_embed(session, &none, out.features, FEATURES));
	FAILS(RESNEXT_EINVAL, resnext_embed(session, &image, NULL, FEATURES));
	FAILS(RESNEXT_EINVAL, resnext_embed_input(NULL, input, INPUT, out.features, FEATURES));
	FAILS(RESNEXT_EINVAL, resnext_embed_input(session, NULL, INPUT, out.features, FEATURES));
	FAILS(RESNEXT_EINVAL, resnext_embed_input(session, input, INPUT, NULL, FEATURES));
	FAILS(RESNEXT_EINVAL, resnext_infer_batch(NULL, &image, 1, out.logits, CLASSES));
	FAILS(RESNEXT_EINVAL, resnext_infer_batch(session, NULL, 1, out.logits, CLASSES));
	FAILS(RESNEXT_EINVAL, resnext_infer_batch(session, &none, 1, out.logits, CLASSES));
	FAILS(RESNEXT_EINVAL, resnext_infer_batch(session, &image, 1, NULL, CLASSES));
	FAILS(RESNEXT_EINVAL, resnext_embed_batch(NULL, &image, 1, out.features, FEATURES));
	FAILS(RESNEXT_EINVAL, resnext_embed_batch(session, NULL, 1, out.features, FEATURES));
	FAILS(RESNEXT_EINVAL, resnext_embed_batch(session, &none, 1, out.features, FEATURES));
	FAILS(RESNEXT_EINVAL, resnext_embed_batch(session, &image, 1, NULL, FEATURES));
	FAILS(RESNEXT_EINVAL, resnext_classify(NULL, &image, out.best, &top));
	FAILS(RESNEXT_EINVAL, resnext_classify(session, NULL, out.best, &top));
	FAILS(RESNEXT_EINVAL, resnext_classify(session, &none, out.best, &top));
	FAILS(RESNEXT_EINVAL, resnext_classify(session, &image, NULL, &top));
	FAILS(RESNEXT_EINVAL, resnext_classify(session, &image, out.best, NULL));
	FAILS(RESNEXT_EINVAL, resnext_softmax(NULL, CLASSES, out.logits));
	FAILS(RESNEXT_EINVAL, resnext_softmax(input_logits, CLASSES, NULL));
	FAILS(RESNEXT_EINVAL, resnext_sigmoid(NULL, CLASSES, out.logits));
	FAILS(RESNEXT_EINVAL, resnext_sigmoid(input_logits, CLASSES, NULL));
	FAILS(RESNEXT_EINVAL, resnext_top(NULL, CLASSES, out.best, &top));
	FAILS(RESNEXT_EINVAL, resnext_top(input_logits, CLASSES, NULL, &top));
	FAILS(RESNEXT_EINVAL, resnext_top(input_logits, CLASSES, out.best, NULL));
	CHECK(top == CLASSES, "%zu", top);
}

/* Handles that are none: each function must refuse them without following them. */
static void check_handle(void *bad, const char *words)
{
	resnext_model *m = bad;
	resnext_session *s = bad;
	resnext_image image = RESNEXT_IMAGE(RESNEXT_RGB, SIDE, SIDE, input);
	resnext_model_info info = {0};
	size_t top = 1;

	info.size = sizeof info;
	FAILS(RESNEXT_EHANDLE, resnext_model_get_info(m, &info));
	CHECK(strstr(resnext_last_error(), words), "expected: %s", words);
	FAILS(RESNEXT_EHANDLE, resnext_model_label(m, 0, &out.label));
	FAILS(RESNEXT_EHANDLE, resnext_model_head(m, &out.head));
	FAILS(RESNEXT_EHANDLE, resnext_model_features(m, &out.count));
	FAILS(RESNEXT_EHANDLE, resnext_session_new(m, NULL, &out.session));
	FAILS(RESNEXT_EHANDLE, resnext_session_threads(s, &out.threads));
	FAILS(RESNEXT_EHANDLE, resnext_infer(s, &image, out.logits, CLASSES));
	FAILS(RESNEXT_EHANDLE, resnext_infer_input(s, input, INPUT, out.logits, CLASSES));
	FAILS(RESNEXT_EHANDLE, resnext_embed(s, &image, out.features, FEATURES));
	FAILS(RESNEXT_EHANDLE, resnext_embed_input(s, input, INPUT, out.features, FEATURES));
	FAILS(RESNEXT_EHANDLE, resnext_infer_batch(s, &image, 1, out.logits, CLASSES));
	FAILS(RESNEXT_EHANDLE, resnext_embed_batch(s, &image, 1, out.features, FEATURES));
	FAILS(RESNEXT_EHANDLE, resnext_classify(s, &image, out.best, &top));
	CHECK(strstr(resnext_last_error(), words), "expected: %s", words);
	CHECK(top == 1, "%zu", top);
	if (bad != model)
		FAILS(RESNEXT_EHANDLE, resnext_model_close(m));
	if (bad != session)
		FAILS(RESNEXT_EHANDLE, resnext_session_close(s));
}

static void check_handles(void)
{
	resnext_model *closed_model = open_tiny();
	resnext_session *closed_session = make_session(model, 1);
	int on_stack = 0;
	void *on_heap = calloc(1, 4096);

	OK(resnext_model_close(closed_model));
	OK(resnext_session_close(closed_session));
	check_handle(closed_model, "the model was closed before");
	check_handle(closed_session, "the session was closed before");
	uintptr_t invented[] = {1, 8, (uintptr_t)&on_stack, (uintptr_t)on_heap, (uintptr_t)check_nulls, UINTPTR_MAX,
		UINTPTR_MAX - 7, (uintptr_t)closed_model + 1, (uintptr_t)closed_session + 2000};
	for (size_t i = 0; i < sizeof invented / sizeof *invented; i++)
		check_handle((void *)invented[i], "of this library");
	free(on_heap);

	/* The other kind. */
	resnext_model_info info = {0};
	size_t top = 1;
	resnext_image image = RESNEXT_IMAGE(RESNEXT_RGB, SIDE, SIDE, input);
	info.size = sizeof info;
	FAILS(RESNEXT_EHANDLE, resnext_model_get_info((resnext_model *)session, &info));
	FAILS(RESNEXT_EHANDLE, resnext_model_label((resnext_model *)session, 0, &out.label));
	FAILS(RESNEXT_EHANDLE, resnext_model_close((resnext_model *)session));
	FAILS(RESNEXT_EHANDLE, resnext_session_new((resnext_model *)session, NULL, &out.session));
	FAILS(RESNEXT_EHANDLE, resnext_session_threads((resnext_session *)model, &out.threads));
	FAILS(RESNEXT_EHANDLE, resnext_session_close((resnext_session *)model));
	FAILS(RESNEXT_EHANDLE, resnext_model_head((resnext_model *)session, &out.head));
	FAILS(RESNEXT_EHANDLE, resnext_model_features((resnext_model *)session, &out.count));
	FAILS(RESNEXT_EHANDLE, resnext_embed((resnext_session *)model, &image, out.features, FEATURES));
	FAILS(RESNEXT_EHANDLE, resnext_embed_input((resnext_session *)model, input, INPUT, out.features, FEATURES));
	FAILS(RESNEXT_EHANDLE, resnext_infer_batch((resnext_session *)model, &image, 1, out.logits, CLASSES));
	FAILS(RESNEXT_EHANDLE, resnext_embed_batch((resnext_session *)model, &image, 1, out.features, FEATURES));
	FAILS(RESNEXT_EHANDLE, resnext_infer((resnext_session *)model, &image, out.logits, CLASSES));
	FAILS(RESNEXT_EHANDLE, resnext_infer_input((resnext_session *)model, input, INPUT, out.logits, CLASSES));
	FAILS(RESNEXT_EHANDLE, resnext_classify((resnext_session *)model, &image, out.best, &top));

	/* Null is nothing to close. */
	OK(resnext_model_close(NULL));
	OK(resnext_session_close(NULL));
}

/* Memory that cannot be read or written, such as a mapped file that was cut short meanwhile. */
static void check_unusable_memory(void)
{
	FILE *file = tmpfile();
	CHECK(file && ftruncate(fileno(file), 1 << 16) == 0, "%s", strerror(errno));
	void *mapped = mmap(NULL, 1 << 16, PROT_READ, MAP_SHARED, fileno(file), 0);
	void *closed = mmap(NULL, 1 << 16, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(mapped != MAP_FAILED && closed != MAP_FAILED && ftruncate(fileno(file), 0) == 0, "%s", strerror(errno));
	resnext_image image = RESNEXT_IMAGE(RESNEXT_RGB, SIDE, SIDE, closed);

	/* The emulator does not tell where a bus error was. */
	FAILS(getenv("RESNEXT_TEST_RUN") ? RESNEXT_EINTERNAL : RESNEXT_EINVAL,
		resnext_model_open_memory(mapped, 1 << 16, NULL, &out.model));
	FAILS(UNUSABLE, resnext_model_open_memory(closed, 1 << 16, NULL, &out.model));
	CHECK(!faults_are_told() || strstr(resnext_last_error(), "resnext_model_open_memory: the memory at 0x"), "words");
	FAILS(UNUSABLE, resnext_infer_input(session, closed, INPUT, out.logits, CLASSES));
	FAILS(UNUSABLE, resnext_infer_input(session, input, INPUT, closed, CLASSES));
	FAILS(UNUSABLE, resnext_infer(session, &image, out.logits, CLASSES));
	resnext_image two[2] = {RESNEXT_IMAGE(RESNEXT_RGB, SIDE, SIDE, input), image};
	FAILS(UNUSABLE, resnext_embed(session, &image, out.features, FEATURES));
	FAILS(UNUSABLE, resnext_embed_input(session, input, INPUT, closed, FEATURES));
	FAILS(UNUSABLE, resnext_embed_batch(session, two, 2, out.many, 2 * FEATURES));
	two[1].pixels = input;
	FAILS(UNUSABLE, resnext_embed_batch(session, two, 2, closed, 2 * FEATURES));
	image.format = RESNEXT_BGR;
	FAILS(UNUSABLE, resnext_infer(session, &image, out.logits, CLASSES));
	image.format = RESNEXT_NV12, image.pixels = input, image.chroma = closed;
	FAILS(UNUSABLE, resnext_infer(session, &image, out.logits, CLASSES));
	FAILS(UNUSABLE, resnext_softmax(closed, CLASSES, out.logits));
	FAILS(UNUSABLE, resnext_sigmoid(closed, CLASSES, out.logits));
	check_input(session); /* which is free again */
	munmap(mapped, 1 << 16);
	munmap(closed, 1 << 16);
	fclose(file);
}

int main(void)
{
	CHECK(strcmp(resnext_last_error(), "") == 0, "an error before any");
	read_input();
	model = open_tiny();
	session = make_session(model, 1);
	check_nulls();
	check_handles();
	check_unusable_memory();
	check_input(session); /* it still works */

	uint32_t threads;
	resnext_session *many = make_session(model, UINT32_MAX);
	OK(resnext_session_threads(many, &threads));
	CHECK(threads >= 1 && threads <= (uint32_t)sysconf(_SC_NPROCESSORS_ONLN), "%u", threads);
	OK(resnext_session_close(many));
	STATUS(RESNEXT_EHANDLE, resnext_session_close(many));
	CHECK(strstr(resnext_last_error(), "resnext_session_close: the session was closed before"), "words");
	OK(resnext_session_close(session));
	OK(resnext_model_close(model));
	STATUS(RESNEXT_EHANDLE, resnext_model_close(model));
	return 0;
}
