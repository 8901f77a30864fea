/* memcheck.c: one of everything, short enough for valgrind. */
#include "check.h"

int main(void)
{
	resnext_model *model = open_tiny(), *none = NULL;
	resnext_session *session = make_session(model, 1);
	resnext_image image = RESNEXT_IMAGE(RESNEXT_BGR, SIDE, SIDE, input);
	resnext_prediction best[2];
	resnext_model_info info = {0};
	const char *label;
	size_t top = 2;

	read_input();
	check_input(session);
	check_features(session);
	resnext_image two[2] = {image, image};
	float many[2 * CLASSES];
	OK(resnext_infer_batch(session, two, 2, many, 2 * CLASSES));
	OK(resnext_classify(session, &image, best, &top));
	info.size = sizeof info;
	OK(resnext_model_get_info(model, &info));
	OK(resnext_model_label(model, best[0].class_index, &label));
	CHECK(strlen(label) < 10 && strlen(info.kernels) > 0 && best[0].probability > 0, "%s", label);
	STATUS(RESNEXT_EIO, resnext_model_open("/nowhere", NULL, &none));
	CHECK(strlen(resnext_last_error()) > 10, "words");
	OK(resnext_session_close(session));
	OK(resnext_model_close(model));
	return 0;
}
