/* fails.h: for calls that must fail: they give a status and words, and write nothing. */
#ifndef FAILS_H
#define FAILS_H

#include "check.h"

/* Everything that a function could write to, filled with a pattern. */
static struct {
	resnext_model *model;
	resnext_session *session;
	resnext_model_info info;
	const char *label;
	uint32_t threads, count;
	int32_t head;
	float logits[CLASSES], features[FEATURES], many[4 * FEATURES];
	resnext_prediction best[CLASSES];
} out;

static inline void fill(void) { memset(&out, 0x5a, sizeof out); }

static inline void untouched(int line)
{
	const unsigned char *p = (const unsigned char *)&out;
	for (size_t i = 0; i < sizeof out; i++)
		CHECK(p[i] == 0x5a, "line %d has written to byte %zu of the results", line, i);
}

/* Expects a status and words, and nothing written. */
#define FAILS(want, call)                                                               \
	do {                                                                            \
		fill();                                                                 \
		STATUS(want, call);                                                     \
		untouched(__LINE__);                                                    \
		CHECK(strlen(resnext_last_error()) > 10 && !strchr(resnext_last_error(), '\n'), "no words"); \
	} while (0)

#endif
