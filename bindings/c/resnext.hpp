// resnext.hpp: resnext.h for C++11 and later. Handles close themselves, errors are exceptions.
//
//     resnext::Model model("model.int8.safetensors");
//     resnext::Session session(model);
//     for (const resnext::Prediction &p : session.classify(resnext::Image::rgb(pixels, width, height), 5))
//         std::cout << model.label(p.class_index) << ' ' << p.probability << '\n';
//
// Everything that resnext.h says holds: a Model may be shared by threads, a Session does one thing at a time. Both can
// be moved and not copied. A moved-from object can only be destroyed or assigned to.
#ifndef RESNEXT_HPP
#define RESNEXT_HPP

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "resnext.h"

namespace resnext {

// Error is what went wrong: the status of resnext.h, and in what() its words.
class Error : public std::runtime_error {
public:
	explicit Error(resnext_status status) : std::runtime_error(resnext_last_error()), status_(status) {}
	resnext_status status() const noexcept { return status_; }

private:
	resnext_status status_;
};

inline void check(resnext_status status) {
	if (status != RESNEXT_OK)
		throw Error(status);
}

typedef resnext_prediction Prediction;

// Image is a view of the caller's pixels: see resnext_image for formats, strides and sizes.
struct Image : resnext_image {
	Image(resnext_format f, const void *at, std::uint32_t w, std::uint32_t h, std::size_t row_stride = 0) : resnext_image() {
		size = sizeof(resnext_image);
		format = f;
		width = w;
		height = h;
		pixels = at;
		stride = row_stride;
	}
	static Image rgb(const void *at, std::uint32_t w, std::uint32_t h, std::size_t row_stride = 0) {
		return Image(RESNEXT_RGB, at, w, h, row_stride);
	}
};

class Model {
public:
	// Opens a model file; kernels as in resnext_model_options.
	explicit Model(const std::string &path, const char *kernels = nullptr) {
		resnext_model *model = nullptr;
		const resnext_model_options o = options(kernels);
		check(resnext_model_open(path.c_str(), &o, &model));
		handle_.reset(model);
	}
	// Opens a model file in memory, which is not needed afterwards.
	static Model from_memory(const void *data, std::size_t length, const char *kernels = nullptr) {
		resnext_model *handle = nullptr;
		const resnext_model_options o = options(kernels);
		check(resnext_model_open_memory(data, length, &o, &handle));
		Model model;
		model.handle_.reset(handle);
		return model;
	}

	resnext_model_info info() const {
		resnext_model_info i = resnext_model_info();
		i.size = sizeof i;
		check(resnext_model_get_info(get(), &i));
		return i;
	}
	// What it makes of the features, and how many there are.
	resnext_head head() const {
		std::int32_t h = 0;
		check(resnext_model_head(get(), &h));
		return static_cast<resnext_head>(h);
	}
	std::uint32_t features() const {
		std::uint32_t n = 0;
		check(resnext_model_features(get(), &n));
		return n;
	}
	std::string label(std::uint32_t class_index) const {
		const char *text = nullptr;
		check(resnext_model_label(get(), class_index, &text));
		return text;
	}
	resnext_model *get() const noexcept { return handle_.get(); }

private:
	Model() = default;
	static resnext_model_options options(const char *kernels) {
		resnext_model_options o = resnext_model_options();
		o.size = sizeof o;
		o.kernels = kernels;
		return o;
	}
	struct Close {
		void operator()(resnext_model *m) const noexcept { resnext_model_close(m); }
	};
	std::unique_ptr<resnext_model, Close> handle_;
};

class Session {
public:
	// Makes a session that uses so many threads, 0 for all cores.
	explicit Session(const Model &model, std::uint32_t threads = 0)
		: classes_(model.info().classes), features_(model.features()) {
		resnext_session *session = nullptr;
		resnext_session_options o = resnext_session_options();
		o.size = sizeof o;
		o.threads = threads;
		check(resnext_session_new(model.get(), &o, &session));
		handle_.reset(session);
	}

	// One logit a class.
	std::vector<float> infer(const resnext_image &image) {
		std::vector<float> logits(at_least_one(classes_));
		check(resnext_infer(get(), &image, logits.data(), logits.size()));
		return logits;
	}
	// The same for exactly the network's input: height x width pixels of R G B without gaps, neither resized nor cropped.
	std::vector<float> infer_input(const void *rgb, std::size_t length) {
		std::vector<float> logits(at_least_one(classes_));
		check(resnext_infer_input(get(), rgb, length, logits.data(), logits.size()));
		return logits;
	}
	// The features of a picture, to compare it by.
	std::vector<float> embed(const resnext_image &image) {
		std::vector<float> features(features_);
		check(resnext_embed(get(), &image, features.data(), features.size()));
		return features;
	}
	std::vector<float> embed_input(const void *rgb, std::size_t length) {
		std::vector<float> features(features_);
		check(resnext_embed_input(get(), rgb, length, features.data(), features.size()));
		return features;
	}
	// Several pictures at once: the numbers of the first, then of the next. None takes no inference.
	std::vector<float> infer_batch(const std::vector<Image> &images) {
		std::vector<float> logits(at_least_one(classes_) * images.size());
		if (!images.empty())
			check(resnext_infer_batch(get(), images.data(), images.size(), logits.data(), logits.size()));
		return logits;
	}
	std::vector<float> embed_batch(const std::vector<Image> &images) {
		std::vector<float> features(features_ * images.size());
		if (!images.empty())
			check(resnext_embed_batch(get(), images.data(), images.size(), features.data(), features.size()));
		return features;
	}
	// The top most probable classes, best first: all where there are fewer. None takes no inference.
	std::vector<Prediction> classify(const resnext_image &image, std::size_t top = 5) {
		if (top == 0)
			return std::vector<Prediction>();
		std::vector<Prediction> best(at_least_one(std::min(top, classes_)));
		check(resnext_classify(get(), &image, best.data(), &top));
		best.resize(top);
		return best;
	}
	// The number of threads that an inference uses.
	std::uint32_t threads() const {
		std::uint32_t n = 0;
		check(resnext_session_threads(get(), &n));
		return n;
	}
	resnext_session *get() const noexcept { return handle_.get(); }

private:
	struct Close {
		void operator()(resnext_session *s) const noexcept { resnext_session_close(s); }
	};
	// Room where there are no classes, so that the library says so and not that there is no room.
	static std::size_t at_least_one(std::size_t n) { return std::max(n, std::size_t(1)); }

	std::size_t classes_, features_;
	std::unique_ptr<resnext_session, Close> handle_;
};

} // namespace resnext

#endif
