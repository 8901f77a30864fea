/* words.h: what the C files and export.go tell each other. No part of the interface. */
#ifndef RESNEXT_WORDS_H
#define RESNEXT_WORDS_H

#include "resnext.h"

/* The words that come out of a call of Go, on the caller's stack. Each is "" or one line. */
typedef struct resnextgo_words {
	int wants_log;    /* set by C: somebody listens */
	char error[1024]; /* if the call failed */
	char warning[512];
	char info[512];
} resnextgo_words;

#endif
