/*
 * resnext.h: int8 inference of ResNeXt networks.
 *
 * A model is a file that the tool `calib` made. A session runs it: pictures go in, one logit a class comes out, or
 * the features that they follow from. The same model and the same pixels give the same numbers, to the bit, on every
 * CPU and with any number of threads.
 *
 *     resnext_model *model;
 *     resnext_session *session;
 *     resnext_prediction best[5];
 *     size_t count = 5;
 *     resnext_image image = RESNEXT_IMAGE(RESNEXT_RGB, width, height, pixels);
 *
 *     if (resnext_model_open("model.int8.safetensors", NULL, &model) != RESNEXT_OK ||
 *         resnext_session_new(model, NULL, &session) != RESNEXT_OK ||
 *         resnext_classify(session, &image, best, &count) != RESNEXT_OK)
 *             fprintf(stderr, "%s\n", resnext_last_error());
 *
 * For every function:
 *
 * Errors     It returns RESNEXT_OK (0) or an error, never both an error and a result: on error no out-parameter has
 *            been written. resnext_last_error() then says what went wrong in words, for this thread. A null
 *            pointer, a wrong size, a handle that was closed or never was one gives a status, never a crash: handles
 *            are looked up, never followed, and the words tell a closed one from one that never was. A pointer to
 *            too little memory is the one thing that cannot always be found out: pixels, logits or a file in memory
 *            where there is none to use give RESNEXT_EINVAL too.
 * Threads    Any function may be called from any thread at any time. Models are immutable and shared freely. A
 *            session does one thing at a time: a second call on it meanwhile gives RESNEXT_EBUSY. For parallel
 *            inference make one session a thread: a session costs its activations only, not the weights.
 * Ownership  What the caller passes is read during the call and not kept. What the library returns by pointer
 *            (labels, names) belongs to it and lives as long as stated.
 * Structs    A struct whose first member is `size` must have it set to sizeof of the struct, and `reserved` to 0; the other
 *            members may be zero: that is the default. Set all to zero first and then what you need. Later versions
 *            add members at the end. A program that was built with an older header keeps working: what its struct does
 *            not have is taken as 0 and not written. One that was built with a newer header works with this library as
 *            long as the members that it has in addition are 0, and is refused (RESNEXT_EINVAL) otherwise; such
 *            members of results become 0.
 * Floats     A thread's rounding mode, flush-to-zero flags, exception traps and exception flags neither change a result
 *            nor are changed.
 * Signals    A thread's signal mask and its alternate signal stack are after a call what they were before it. During a
 *            call the thread's signals wait until it is done, all but those of a fault: SIGSEGV, SIGBUS, SIGFPE, SIGILL,
 *            SIGTRAP and SIGSYS; Ctrl-C, too, has its effect after the call. So a handler runs where it would run
 *            without the library: it needs no SA_ONSTACK, however much stack it uses, and may be installed before or
 *            after the first call. The library's own threads take none of the program's signals: signalfd() and
 *            sigwait() lose nothing. It sends none, and SIGURG and SIGPIPE are the program's.
 * fork       A program may fork as long as it has made no call that does work. Afterwards, in a child that does not exec,
 *            every such call gives RESNEXT_EFORK; the parent goes on undisturbed.
 *
 * The library holds a Go runtime. Loading it starts nothing; the first call that does work starts Go and some threads.
 * dlclose() is harmless and frees nothing (a plugin that has libresnext.a inside must be linked with -z nodelete for
 * that). A call must return: no longjmp() or exception out of a log function, or out of a fault's handler, through it,
 * no asynchronous pthread_cancel(). It needs 64 KiB of stack.
 *
 * What the program has to leave to Go:
 *
 * Faults     From the first call on Go has handlers for SIGSEGV, SIGBUS and SIGFPE, with SA_ONSTACK. What did not happen
 *            in a call they pass on to the program's own, if those were there before; these then run on the thread's
 *            alternate signal stack, if it has one. A handler that is installed later takes the place of Go's: it must
 *            have SA_ONSTACK, and pass on to the former what is not its own; otherwise a wrong pointer in a call gives
 *            no status. Handlers of SIGILL, SIGTRAP and SIGSYS that are to run during a call, such as a sandbox's, must
 *            have SA_ONSTACK; they then have 128 KiB.
 * Memory     The first call asks the system for what Go needs to start, and gives RESNEXT_ENOMEM if that is refused; it
 *            can be made again. Asked for are 1.6 GiB of address space (0.7 on 32-bit ARM) (RLIMIT_AS), most of which is never used, and
 *            48 MiB of memory (RLIMIT_DATA), each with the stacks of one thread for every CPU and ten more; these
 *            threads (RLIMIT_NPROC); and four descriptors (RLIMIT_NOFILE). With 64 MiB more address space for each of
 *            these threads everything works. Opening a model, making a session, batches and large pictures ask for their
 *            memory in the same way. What was given back may be taken by others a moment later, though, and Go needs a little
 *            memory, or a thread, at any time: if it is refused that, it ends the process (SIGABRT or exit status 2)
 *            with a report on standard error. So leave room.
 * Sandboxes  A seccomp filter must let these calls pass, in the library's threads too: brk, clone, clone3, close,
 *            epoll_create1, epoll_ctl, epoll_pwait, eventfd2, exit, exit_group, fcntl, fstat, futex, getpid, getrandom,
 *            gettid, madvise, mmap, mprotect, munmap, nanosleep, newfstatat, openat, pread64, prlimit64, read, rseq,
 *            rt_sigaction, rt_sigprocmask, rt_sigreturn, sched_getaffinity, sched_yield, set_robust_list, sigaltstack,
 *            tgkill, write. If it refuses clone3 (other than with ENOSYS), epoll_create1, epoll_ctl, eventfd2,
 *            rt_sigprocmask or sigaltstack, the first call gives RESNEXT_ENOMEM; a filter that comes after it does
 *            not. Files are only ever read: models, and what may be missing below /proc/self, /sys/fs/cgroup and
 *            /sys/kernel/mm.
 * Variables  Of the environment with which the program was started RESNEXT_KERNELS and RESNEXT_MEMORY_LIMIT alone are
 *            obeyed, see resnext_model_options. Go's own variables, such as GODEBUG and GOGC, have no effect.
 */
