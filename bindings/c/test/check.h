/* check.h: the few things that every test here needs. A test is one program: it is run in the folder that `golden`
 * wrote, says nothing and returns 0, or names the file, the line and what was wrong and returns 1. */
#ifndef CHECK_H
#define CHECK_H

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "resnext.h"

/* Ends the program if condition does not hold. */
#define CHECK(condition, ...)                                                      \
	do {                                                                       \
		if (!(condition)) {                                                \
			fprintf(stderr, "%s:%d: %s: ", __FILE__, __LINE__, #condition); \
			fprintf(stderr, __VA_ARGS__);                              \
			fprintf(stderr, " (last error: %s)\n", resnext_last_error()); \
			_Exit(1);                                                  \
		}                                                                  \
	} while (0)

#define STATUS(want, call)                                                                                      \
	do {                                                                                                    \
		resnext_status got_ = (call);                                                                   \
		CHECK(got_ == (want), "%s gives %d (%s), expected %d", #call, (int)got_, resnext_strerror(got_), (int)(want)); \
	} while (0)

#define OK(call) STATUS(RESNEXT_OK, call)

#define TINY "tiny.safetensors"
enum { CLASSES = 6, FEATURES = 32, SIDE = 32, INPUT = SIDE * SIDE * 3 };

/* Reads a whole file. The caller frees it. */
static inline unsigned char *read_file(const char *path, size_t *length)
{
	FILE *f = fopen(path, "rb");
	CHECK(f, "%s", path);
	fseek(f, 0, SEEK_END);
	*length = (size_t)ftell(f);
	rewind(f);
	unsigned char *data = (unsigned char *)malloc(*length + 1);
	CHECK(data && fread(data, 1, *length, f) == *length, "%s", path);
	fclose(f);
	return data;
}

/* Reads the numbers that the Go library gave for a picture. */
static inline void read_numbers(const char *path, float *numbers, size_t count)
{
	size_t length;
	unsigned char *data = read_file(path, &length);
	CHECK(length == count * sizeof(float), "%s has %zu bytes", path, length);
	memcpy(numbers, data, length);
	free(data);
}

static inline void read_logits(const char *path, float *logits) { read_numbers(path, logits, CLASSES); }

/* The picture that is exactly the network's input, its logits and its features. */
static unsigned char input[INPUT];
static float input_logits[CLASSES], input_features[FEATURES];

static inline void read_input(void)
{
	size_t length;
	unsigned char *data = read_file("input", &length);
	CHECK(length == INPUT, "%zu bytes", length);
	memcpy(input, data, length);
	free(data);
	read_logits("input.logits", input_logits);
	read_numbers("input.features", input_features, FEATURES);
}

/* Infers the input and compares the logits to the bit. */
static inline void check_input(resnext_session *session)
{
	float logits[CLASSES];
	OK(resnext_infer_input(session, input, sizeof input, logits, CLASSES));
	CHECK(memcmp(logits, input_logits, sizeof logits) == 0, "%.9g, expected %.9g", logits[0], input_logits[0]);
}

/* The same for its features. */
static inline void check_features(resnext_session *session)
{
	float features[FEATURES];
	OK(resnext_embed_input(session, input, sizeof input, features, FEATURES));
	CHECK(memcmp(features, input_features, sizeof features) == 0, "%.9g, expected %.9g", features[0], input_features[0]);
}

static inline resnext_model *open_tiny(void)
{
	resnext_model *model = NULL;
	OK(resnext_model_open(TINY, NULL, &model));
	return model;
}

static inline resnext_session *make_session(resnext_model *model, uint32_t threads)
{
	resnext_session_options options = {sizeof options, threads, 0};
	resnext_session *session = NULL;
	OK(resnext_session_new(model, &options, &session));
	return session;
}

/* What memory gives that cannot be used. The emulator of 32-bit ARM does not tell where a fault was, and one whose place is not
 * known might be the library's. */
static inline int faults_are_told(void) { return sizeof(void *) > 4 || !getenv("RESNEXT_TEST_RUN"); }
#define UNUSABLE (faults_are_told() ? RESNEXT_EINVAL : RESNEXT_EINTERNAL)

/* What a number in the environment says, or otherwise: emulated CPUs get fewer rounds. */
static inline long rounds(long otherwise)
{
	const char *share = getenv("RESNEXT_TEST_ROUNDS");
	return share ? otherwise * atol(share) / 100 + 1 : otherwise;
}

#endif
