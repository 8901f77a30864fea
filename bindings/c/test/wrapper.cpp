// wrapper.cpp: resnext.hpp's answers and errors are those of resnext.h, its handles move and close themselves.
#include <algorithm>
#include <limits>
#include <utility>

#include "resnext.hpp"

#include "check.h"

// status runs f and gives the status of the error that it throws.
template <typename F> static resnext_status status(F f) {
	try {
		f();
	} catch (const resnext::Error &e) {
		CHECK(strstr(e.what(), "resnext_") == e.what(), "%s", e.what());
		return e.status();
	}
	return RESNEXT_OK;
}

static void check_answers(resnext::Session &session) {
	const resnext::Image image = resnext::Image::rgb(input, SIDE, SIDE);
	const std::vector<float> logits = session.infer(image);
	CHECK(logits.size() == CLASSES, "%zu logits", logits.size());
	float want[CLASSES];
	OK(resnext_infer(session.get(), &image, want, CLASSES));
	CHECK(memcmp(logits.data(), want, sizeof want) == 0, "logits");
	for (std::size_t top : {std::size_t(1), std::size_t(CLASSES), std::size_t(1000), std::numeric_limits<std::size_t>::max()}) {
		const std::vector<resnext::Prediction> best = session.classify(image, top);
		CHECK(best.size() == std::min(top, std::size_t(CLASSES)), "%zu of %zu", best.size(), top);
		for (const resnext::Prediction &p : best)
			CHECK(p.class_index < CLASSES && !(p.logit < want[p.class_index]) && p.logit <= best[0].logit, "%u", p.class_index);
	}
	CHECK(session.classify(image, 0).empty(), "none of the classes");
	const std::vector<float> exact = session.infer_input(input, sizeof input);
	CHECK(exact.size() == CLASSES && memcmp(exact.data(), input_logits, sizeof input_logits) == 0, "logits of the input");
	CHECK(status([&] { session.infer_input(input, sizeof input - 1); }) == RESNEXT_EINVAL, "a part of the input");

	const std::vector<float> features = session.embed_input(input, sizeof input), prepared = session.embed(image);
	CHECK(features.size() == FEATURES && memcmp(features.data(), input_features, sizeof input_features) == 0, "features of the input");
	const std::vector<resnext::Image> three(3, image);
	const std::vector<float> all = session.infer_batch(three), embedded = session.embed_batch(three);
	CHECK(all.size() == 3 * CLASSES && embedded.size() == 3 * FEATURES, "%zu logits, %zu features", all.size(), embedded.size());
	for (std::size_t i = 0; i < 3; i++) {
		CHECK(std::equal(logits.begin(), logits.end(), all.begin() + static_cast<std::ptrdiff_t>(i * CLASSES)), "picture %zu", i);
		CHECK(std::equal(prepared.begin(), prepared.end(), embedded.begin() + static_cast<std::ptrdiff_t>(i * FEATURES)), "picture %zu", i);
	}
	CHECK(session.infer_batch(std::vector<resnext::Image>()).empty(), "no pictures");
}

int main() {
	read_input();
	CHECK(status([] { resnext::Model("/nowhere"); }) == RESNEXT_EIO, "no file");
	CHECK(status([] { resnext::Model(TINY, "abacus"); }) == RESNEXT_EKERNELS, "no kernels");
	CHECK(status([] { resnext::Model::from_memory(input, sizeof input); }) == RESNEXT_EMODEL, "no model");
	CHECK(resnext::Model(TINY, 0).info().classes == CLASSES, "0 kernels"); // and not a file of no bytes
	std::size_t length;
	const std::unique_ptr<unsigned char, void (*)(void *)> file(read_file(TINY, &length), std::free);
	CHECK(resnext::Model::from_memory(file.get(), length, "generic").info().classes == CLASSES, "in memory");

	resnext::Model first(TINY);
	resnext::Model model(std::move(first));
	CHECK(!first.get() && model.get(), "it has not moved");
	CHECK(status([&] { first.info(); }) == RESNEXT_EINVAL, "a model without a handle");
	CHECK(model.info().classes == CLASSES && model.label(0) == "cat", "info");
	CHECK(status([&] { model.label(CLASSES); }) == RESNEXT_EINVAL, "no such class");

	CHECK(model.head() == RESNEXT_ONE_CLASS && model.features() == FEATURES, "head");
	const resnext::Model bare("bare.safetensors");
	resnext::Session embedding(bare);
	const resnext::Image image = resnext::Image::rgb(input, SIDE, SIDE);
	CHECK(bare.head() == RESNEXT_EMBEDDING && embedding.embed(image).size() == FEATURES, "a model without classes");
	CHECK(status([&] { embedding.infer(image); }) == RESNEXT_EINVAL && strstr(resnext_last_error(), "resnext_embed"), "logits");
	CHECK(status([&] { embedding.classify(image); }) == RESNEXT_EINVAL && strstr(resnext_last_error(), "resnext_embed"), "classes");

	resnext::Session session(model, 1);
	CHECK(session.threads() == 1, "%u threads", session.threads());
	check_answers(session);
	const resnext_session *old = session.get();
	session = resnext::Session(resnext::Model(TINY, "generic")); // which keeps its model
	std::uint32_t threads;
	STATUS(RESNEXT_EHANDLE, resnext_session_threads(old, &threads));
	check_answers(session);
	check_input(session.get());
}