#ifndef RESNEXT_H
#define RESNEXT_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The interface of this header. resnext_abi_version() tells the library's; it grows when something is added, and
 * the library's soname changes when something is taken away. */
#define RESNEXT_ABI_VERSION 2

/* The release that this header belongs to; resnext_version_string() tells the library's. */
#define RESNEXT_VERSION "0.1.0"

/* Marks what the shared library exports. */
#if defined(__GNUC__)
#define RESNEXT_API __attribute__((visibility("default")))
#else
#define RESNEXT_API
#endif

typedef struct resnext_model resnext_model;
typedef struct resnext_session resnext_session;

/* Values never change their meaning; new ones may come. */
typedef enum resnext_status {
	RESNEXT_OK = 0,
	RESNEXT_EINVAL = 1,    /* an argument makes no sense: a null pointer or handle, a size, a format */
	RESNEXT_EHANDLE = 2,   /* the handle is closed, of the other kind, or not this library's */
	RESNEXT_EIO = 3,       /* a file could not be read */
	RESNEXT_EMODEL = 4,    /* the file is no int8 model, is damaged, or needs a newer library */
	RESNEXT_EKERNELS = 5,  /* the kernels asked for are unknown, or this CPU cannot run them */
	RESNEXT_EBUSY = 6,     /* the session is in use by another thread, or the log function is running */
	RESNEXT_EFORK = 7,     /* this process is a fork of the one that loaded the library */
	RESNEXT_ENOMEM = 8,    /* the system refuses memory, address space, threads, descriptors or a system call */
	RESNEXT_EINTERNAL = 9  /* a bug in this library, caught before it could crash the program */
} resnext_status;

/* ---- The library ---- */

/* The interface version that the library has: RESNEXT_ABI_VERSION of the header that it was built with. */
RESNEXT_API uint32_t resnext_abi_version(void);

/* The release, such as "0.1.0". Valid for ever. */
RESNEXT_API const char *resnext_version_string(void);

/* What a status means, in a few English words without a line end. Never null, also for unknown values. Valid for
 * ever. */
RESNEXT_API const char *resnext_strerror(resnext_status status);

/* What went wrong in the last call on this thread that failed: one line of UTF-8, the function's name first; "" if none
 * did. Valid until the next call that fails on this thread, or the thread's end. */
