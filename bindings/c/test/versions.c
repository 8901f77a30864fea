/* versions.c: programs that were built with older and newer headers than the library. Its own code for that is compiled here
 * with structs that have grown since version 1, as the library's have not yet. */
#include <stdarg.h>

#include "../structs.c"

#include "check.h"

static char words[256];

resnext_status resnextgo_refuse(const char *function, resnext_status status, const char *format, ...)
{
	va_list arguments;
	int n = snprintf(words, sizeof words, "%s: ", function);

	va_start(arguments, format);
	vsnprintf(words + n, sizeof words - (size_t)n, format, arguments);
	va_end(arguments);
	return status;
}

typedef struct first { size_t size; uint32_t a, b; } first;
typedef struct ours { size_t size; uint32_t a, b; uint64_t c, d; } ours;
typedef struct newer { ours known; uint64_t e, after; } newer;

static resnext_status take(const void *theirs, ours *all)
{
	memset(all, 0x5a, sizeof *all);
	return resnextgo_take_struct("take", "options", theirs, sizeof(first), all, sizeof *all);
}

static void check_take(void)
{
	first *old = malloc(sizeof *old); /* so that a checker sees what is read behind it */
	ours all;
	newer new = {{offsetof(newer, after), 1, 2, 3, 4}, 0, 9};

	*old = (first){sizeof *old, 1, 2};
	OK(take(old, &all));
	CHECK(all.a == 1 && all.b == 2 && all.c == 0 && all.d == 0, "an older struct");
	OK(take(&new, &all));
	CHECK(all.a == 1 && all.d == 4, "a newer struct");
	for (size_t size = 0; size < sizeof *old; size++) {
		old->size = size;
		STATUS(RESNEXT_EINVAL, take(old, &all));
		CHECK(strstr(words, "take: options->size is "), "%s", words);
	}
	for (size_t at = 0; at < sizeof new.e; at++) {
		new.e = (uint64_t)1 << 8 * at;
		STATUS(RESNEXT_EINVAL, take(&new, &all));
		CHECK(strstr(words, "does not know") && all.a == 0x5a5a5a5a, "%s", words);
	}
	new.known.size = LONGEST_STRUCT + 1;
	STATUS(RESNEXT_EINVAL, take(&new, &all));
	free(old);

	/* Between two versions: a part of what has grown. */
	struct { size_t size; uint32_t a, b; uint64_t c, after; } middle = {offsetof(ours, d), 1, 2, 3, 9};
	OK(take(&middle, &all));
	CHECK(all.c == 3 && all.d == 0, "a struct between");
}

static void check_give(void)
{
	const ours all = {0, 1, 2, 3, 4};
	first *old = malloc(sizeof *old);
	newer new;

	*old = (first){sizeof *old, 0, 0};
	resnextgo_give_struct(old, &all, sizeof all);
	CHECK(old->size == sizeof *old && old->a == 1 && old->b == 2, "an older struct");
	free(old);
	memset(&new, 0x5a, sizeof new);
	new.known.size = offsetof(newer, after);
	resnextgo_give_struct(&new, &all, sizeof all);
	CHECK(new.known.size == offsetof(newer, after) && new.known.d == 4 && new.e == 0 && new.after == 0x5a5a5a5a5a5a5a5a, "newer");
}

int main(void)
{
	check_take();
	check_give();
	return 0;
}
