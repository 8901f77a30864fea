/* header.c: the header alone, as C99 and as C++11; every struct and macro in use. */
#include "resnext.h"

int main(void)
{
	static const unsigned char pixels[3] = {0, 0, 0};
	int width = 1, height = 1; /* which C++ would not narrow by itself */
	resnext_image image = RESNEXT_IMAGE(RESNEXT_RGB, width, height, pixels);
	resnext_model_options model_options = {sizeof(resnext_model_options), 0, 0};
	resnext_session_options session_options = {sizeof(resnext_session_options), 0, 0};
	resnext_model_info info;
	resnext_prediction prediction;

	info.size = sizeof info;
	prediction.class_index = 0;
	return !(image.size == sizeof image && image.width == 1 && !image.stride && !image.chroma && model_options.size &&
		session_options.size && info.size && !prediction.class_index && resnext_abi_version() == RESNEXT_ABI_VERSION);
}