RESNEXT_API const char *resnext_last_error(void);

/* The CPU's features that matter here, as /proc/cpuinfo names them and separated by blanks, such as "avx2 avx_vnni" or
 * "asimd asimddp"; "" if there are none, or in a fork before which nobody asked. Valid for ever. */
RESNEXT_API const char *resnext_cpu_features(void);

/* How grave a message is. */
typedef enum resnext_log_level {
	RESNEXT_LOG_WARNING = 1, /* it goes on, but not as it should: kernels that failed their self-test */
	RESNEXT_LOG_INFO = 2     /* what was opened, with which kernels and threads */
} resnext_log_level;

/* Receives messages: one line of text without line end, valid during the call. It is called on the thread that opens a
 * model or makes a session, one call at a time, and must not wait for another thread that calls the library. Its own calls
 * send no messages, and resnext_set_log() among them gives RESNEXT_EBUSY. */
typedef void (*resnext_log_fn)(resnext_log_level level, const char *message, void *user);

/* Sends messages to log, with user passed along; null sends them nowhere, as in the beginning. It holds for the
 * whole process. Once it has returned, the former function is not called any more. */
RESNEXT_API resnext_status resnext_set_log(resnext_log_fn log, void *user);

/* ---- Models ---- */

typedef struct resnext_model_options {
	size_t size; /* sizeof(resnext_model_options) */
	/* The kernel set: "generic", "avx2", "avxvnni", "avx512vnni", "neon", "neondot", "i8mm", ...; null or "auto" takes
	 * the best of this CPU, or what the environment variable RESNEXT_KERNELS named when the program was started. All
	 * give the same bytes. */
	const char *kernels;
	/* The most memory in bytes that one session, and the tables that sessions share, may need; RESNEXT_ENOMEM if the
	 * network needs more. 0 takes what the environment variable RESNEXT_MEMORY_LIMIT said in MiB when the program was
	 * started, or 512 MiB. */
	uint64_t memory_limit;
} resnext_model_options;

/* Opens the model file at path (UTF-8). It reads, checks and packs the weights, which takes up to a second for large
 * networks; the file is not needed afterwards. options may be null. Gives RESNEXT_EIO, RESNEXT_EMODEL,
 * RESNEXT_EKERNELS, RESNEXT_ENOMEM or RESNEXT_EINVAL. */
RESNEXT_API resnext_status resnext_model_open(const char *path, const resnext_model_options *options, resnext_model **model);

/* The same for a file that is in memory: length bytes at data. They are not needed afterwards. */
RESNEXT_API resnext_status resnext_model_open_memory(const void *data, size_t length, const resnext_model_options *options,
	resnext_model **model);

/* The same for an open file descriptor of a regular file. It is read from its beginning, whatever its offset, which
 * does not change; it stays open and belongs to the caller. */
RESNEXT_API resnext_status resnext_model_open_fd(int fd, const resnext_model_options *options, resnext_model **model);

typedef struct resnext_model_info {
	size_t size;           /* sizeof(resnext_model_info), set by the caller before the call */
	uint32_t width;        /* of the network's input, in pixels */
	uint32_t height;
	uint32_t classes;      /* how many logits there are: 0 of RESNEXT_EMBEDDING */
	uint32_t layers;       /* with weights: the 50 of ResNeXt-50 */
	uint64_t macs;         /* multiply-accumulates for one picture */
	uint64_t session_bytes;/* what a session allocates for activations */
	const char *architecture; /* such as "resnext50_32x4d"; "" if it has no usual name */
	const char *kernels;   /* the kernel set in use. Both strings live as long as the model or a session of it is open */
} resnext_model_info;

/* Fills info with what is known of the model: info->size bytes, those that a newer header has added with zeros. */
RESNEXT_API resnext_status resnext_model_get_info(const resnext_model *model, resnext_model_info *info);

/* What a model makes of the features of a picture. Values never change their meaning; new ones may come. */
typedef enum resnext_head {
	RESNEXT_ONE_CLASS = 1,   /* logits of classes of which one is right: probabilities by softmax */
	RESNEXT_MULTI_LABEL = 2, /* logits of labels any of which may be right: each a probability by sigmoid */
	RESNEXT_EMBEDDING = 3    /* nothing: the features are the answer, there are no classes */
} resnext_head;

