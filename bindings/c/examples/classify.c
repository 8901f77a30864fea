/*
 * classify.c: names what is in a picture.
 *
 *     cc -o classify classify.c $(pkg-config --cflags --libs resnext)
 *     cc -DWITH_JPEG -o classify classify.c $(pkg-config --cflags --libs resnext libturbojpeg)
 *     ./classify model.int8.safetensors photo.ppm
 */
#include <resnext.h>

#include "picture.h"

/* Says what failed, and gives the program's exit code. */
static int failed(const char *what)
{
	fprintf(stderr, "classify: %s: %s\n", what, resnext_last_error());
	return 1;
}

int main(int argc, char **argv)
{
	resnext_model *model = NULL;
	resnext_session *session = NULL;
	int result = 0, i;

	if (argc < 3) {
		fprintf(stderr, "usage: classify MODEL PICTURE...\n");
		return 2;
	}
	if (resnext_model_open(argv[1], NULL, &model) != RESNEXT_OK)
		return failed(argv[1]);
	if (resnext_session_new(model, NULL, &session) != RESNEXT_OK)
		result = failed("session");
	for (i = 2; i < argc && session; i++) {
		resnext_prediction best[5];
		size_t count = 5, n;
		struct picture p;
		const char *wrong = picture_read(argv[i], &p);

		if (wrong) {
			fprintf(stderr, "classify: %s: %s\n", argv[i], wrong);
			result = 1;
			continue;
		}
		resnext_image image = RESNEXT_IMAGE(RESNEXT_RGB, p.width, p.height, p.rgb);
		if (resnext_classify(session, &image, best, &count) != RESNEXT_OK) {
			result = failed(argv[i]);
			count = 0;
		}
		free(p.rgb);
		if (argc > 3)
			printf("%s\n", argv[i]);
		for (n = 0; n < count; n++) {
			const char *label;
			if (resnext_model_label(model, best[n].class_index, &label) == RESNEXT_OK)
				printf("%6.2f%%  %s\n", 100 * (double)best[n].probability, label);
		}
	}
	resnext_session_close(session);
	resnext_model_close(model);
	return result;
}
