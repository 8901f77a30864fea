/* sizes.c: wrong sizes, counts, formats and strides give a status from every function that takes them, with words, and write
 * nothing; structs of other versions are understood. */
#include <math.h>
#include <unistd.h>

#include "fails.h"

static resnext_model *model;
static resnext_session *session;

static void check_images(void)
{
	static unsigned char pixels[SIDE * SIDE * 4];
	const resnext_image good = RESNEXT_IMAGE(RESNEXT_RGB, SIDE, SIDE, pixels);
	const size_t huge = SIZE_MAX, half = SIZE_MAX / 2, beyond = SIZE_MAX - (uintptr_t)pixels;
	size_t top = CLASSES;
	resnext_image bad[64];
	size_t n = 0;

#define BAD(change)                    \
	do {                           \
		resnext_image image = good; \
		change;                \
		bad[n++] = image;      \
	} while (0)
	BAD(image.size = 0);
	BAD(image.size--);
	BAD(image.size = huge);
	BAD(image.reserved = 1);
	BAD(image.reserved = UINT32_MAX);
	BAD(image.format = 0);
	BAD(image.format = -1);
	BAD(image.format = 8);
	BAD(image.format = INT32_MAX);
	BAD(image.format = INT32_MIN);
	BAD(image.width = 0);
	BAD(image.height = 0);
	BAD(image.width = 16385);
	BAD(image.height = 16385);
	BAD(image.width = UINT32_MAX);
	BAD(image.height = UINT32_MAX);
	BAD(image.width = UINT32_MAX; image.height = UINT32_MAX);
	BAD(image.width = image.height = 16384);
	BAD(image.stride = 1);
	BAD(image.stride = SIDE * 3 - 1);
	BAD(image.stride = huge);
	BAD(image.stride = half);
	BAD(image.stride = half / (SIDE - 2));
	BAD(image.stride = beyond / (SIDE - 2));
	BAD(image.format = RESNEXT_RGBA; image.stride = SIDE * 3);
	BAD(image.format = RESNEXT_YUYV; image.width = 31);
	BAD(image.format = RESNEXT_NV12; image.width = 31; image.stride = 31);
	BAD(image.format = RESNEXT_NV12; image.chroma_stride = SIDE - 1);
	BAD(image.format = RESNEXT_NV12; image.chroma_stride = huge);
	BAD(image.format = RESNEXT_NV12; image.chroma = (void *)UINTPTR_MAX);
	BAD(image.format = RESNEXT_NV12; image.stride = beyond / (SIDE - 1));
	for (size_t i = 0; i < n; i++) {
		FAILS(RESNEXT_EINVAL, resnext_infer(session, &bad[i], out.logits, CLASSES));
		FAILS(RESNEXT_EINVAL, resnext_embed(session, &bad[i], out.features, FEATURES));
		FAILS(RESNEXT_EINVAL, resnext_infer_batch(session, &bad[i], 1, out.logits, CLASSES));
		FAILS(RESNEXT_EINVAL, resnext_classify(session, &bad[i], out.best, &top));
		CHECK(top == CLASSES, "%zu", top);
	}
}