/* Tells a model's head, a resnext_head. Since interface version 2. */
RESNEXT_API resnext_status resnext_model_head(const resnext_model *model, int32_t *head);

/* Tells how many features a picture has, 1 or more, whatever the head: 2048 in ResNeXt-50. Since interface version 2. */
RESNEXT_API resnext_status resnext_model_features(const resnext_model *model, uint32_t *features);

/* Points label to the name of a class, 0 to classes-1, in UTF-8: "class 7" where the model has no names. It is valid UTF-8
 * without control characters, as are the names in resnext_model_info: models that have others are not opened. Valid
 * as long as the model or a session of it is open. */
RESNEXT_API resnext_status resnext_model_label(const resnext_model *model, uint32_t class_index, const char **label);

/* Closes a model. Its sessions go on working and keep the memory until they are closed; with the last of them it goes
 * back to the system, which may take some milliseconds. Null is no error; closing twice gives RESNEXT_EHANDLE. */
RESNEXT_API resnext_status resnext_model_close(resnext_model *model);

/* ---- Sessions ---- */

typedef struct resnext_session_options {
	size_t size; /* sizeof(resnext_session_options) */
	/* How many CPU cores one inference uses; 0 takes all that the process may use, and more than those are never
	 * used. The results do not depend on it. */
	uint32_t threads;
	uint32_t reserved; /* 0 */
} resnext_session_options;

/* Makes a session. It allocates what inferences need; they allocate nothing more once pictures of one size have
 * been seen. options may be null. */
RESNEXT_API resnext_status resnext_session_new(const resnext_model *model, const resnext_session_options *options,
	resnext_session **session);

/* The number of threads that an inference uses. */
RESNEXT_API resnext_status resnext_session_threads(const resnext_session *session, uint32_t *threads);

/* Closes a session and ends its threads; if it is the last of a closed model, that model's memory is given back as by
 * resnext_model_close(). Null is no error; closing twice gives RESNEXT_EHANDLE, closing while another
 * thread infers RESNEXT_EBUSY. */
RESNEXT_API resnext_status resnext_session_close(resnext_session *session);

/* ---- Pictures ---- */

/* How pixels lie in memory. All are 8 bits a sample. */
typedef enum resnext_format {
	RESNEXT_RGB = 1,  /* R G B, 3 bytes a pixel */
	RESNEXT_BGR = 2,  /* B G R, as OpenCV has it */
	RESNEXT_RGBA = 3, /* R G B A, 4 bytes a pixel; alpha is ignored */
	RESNEXT_BGRA = 4,
	RESNEXT_GRAY = 5, /* 1 byte a pixel, taken as R = G = B */
	/* YCbCr formats are taken as BT.601 limited range (luma 16 to 235), as cameras give them; a sample of Cb and Cr
	 * serves all pixels that it covers. */
	RESNEXT_NV12 = 6, /* a plane of luma, and one of interleaved Cb Cr at half the width and height (rounded up) */
	RESNEXT_YUYV = 7  /* Y0 Cb Y1 Cr, 2 bytes a pixel; the width is even */
} resnext_format;

typedef struct resnext_image {
	size_t size;            /* sizeof(resnext_image) */
	int32_t format;         /* a resnext_format */
	uint32_t width, height; /* in pixels, each 1 to 16384, and at most 2^27 (134 million) in all */
	uint32_t reserved;      /* 0 */
	/* The first pixel of the top row, and the distance of rows in bytes; a stride of 0 means that rows follow each other
	 * without gaps, one less than the row (but not 0) is an error. */
	const void *pixels;
	size_t stride;
	/* Of NV12 alone: the plane of Cb Cr, null if it follows the luma's last row (and the gap after that); and its stride,
	 * 0 if that is like the luma's. */
	const void *chroma;
	size_t chroma_stride;
} resnext_image;

/* An initialiser for a picture without gaps. */
#define RESNEXT_IMAGE(format, width, height, pixels) \
	{ sizeof(resnext_image), (int32_t)(format), (uint32_t)(width), (uint32_t)(height), 0, (pixels), 0, NULL, 0 }

/* ---- Inference ---- */

