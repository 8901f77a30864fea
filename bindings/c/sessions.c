//go:build cgo

/* sessions.c: the functions of resnext.h about sessions and inference. Each checks what needs no Go, and enters Go with its
 * other arguments. */
#include <inttypes.h>
#include <stdio.h>

#include "_cgo_export.h"
#include "enter.h"

/* Refuses what may mean something in later versions. */
static resnext_status refuse_reserved(const char *function, const char *name, uint32_t reserved)
{
	return resnextgo_refuse(function, RESNEXT_EINVAL, "%s->reserved is %" PRIu32 ", expected 0", name, reserved);
}

resnext_status resnext_session_new(const resnext_model *model, const resnext_session_options *options,
	resnext_session **session)
{
	resnextgo_call call;
	resnext_status status;
	uintptr_t handle;
	resnext_session_options all = {0};

	NOT_NULL(model);
	NOT_NULL(session);
	if (options) {
		status = resnextgo_take_struct(__func__, "options", options, SESSION_OPTIONS_FIRST, &all, sizeof all);
		if (status != RESNEXT_OK)
			return status;
		if (all.reserved)
			return refuse_reserved(__func__, "options", all.reserved);
	}
	GO(resnextgo_session_new(&call.words, (uintptr_t)model, all.threads, &handle));
	if (status == RESNEXT_OK)
		*session = (resnext_session *)handle;
	return status;
}

resnext_status resnext_session_threads(const resnext_session *session, uint32_t *threads)
{
	resnextgo_call call;
	resnext_status status;

	NOT_NULL(session);
	NOT_NULL(threads);
	GO(resnextgo_session_threads(&call.words, (uintptr_t)session, threads));
	return status;
}

resnext_status resnext_session_close(resnext_session *session)
{
	resnextgo_call call;
	resnext_status status;

	if (!session)
		return RESNEXT_OK;
	GO(resnextgo_session_close(&call.words, (uintptr_t)session));
	return status;
}

/* Copies an image that is not null, and checks it as far as that needs no Go. */
static resnext_status take_image(const char *function, const char *name, const resnext_image *image, resnext_image *all)
{
	resnext_status status = resnextgo_take_struct(function, name, image, IMAGE_FIRST, all, sizeof *all);

	if (status == RESNEXT_OK && !all->pixels)
		return resnextgo_refuse(function, RESNEXT_EINVAL, "%s->pixels is null", name);
	if (status == RESNEXT_OK && all->reserved)
		return refuse_reserved(function, name, all->reserved);
	return status;
}

/* The answers that a session gives, see export_session.go. */
enum { LOGITS, FEATURES };

resnext_status resnext_infer(resnext_session *session, const resnext_image *image, float *logits, size_t count)
{
	resnextgo_call call;
	resnext_image all;

	NOT_NULL(session);
	NOT_NULL(image);
	NOT_NULL(logits);
	resnext_status status = take_image(__func__, "image", image, &all);
	if (status != RESNEXT_OK)
		return status;
	GO(resnextgo_infer(&call.words, (uintptr_t)session, LOGITS, &all, logits, count));
	return status;
}

resnext_status resnext_infer_input(resnext_session *session, const void *rgb, size_t length, float *logits, size_t count)
{
	resnextgo_call call;
	resnext_status status;

	NOT_NULL(session);
	NOT_NULL(rgb);
	NOT_NULL(logits);
	CHECK_LENGTH(length);
	GO(resnextgo_infer_input(&call.words, (uintptr_t)session, LOGITS, (void *)rgb, length, logits, count));
	return status;
}

resnext_status resnext_embed(resnext_session *session, const resnext_image *image, float *features, size_t count)
{
	resnextgo_call call;
	resnext_image all;

	NOT_NULL(session);
	NOT_NULL(image);
	NOT_NULL(features);
	resnext_status status = take_image(__func__, "image", image, &all);
	if (status != RESNEXT_OK)
		return status;
	GO(resnextgo_infer(&call.words, (uintptr_t)session, FEATURES, &all, features, count));
	return status;
}

