// classify.cpp: names what is in a picture.
//
//     c++ -std=c++11 -o classify classify.cpp $(pkg-config --cflags --libs resnext)
//     ./classify model.int8.safetensors photo.ppm
#include <cstdio>
#include <memory>

#include <resnext.hpp>

#include "picture.h"

int main(int argc, char **argv) {
	if (argc < 3) {
		std::fprintf(stderr, "usage: classify MODEL PICTURE...\n");
		return 2;
	}
	try {
		const resnext::Model model(argv[1]);
		resnext::Session session(model);
		for (int i = 2; i < argc; i++) {
			picture p;
			if (const char *wrong = picture_read(argv[i], &p))
				throw std::runtime_error(std::string(argv[i]) + ": " + wrong);
			const std::unique_ptr<unsigned char, void (*)(void *)> pixels(p.rgb, std::free);
			for (const resnext::Prediction &best : session.classify(resnext::Image::rgb(p.rgb, p.width, p.height)))
				std::printf("%6.2f%%  %s\n", 100 * static_cast<double>(best.probability), model.label(best.class_index).c_str());
		}
	} catch (const std::exception &e) {
		std::fprintf(stderr, "classify: %s\n", e.what());
		return 1;
	}
}