/* Runs the network on a picture of any size, resized and cropped as the model file says (with antialiasing, as
 * Pillow does it, to the bit). logits receives one number a class; count must be the number of classes. A model without
 * classes gives RESNEXT_EINVAL. */
RESNEXT_API resnext_status resnext_infer(resnext_session *session, const resnext_image *image, float *logits, size_t count);

/* Runs the network on exactly its input: height x width pixels of R G B without gaps, length = 3 * width * height
 * bytes, neither resized nor cropped. */
RESNEXT_API resnext_status resnext_infer_input(resnext_session *session, const void *rgb, size_t length, float *logits,
	size_t count);

/* Gives the features of a picture, prepared as by resnext_infer: the average over the last map of each channel, which is
 * what the classifier reads, and the answer of a model that has none. Pictures that look alike have features that point
 * the same way: their cosine, the sum of products divided by both lengths, is near 1. Those of two model files are not to
 * be compared, not even if calib made them from the same weights. They are finite and not negative.
 * features receives count numbers; count must be what resnext_model_features() tells. Works with every model. Since
 * interface version 2. */
RESNEXT_API resnext_status resnext_embed(resnext_session *session, const resnext_image *image, float *features, size_t count);

/* The same for exactly the network's input, as resnext_infer_input takes it. Since interface version 2. */
RESNEXT_API resnext_status resnext_embed_input(resnext_session *session, const void *rgb, size_t length, float *features,
	size_t count);

/* Runs the network on n pictures (1 or more), an array of structs whose `size` is the same, prepared as by resnext_infer:
 * logits receives one number a class of the first picture, then of the next; count must be n times the number of classes,
 * and at most 2^28. The numbers are those of resnext_infer, to the bit. It is for throughput, of small networks above all:
 * each thread works on a picture of its own, and none waits for another at the end of a layer. For that a session
 * has memory for activations once more for each thread but one, as far as resnext_model_options.memory_limit has room,
 * and for some prepared pictures; it is asked for by the first call, which may give RESNEXT_ENOMEM, as may one of more
 * pictures than before. An error in any picture is one of the whole call. Since interface version 2. */
RESNEXT_API resnext_status resnext_infer_batch(resnext_session *session, const resnext_image *images, size_t n, float *logits,
	size_t count);

/* The same for features, which resnext_embed gives; count must be n times their number. Since interface version 2. */
RESNEXT_API resnext_status resnext_embed_batch(resnext_session *session, const resnext_image *images, size_t n, float *features,
	size_t count);

/* Turns count logits (1 to 2^28) into probabilities that add up to 1, as is right for RESNEXT_ONE_CLASS. Both may be the
 * same array. Logits that are not finite give RESNEXT_EINVAL. Works without a session or model. */
RESNEXT_API resnext_status resnext_softmax(const float *logits, size_t count, float *probabilities);

/* Turns count logits (1 to 2^28) into probabilities each for itself, 1 / (1 + exp(-logit)), as is right for
 * RESNEXT_MULTI_LABEL. All else is as in resnext_softmax. Since interface version 2. */
RESNEXT_API resnext_status resnext_sigmoid(const float *logits, size_t count, float *probabilities);

typedef struct resnext_prediction {
	uint32_t class_index;
	float probability; /* by softmax over all classes; from resnext_classify() of RESNEXT_MULTI_LABEL by sigmoid */
	float logit;
} resnext_prediction;

/* Gives the *top (1 or more) most probable of count classes, best first; equals by class, lowest first. *top becomes how
 * many there are: less than asked for where there are fewer classes. Probabilities are by softmax, since it knows no
 * model: for logits of RESNEXT_MULTI_LABEL take resnext_sigmoid(). Logits that are not finite give RESNEXT_EINVAL. Works
 * without a session or model. */
RESNEXT_API resnext_status resnext_top(const float *logits, size_t count, resnext_prediction *predictions, size_t *top);

/* resnext_infer and resnext_top in one call, but that each probability is as the model's head asks for it: of
 * RESNEXT_MULTI_LABEL by sigmoid, so that they do not add up to 1 and several may be near it. A model without classes
 * gives RESNEXT_EINVAL. */
RESNEXT_API resnext_status resnext_classify(resnext_session *session, const resnext_image *image,
	resnext_prediction *predictions, size_t *top);

#ifdef __cplusplus
}
#endif

#endif
