/* damage.c: damaged model files give RESNEXT_EMODEL, never a crash or a model. */
#include "check.h"

int main(void)
{
	size_t length, step;
	unsigned char *data = read_file(TINY, &length);
	resnext_model *model = NULL;

	step = length / (size_t)rounds(150) + 1;
	for (size_t n = 0; n < length; n += n < 200 ? 7 : step)
		STATUS(RESNEXT_EMODEL, resnext_model_open_memory(data, n, NULL, &model));
	STATUS(RESNEXT_EMODEL, resnext_model_open_memory(data, length - 1, NULL, &model));
	for (size_t i = 0; i < length; i += i < 200 ? 3 : step) {
		data[i] ^= (unsigned char)(1 << i % 8);
		STATUS(RESNEXT_EMODEL, resnext_model_open_memory(data, length, NULL, &model));
		CHECK(strstr(resnext_last_error(), "model in memory"), "words");
		data[i] ^= (unsigned char)(1 << i % 8);
	}
	CHECK(!model, "written");
	OK(resnext_model_open_memory(data, length, NULL, &model));
	OK(resnext_model_close(model));
	free(data);
	return 0;
}