resnext_status resnext_embed_input(resnext_session *session, const void *rgb, size_t length, float *features, size_t count)
{
	resnextgo_call call;
	resnext_status status;

	NOT_NULL(session);
	NOT_NULL(rgb);
	NOT_NULL(features);
	CHECK_LENGTH(length);
	GO(resnextgo_infer_input(&call.words, (uintptr_t)session, FEATURES, (void *)rgb, length, features, count));
	return status;
}

/* Checks each of n images, which are there if their number is right. */
static resnext_status check_images(const char *function, const resnext_image *images, size_t n)
{
	const unsigned char *at = (const unsigned char *)images;

	for (size_t i = 0; i < n; i++, at += images->size) {
		char name[40];
		resnext_image all;
		size_t size = ((const resnext_image *)at)->size;

		snprintf(name, sizeof name, "(images + %zu)", i);
		if (size != images->size)
			return resnextgo_refuse(function, RESNEXT_EINVAL, "%s->size is %zu, expected that of the first image, %zu",
				name, size, images->size);
		resnext_status status = take_image(function, name, (const resnext_image *)at, &all);
		if (status != RESNEXT_OK)
			return status;
	}
	return RESNEXT_OK;
}

static resnext_status batch(const char *function, resnext_session *session, int answer, const resnext_image *images, size_t n,
	float *numbers, size_t count)
{
	resnextgo_call call;
	resnext_status status;

	RUN(function, resnextgo_check_batch(&call.words, (uintptr_t)session, answer, n, count));
	if (status == RESNEXT_OK)
		status = check_images(function, images, n);
	if (status != RESNEXT_OK)
		return status;
	RUN(function, resnextgo_infer_batch(&call.words, (uintptr_t)session, answer, (void *)images, n, numbers, count));
	return status;
}

resnext_status resnext_infer_batch(resnext_session *session, const resnext_image *images, size_t n, float *logits, size_t count)
{
	NOT_NULL(session);
	NOT_NULL(images);
	NOT_NULL(logits);
	return batch(__func__, session, LOGITS, images, n, logits, count);
}

resnext_status resnext_embed_batch(resnext_session *session, const resnext_image *images, size_t n, float *features,
	size_t count)
{
	NOT_NULL(session);
	NOT_NULL(images);
	NOT_NULL(features);
	return batch(__func__, session, FEATURES, images, n, features, count);
}

resnext_status resnext_classify(resnext_session *session, const resnext_image *image, resnext_prediction *predictions,
	size_t *top)
{
	resnextgo_call call;
	resnext_image all;

	NOT_NULL(session);
	NOT_NULL(image);
	NOT_NULL(predictions);
	NOT_NULL(top);
	resnext_status status = take_image(__func__, "image", image, &all);
	if (status != RESNEXT_OK)
		return status;
	GO(resnextgo_classify(&call.words, (uintptr_t)session, &all, predictions, top));
	return status;
}

resnext_status resnext_softmax(const float *logits, size_t count, float *probabilities)
{
	resnextgo_call call;
	resnext_status status;

	NOT_NULL(logits);
	NOT_NULL(probabilities);
	GO(resnextgo_softmax(&call.words, (float *)logits, count, probabilities));
	return status;
}

resnext_status resnext_sigmoid(const float *logits, size_t count, float *probabilities)
{
	resnextgo_call call;
	resnext_status status;

	NOT_NULL(logits);
	NOT_NULL(probabilities);
	GO(resnextgo_sigmoid(&call.words, (float *)logits, count, probabilities));
	return status;
}

resnext_status resnext_top(const float *logits, size_t count, resnext_prediction *predictions, size_t *top)
{
	resnextgo_call call;
	resnext_status status;

	NOT_NULL(logits);
	NOT_NULL(predictions);
	NOT_NULL(top);
	GO(resnextgo_top(&call.words, (float *)logits, count, predictions, top));
	return status;
}