static void check_sizes(void)
{
	resnext_model_options model_options = {0};
	resnext_session_options session_options = {0};
	resnext_image image = RESNEXT_IMAGE(RESNEXT_RGB, SIDE, SIDE, input);
	resnext_model_info info = {0};
	float odd[3] = {1, NAN, 2};
	size_t top = 0, length;

	FAILS(RESNEXT_EINVAL, resnext_model_open(TINY, &model_options, &out.model));
	FAILS(RESNEXT_EINVAL, resnext_session_new(model, &session_options, &out.session));
	session_options.size = sizeof session_options;
	session_options.reserved = 1;
	FAILS(RESNEXT_EINVAL, resnext_session_new(model, &session_options, &out.session));
	CHECK(strstr(resnext_last_error(), "options->reserved is 1"), "words");
	model_options.size = SIZE_MAX;
	FAILS(RESNEXT_EINVAL, resnext_model_open(TINY, &model_options, &out.model));
	model_options.size = sizeof model_options;
	model_options.kernels = "abacus";
	FAILS(RESNEXT_EKERNELS, resnext_model_open(TINY, &model_options, &out.model));
	model_options.kernels = NULL;
	model_options.memory_limit = 1;
	FAILS(RESNEXT_ENOMEM, resnext_model_open(TINY, &model_options, &out.model));
	CHECK(strstr(resnext_last_error(), "over the memory limit"), "%s", resnext_last_error());
	model_options.memory_limit = UINT64_MAX;
	FAILS(RESNEXT_EINVAL, resnext_model_open(TINY, &model_options, &out.model));
	FAILS(RESNEXT_EINVAL, resnext_model_open("", NULL, &out.model));
	FAILS(RESNEXT_EIO, resnext_model_open("/nowhere/at/all", NULL, &out.model));
	FAILS(RESNEXT_EIO, resnext_model_open(".", NULL, &out.model));
	FAILS(RESNEXT_EMODEL, resnext_model_open("cases.txt", NULL, &out.model));
	FAILS(RESNEXT_EINVAL, resnext_model_open_fd(-1, NULL, &out.model));
	FAILS(RESNEXT_EIO, resnext_model_open_fd(12345, NULL, &out.model));
	int pipes[2];
	CHECK(pipe(pipes) == 0, "pipe");
	FAILS(RESNEXT_EIO, resnext_model_open_fd(pipes[0], NULL, &out.model));
	FAILS(RESNEXT_EMODEL, resnext_model_open_memory(input, 0, NULL, &out.model));
	FAILS(RESNEXT_EMODEL, resnext_model_open_memory(input, INPUT, NULL, &out.model));
	FAILS(RESNEXT_EINVAL, resnext_model_open_memory(input, SIZE_MAX, NULL, &out.model));
	FAILS(RESNEXT_EINVAL, resnext_model_label(model, CLASSES, &out.label));
	FAILS(RESNEXT_EINVAL, resnext_model_label(model, UINT32_MAX, &out.label));
	for (length = 0; length < INPUT + 10; length += length == INPUT - 1 ? 2 : 1)
		FAILS(RESNEXT_EINVAL, resnext_infer_input(session, input, length, out.logits, CLASSES));
	FAILS(RESNEXT_EINVAL, resnext_infer_input(session, input, SIZE_MAX, out.logits, CLASSES));
	for (size_t count = 0; count < FEATURES + 3; count += count == FEATURES - 1 ? 2 : 1) {
		FAILS(RESNEXT_EINVAL, resnext_embed(session, &image, out.features, count));
		FAILS(RESNEXT_EINVAL, resnext_embed_input(session, input, INPUT, out.features, count));
	}
	FAILS(RESNEXT_EINVAL, resnext_embed_input(session, input, INPUT - 1, out.features, FEATURES));
	FAILS(RESNEXT_EINVAL, resnext_embed_input(session, input, SIZE_MAX, out.features, FEATURES));
	FAILS(RESNEXT_EINVAL, resnext_embed(session, &image, out.features, SIZE_MAX));
	for (size_t count = 0; count < 10; count += count == CLASSES - 1 ? 2 : 1) {
		FAILS(RESNEXT_EINVAL, resnext_infer_input(session, input, INPUT, out.logits, count));
		FAILS(RESNEXT_EINVAL, resnext_infer(session, &image, out.logits, count));
	}
	FAILS(RESNEXT_EINVAL, resnext_infer(session, &image, out.logits, SIZE_MAX));
	FAILS(RESNEXT_EINVAL, resnext_classify(session, &image, out.best, &top));
	FAILS(RESNEXT_EINVAL, resnext_top(input_logits, CLASSES, out.best, &top));
	top = 1;
	FAILS(RESNEXT_EINVAL, resnext_top(input_logits, 0, out.best, &top));
	FAILS(RESNEXT_EINVAL, resnext_top(input_logits, SIZE_MAX, out.best, &top));
	FAILS(RESNEXT_EINVAL, resnext_top(odd, 3, out.best, &top));
	FAILS(RESNEXT_EINVAL, resnext_softmax(odd, 3, out.logits));
	FAILS(RESNEXT_EINVAL, resnext_sigmoid(odd, 3, out.logits));
	odd[1] = -INFINITY;
	FAILS(RESNEXT_EINVAL, resnext_sigmoid(odd, 3, out.logits));
	FAILS(RESNEXT_EINVAL, resnext_sigmoid(input_logits, 0, out.logits));
	FAILS(RESNEXT_EINVAL, resnext_sigmoid(input_logits, SIZE_MAX, out.logits));
	FAILS(RESNEXT_EINVAL, resnext_softmax(odd, 3, out.logits));
	FAILS(RESNEXT_EINVAL, resnext_softmax(input_logits, 0, out.logits));
	FAILS(RESNEXT_EINVAL, resnext_softmax(input_logits, SIZE_MAX, out.logits));

	for (size_t size = 0; size < sizeof info; size++) {
		memset(&info, 0x5a, sizeof info);
		info.size = size;
		STATUS(RESNEXT_EINVAL, resnext_model_get_info(model, &info));
		CHECK(info.size == size && info.width == 0x5a5a5a5a, "written");
	}
}

/* Structs of a newer header: longer, and what is new is zero. */
static void check_newer(void)
{
	struct { resnext_model_info info; unsigned char more[40], after; } big;
	struct { resnext_session_options options; uint64_t more; } options = {{0, 1, 0}, 0};

	memset(&big, 0x5a, sizeof big);
	big.info.size = offsetof(__typeof__(big), after);
	OK(resnext_model_get_info(model, &big.info));
	CHECK(big.info.classes == CLASSES && big.more[0] == 0 && big.more[39] == 0 && big.after == 0x5a, "newer info");
	options.options.size = sizeof options;
	OK(resnext_session_new(model, &options.options, &out.session));
	OK(resnext_session_close(out.session));
	options.more = 1;
	FAILS(RESNEXT_EINVAL, resnext_session_new(model, &options.options, &out.session));
	CHECK(strstr(resnext_last_error(), "does not know"), "words");

	struct { resnext_image image; unsigned char more[8]; } newer = {RESNEXT_IMAGE(RESNEXT_RGB, SIDE, SIDE, input), {0}};
	float logits[CLASSES];
	newer.image.size = sizeof newer;
	OK(resnext_infer(session, &newer.image, logits, CLASSES));
	newer.more[7] = 1;
	FAILS(RESNEXT_EINVAL, resnext_infer(session, &newer.image, out.logits, CLASSES));
}

int main(void)
{
	read_input();
	model = open_tiny();
	session = make_session(model, 1);
	check_images();
	check_sizes();
	check_newer();
	check_input(session); /* it still works */
	OK(resnext_session_close(session));
	OK(resnext_model_close(model));
	return 0;
}
