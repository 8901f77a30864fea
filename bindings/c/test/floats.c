/* floats.c: a program whose threads round upwards, flush denormal numbers to zero and trap on every floating-point
 * exception gets the same logits, and has all of that afterwards. The library is loaded, and Go started, with it set. */
#define _GNU_SOURCE
#include <fenv.h>
#include <pthread.h>

#include "late.h"

#include "check.h"

#if defined(__x86_64__)
#include <xmmintrin.h>
typedef unsigned control;
static control get(void) { return _mm_getcsr(); }
static void set(control c) { _mm_setcsr(c); }
enum { FLUSH = 0x8040, UP = 0x4000, DOWN = 0x2000, MASKS = 0x1f80, TRAPPING = 1 };
#elif defined(__arm__)
typedef unsigned control;
static control get(void) { return __builtin_arm_get_fpscr(); }
static void set(control c) { __builtin_arm_set_fpscr(c); }
enum { FLUSH = 1 << 24, UP = 1 << 22, DOWN = 2 << 22, MASKS = 0, TRAPPING = 0 };
#else
typedef uint64_t control;
static control get(void)
{
	control c;
	__asm__ volatile("mrs %0, fpcr" : "=r"(c));
	return c;
}
static void set(control c) { __asm__ volatile("msr fpcr, %0" : : "r"(c)); }
enum { FLUSH = 1 << 24, UP = 1 << 22, DOWN = 2 << 22, MASKS = 0, TRAPPING = 0 }; /* traps are optional on arm64 */
#endif

/* The environments to survive: flags, and on x86 unmasked exceptions too. */
static control worst(int i)
{
	control c = (control)FLUSH | (i % 2 ? (control)UP : (control)DOWN);
	return i % 3 == 2 && TRAPPING ? c : c | MASKS;
}

static resnext_model *model;

static void check_session(resnext_session *session, control environment)
{
	float logits[CLASSES];
	resnext_prediction best[1];
	resnext_image image = RESNEXT_IMAGE(RESNEXT_RGB, SIDE, SIDE, input);
	size_t top = 1;

	set(environment);
	resnext_status status = resnext_infer_input(session, input, INPUT, logits, CLASSES);
	control after = get();
	resnext_status classified = resnext_classify(session, &image, best, &top);
	control afterwards = get();
	resnext_status refused = resnext_infer_input(session, input, 1, logits, CLASSES);
	control at_last = get();
	set(MASKS);
	OK(status);
	OK(classified);
	STATUS(RESNEXT_EINVAL, refused);
	CHECK(memcmp(logits, input_logits, sizeof logits) == 0, "%.9g, expected %.9g", (double)logits[0], (double)input_logits[0]);
	CHECK(after == environment && afterwards == environment && at_last == environment, "%lx, %lx and %lx, expected %lx",
		(long)after, (long)afterwards, (long)at_last, (long)environment);
}

static void *thread(void *number)
{
	control environment = worst((int)(intptr_t)number);
	resnext_session *session;
	resnext_session_options options = {sizeof options, (uint32_t)(intptr_t)number % 3, 0};

	set(environment);
	resnext_status status = resnext_session_new(model, &options, &session);
	control after = get();
	set(MASKS);
	OK(status);
	CHECK(after == environment, "%lx, expected %lx", (long)after, (long)environment);
	for (long i = 0; i < rounds(40); i++)
		check_session(session, environment);
	set(environment);
	status = resnext_session_close(session);
	set(MASKS);
	OK(status);
	return NULL;
}

int main(void)
{
	enum { THREADS = 9 };
	pthread_t threads[THREADS];

	set(worst(0));
	load_library();
	set(MASKS);
	read_input();

	set(worst(2)); /* the first call, which starts Go */
	resnext_status status = resnext_model_open(TINY, NULL, &model);
	control after = get();
	set(MASKS);
	OK(status);
	CHECK(after == worst(2), "%lx, expected %lx", (long)after, (long)worst(2));
	for (intptr_t i = 0; i < THREADS; i++)
		CHECK(pthread_create(&threads[i], NULL, thread, (void *)i) == 0, "%s", strerror(errno));
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);

	/* No exception flag of the library's arithmetic stays behind. */
	resnext_session *session;
	OK(resnext_session_new(model, NULL, &session));
	float logits[CLASSES];
	feclearexcept(FE_ALL_EXCEPT);
	OK(resnext_infer_input(session, input, INPUT, logits, CLASSES));
	CHECK(fetestexcept(FE_ALL_EXCEPT) == 0, "exception flags %x", fetestexcept(FE_ALL_EXCEPT));
	feraiseexcept(FE_UNDERFLOW);
	OK(resnext_infer_input(session, input, INPUT, logits, CLASSES));
	CHECK(fetestexcept(FE_UNDERFLOW), "the program's exception flag is gone");
	OK(resnext_session_close(session));
	OK(resnext_model_close(model));
	return 0;
}
