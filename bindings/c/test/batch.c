/* batch.c: several pictures at once give what each gives alone, to the bit; an error in any is one of the call, and writes
 * nothing. */
#include <pthread.h>

#include "fails.h"

enum { MANY = 37 };

static resnext_model *model;
static resnext_session *session;

/* A picture of its own size and format. */
static resnext_image picture(int i)
{
	resnext_image image = RESNEXT_IMAGE(i % 2 ? RESNEXT_GRAY : RESNEXT_BGR, SIDE - i % 5, SIDE - i % 7, input);
	return image;
}

static void check_same(void)
{
	static resnext_image images[MANY];
	static float logits[MANY * CLASSES], features[MANY * FEATURES], got[MANY * FEATURES];
	size_t counts[] = {MANY, 1, 2, 3, 16, MANY};

	for (int i = 0; i < MANY; i++) {
		images[i] = picture(i);
		OK(resnext_infer(session, &images[i], logits + i * CLASSES, CLASSES));
		OK(resnext_embed(session, &images[i], features + i * FEATURES, FEATURES));
	}
	for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
		size_t n = counts[i];
		memset(got, 0, sizeof got);
		OK(resnext_infer_batch(session, images, n, got, n * CLASSES));
		CHECK(memcmp(got, logits, n * CLASSES * sizeof *got) == 0, "logits of %zu pictures", n);
		OK(resnext_embed_batch(session, images, n, got, n * FEATURES));
		CHECK(memcmp(got, features, n * FEATURES * sizeof *got) == 0, "features of %zu pictures", n);
	}
}

static void check_wrong(void)
{
	resnext_image images[4] = {picture(0), picture(1), picture(2), picture(3)};
	const size_t huge[] = {0, SIZE_MAX, SIZE_MAX / 2, SIZE_MAX / FEATURES + 1, (size_t)1 << 29, (size_t)1 << 28};

	for (size_t count = 0; count <= 4 * FEATURES; count += count == 3 * FEATURES - 1 ? 2 : 1)
		FAILS(RESNEXT_EINVAL, resnext_embed_batch(session, images, 3, out.many, count));
	CHECK(strstr(resnext_last_error(), "count is 128, expected 96"), "%s", resnext_last_error());
	for (size_t i = 0; i < sizeof huge / sizeof *huge; i++) {
		FAILS(RESNEXT_EINVAL, resnext_embed_batch(session, images, huge[i], out.many, 4 * FEATURES));
		FAILS(RESNEXT_EINVAL, resnext_embed_batch(session, images, huge[i], out.many, huge[i] * FEATURES));
		FAILS(RESNEXT_EINVAL, resnext_infer_batch(session, images, 1, out.logits, huge[i]));
	}
	for (int i = 0; i < 4; i++) {
		char name[48];
		resnext_image good = images[i];

		snprintf(name, sizeof name, "(images + %d)->", i);
		images[i].size = i ? sizeof *images + 8 : 1;
		FAILS(RESNEXT_EINVAL, resnext_embed_batch(session, images, 4, out.many, 4 * FEATURES));
		images[i].size = 0;
		FAILS(RESNEXT_EINVAL, resnext_embed_batch(session, images, 4, out.many, 4 * FEATURES));
		CHECK(strstr(resnext_last_error(), name), "%s", resnext_last_error());
		images[i] = good;
		images[i].pixels = NULL;
		FAILS(RESNEXT_EINVAL, resnext_embed_batch(session, images, 4, out.many, 4 * FEATURES));
		CHECK(strstr(resnext_last_error(), name), "%s", resnext_last_error());
		images[i] = good;
		images[i].reserved = 1;
		FAILS(RESNEXT_EINVAL, resnext_embed_batch(session, images, 4, out.many, 4 * FEATURES));
		CHECK(strstr(resnext_last_error(), name), "%s", resnext_last_error());
		images[i] = good;
		images[i].format = 99;
		snprintf(name, sizeof name, "picture %d of the batch: ", i);
		FAILS(RESNEXT_EINVAL, resnext_embed_batch(session, images, 4, out.many, 4 * FEATURES));
		CHECK(strstr(resnext_last_error(), name), "%s", resnext_last_error());
		images[i] = good;
	}
	OK(resnext_embed_batch(session, images, 4, out.many, 4 * FEATURES));
}

/* An array of a newer header's structs, which are longer. */
static void check_newer(void)
{
	struct { resnext_image image; uint64_t more; } newer[3];
	float got[3 * CLASSES], want[CLASSES];

	memset(newer, 0, sizeof newer);
	for (int i = 0; i < 3; i++) {
		newer[i].image = picture(i);
		newer[i].image.size = sizeof *newer;
	}
	OK(resnext_infer_batch(session, &newer[0].image, 3, got, 3 * CLASSES));
	for (int i = 0; i < 3; i++) {
		OK(resnext_infer(session, &newer[i].image, want, CLASSES));
		CHECK(memcmp(got + i * CLASSES, want, sizeof want) == 0, "picture %d", i);
	}
	newer[2].more = 1;
	FAILS(RESNEXT_EINVAL, resnext_infer_batch(session, &newer[0].image, 1, out.logits, 2 * CLASSES));
	FAILS(RESNEXT_EINVAL, resnext_embed_batch(session, &newer[0].image, 3, out.many, 3 * FEATURES));
	CHECK(strstr(resnext_last_error(), "(images + 2) has members"), "%s", resnext_last_error());
}

/* A session does one batch at a time; another thread is refused and goes on. */
static void *infer_until_done(void *other)
{
	resnext_image images[3] = {picture(0), picture(1), picture(2)};
	float got[3 * CLASSES];
	long done = 0;

	for (long want = rounds(200); done < want;) {
		resnext_status status = resnext_infer_batch(other, images, 3, got, 3 * CLASSES);
		CHECK(status == RESNEXT_OK || status == RESNEXT_EBUSY, "%d", (int)status);
		done += status == RESNEXT_OK;
	}
	return NULL;
}

static void check_threads(void)
{
	pthread_t threads[3];

	for (int i = 0; i < 3; i++)
		CHECK(pthread_create(&threads[i], NULL, infer_until_done, session) == 0, "thread");
	for (int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
}

int main(void)
{
	read_input();
	model = open_tiny();
	for (uint32_t threads = 0; threads < 3; threads++) {
		session = make_session(model, threads);
		check_same();
		check_wrong();
		check_newer();
		check_threads();
		check_input(session); /* it still works */
		OK(resnext_session_close(session));
	}
	OK(resnext_model_close(model));
	return 0;
}
