/* heads.c: what a model makes of the features is told, and each kind gets its own probabilities or none. */
#include <math.h>

#include "fails.h"

static resnext_model *open_model(const char *path)
{
	resnext_model *model = NULL;

	OK(resnext_model_open(path, NULL, &model));
	return model;
}

/* Every head gives the same features. */
static void check_head(const char *path, int32_t want)
{
	resnext_model *model = open_model(path);
	resnext_session *session = make_session(model, 0);
	uint32_t count = 0;
	int32_t head = 0;

	OK(resnext_model_head(model, &head));
	CHECK(head == want, "%s: %d", path, (int)head);
	OK(resnext_model_features(model, &count));
	CHECK(count == FEATURES, "%s: %u", path, count);
	check_features(session);
	OK(resnext_session_close(session));
	OK(resnext_model_close(model));
}

static void check_labels(void)
{
	resnext_model *model = open_model("labels.safetensors");
	resnext_session *session = make_session(model, 1);
	resnext_image image = RESNEXT_IMAGE(RESNEXT_RGB, SIDE + 4, SIDE + 4, input);
	unsigned char *pixels = malloc((SIDE + 4) * (SIDE + 4) * 3);
	float logits[CLASSES], own[CLASSES], sum = 0;
	resnext_prediction best[CLASSES], softmax[CLASSES];
	size_t top = CLASSES;

	CHECK(pixels, "memory");
	memset(pixels, 90, (SIDE + 4) * (SIDE + 4) * 3);
	memcpy(pixels, input, INPUT);
	image.pixels = pixels;
	check_input(session); /* the same logits */
	OK(resnext_infer(session, &image, logits, CLASSES));
	OK(resnext_sigmoid(logits, CLASSES, own));
	OK(resnext_classify(session, &image, best, &top));
	CHECK(top == CLASSES, "%zu", top);
	OK(resnext_top(logits, CLASSES, softmax, &top));
	for (int i = 0; i < CLASSES; i++) {
		double want = 1 / (1 + exp(-(double)logits[i]));
		CHECK(fabs((double)own[i] - want) <= 1e-6, "%g, expected %g", (double)own[i], want);
		CHECK(best[i].class_index == softmax[i].class_index && best[i].logit == softmax[i].logit, "place %d", i);
		CHECK(best[i].probability == own[best[i].class_index], "place %d", i);
		sum += best[i].probability;
	}
	CHECK(sum < 0.99f || sum > 1.01f, "they compete: %g", (double)sum);
	OK(resnext_sigmoid(logits, CLASSES, logits)); /* in the same memory */
	CHECK(memcmp(logits, own, sizeof own) == 0, "the same array");
	free(pixels);
	OK(resnext_session_close(session));
	OK(resnext_model_close(model));
}

static void check_bare(void)
{
	resnext_model *model = open_model("bare.safetensors");
	resnext_session *session = make_session(model, 1);
	resnext_image image = RESNEXT_IMAGE(RESNEXT_RGB, SIDE, SIDE, input);
	resnext_model_info info = {0};
	size_t top = CLASSES;

	info.size = sizeof info;
	OK(resnext_model_get_info(model, &info));
	CHECK(info.classes == 0 && info.width == SIDE, "%u classes", info.classes);
	FAILS(RESNEXT_EINVAL, resnext_model_label(model, 0, &out.label));
	CHECK(strstr(resnext_last_error(), "no classes"), "%s", resnext_last_error());
	for (size_t count = 0; count < 3; count++) {
		FAILS(RESNEXT_EINVAL, resnext_infer(session, &image, out.logits, count));
		CHECK(strstr(resnext_last_error(), "use resnext_embed"), "%s", resnext_last_error());
		FAILS(RESNEXT_EINVAL, resnext_infer_input(session, input, INPUT, out.logits, count));
		FAILS(RESNEXT_EINVAL, resnext_infer_batch(session, &image, 1, out.logits, count));
		CHECK(strstr(resnext_last_error(), "use resnext_embed"), "%s", resnext_last_error());
	}
	FAILS(RESNEXT_EINVAL, resnext_classify(session, &image, out.best, &top));
	CHECK(strstr(resnext_last_error(), "use resnext_embed") && top == CLASSES, "%s", resnext_last_error());
	check_features(session);
	OK(resnext_session_close(session));
	OK(resnext_model_close(model));
}

int main(void)
{
	read_input();
	check_head(TINY, RESNEXT_ONE_CLASS);
	check_head("labels.safetensors", RESNEXT_MULTI_LABEL);
	check_head("bare.safetensors", RESNEXT_EMBEDDING);
	check_labels();
	check_bare();
	return 0;
}
