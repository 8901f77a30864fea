/* same.c: every way in gives the logits and features of the Go library, to the bit, for every pixel format. */
#include <fcntl.h>
#include <unistd.h>

#include "check.h"

static void check_case(resnext_session *session, FILE *list, int number)
{
	resnext_image image = {0};
	size_t chroma, length, top = CLASSES;
	char name[32];
	float want[CLASSES], got[CLASSES], probabilities[CLASSES], features[FEATURES], embedded[FEATURES], sum = 0;
	resnext_prediction best[CLASSES], same[CLASSES + 3];

	image.size = sizeof image;
	CHECK(fscanf(list, "%d %u %u %zu %zu %zu", &image.format, &image.width, &image.height, &image.stride, &chroma,
		&image.chroma_stride) == 6, "case %d", number);
	snprintf(name, sizeof name, "%d.pixels", number);
	unsigned char *pixels = read_file(name, &length);
	/* At the end of the allocation, so that tools which watch memory see a byte too much. */
	unsigned char *exact = malloc(length);
	CHECK(exact, "memory");
	memcpy(exact, pixels, length);
	free(pixels);
	image.pixels = exact;
	image.chroma = chroma ? exact + chroma : NULL;
	snprintf(name, sizeof name, "%d.logits", number);
	read_logits(name, want);
	snprintf(name, sizeof name, "%d.features", number);
	read_numbers(name, features, FEATURES);

	for (int round = 0; round < 2; round++) {
		OK(resnext_infer(session, &image, got, CLASSES));
		CHECK(memcmp(got, want, sizeof got) == 0, "case %d, format %d, %ux%u: %.9g, expected %.9g", number, image.format,
			image.width, image.height, got[0], want[0]);
	}
	OK(resnext_embed(session, &image, embedded, FEATURES));
	CHECK(memcmp(embedded, features, sizeof features) == 0, "case %d: features", number);
	OK(resnext_classify(session, &image, best, &top));
	CHECK(top == CLASSES, "%zu", top);
	top = CLASSES + 3;
	OK(resnext_top(want, CLASSES, same, &top));
	CHECK(top == CLASSES, "%zu", top);
	CHECK(memcmp(best, same, sizeof best) == 0, "case %d", number);
	OK(resnext_softmax(want, CLASSES, probabilities));
	for (int i = 0; i < CLASSES; i++) {
		CHECK(best[i].class_index < CLASSES && best[i].logit == want[best[i].class_index], "case %d, place %d", number, i);
		CHECK(best[i].probability == probabilities[best[i].class_index], "case %d, place %d", number, i);
		CHECK(i == 0 || best[i].logit <= best[i - 1].logit, "case %d, place %d", number, i);
		sum += best[i].probability;
	}
	CHECK(sum > 0.99999f && sum < 1.00001f, "%g", (double)sum);
	free(exact);
}

static void check_model(resnext_model *model)
{
	FILE *list = fopen("cases.txt", "r");
	int number, cases = 0;
	resnext_session *session = make_session(model, 1);

	CHECK(list, "cases.txt");
	for (; fscanf(list, "%d", &number) == 1; cases++)
		check_case(session, list, number);
	CHECK(cases == 7 * 5 * 2, "%d cases", cases);
	fclose(list);
	check_input(session);
	check_features(session);
	OK(resnext_session_close(session));
	session = make_session(model, 0); /* all cores */
	check_input(session);
	check_features(session);
	OK(resnext_session_close(session));
}

static void check_info(resnext_model *model)
{
	const char *want[CLASSES] = {"cat", "dog", "\xe7\x8c\xab", "", "e", "f"}, *label;
	resnext_model_info info = {0};

	info.size = sizeof info;
	OK(resnext_model_get_info(model, &info));
	CHECK(info.size == sizeof info && info.width == SIDE && info.height == SIDE && info.classes == CLASSES, "info");
	CHECK(info.layers == 11 && info.macs > 100000 && info.session_bytes > INPUT, "%u layers, %llu MACs, %llu bytes", info.layers,
		(unsigned long long)info.macs, (unsigned long long)info.session_bytes);
	CHECK(strcmp(info.architecture, "") == 0 && strlen(info.kernels) > 0, "%s, %s", info.architecture, info.kernels);
	for (uint32_t i = 0; i < CLASSES; i++) {
		OK(resnext_model_label(model, i, &label));
		CHECK(strcmp(label, want[i]) == 0, "%s", label);
	}
}

int main(void)
{
	resnext_model *model;
	size_t length;

	read_input();
	model = open_tiny();
	check_info(model);
	check_model(model);
	OK(resnext_model_close(model));

	resnext_model_options options = {sizeof options, "generic", 0};
	unsigned char *data = read_file(TINY, &length);
	OK(resnext_model_open_memory(data, length, &options, &model));
	memset(data, 0, length); /* not needed afterwards */
	free(data);
	check_model(model);
	OK(resnext_model_close(model));

	int fd = open(TINY, O_RDONLY);
	CHECK(fd >= 0 && lseek(fd, 17, SEEK_SET) == 17, "%s", strerror(errno));
	OK(resnext_model_open_fd(fd, NULL, &model));
	CHECK(lseek(fd, 0, SEEK_CUR) == 17, "the offset has moved");
	CHECK(close(fd) == 0, "the descriptor was closed");

	/* The model outlives its handle while a session needs it. */
	resnext_session *session = make_session(model, 1);
	const char *label;
	OK(resnext_model_label(model, 0, &label));
	OK(resnext_model_close(model));
	check_input(session);
	CHECK(strcmp(label, "cat") == 0, "%s", label);
	OK(resnext_session_close(session));

	CHECK(resnext_abi_version() == RESNEXT_ABI_VERSION, "%u", resnext_abi_version());
	CHECK(strcmp(resnext_version_string(), RESNEXT_VERSION) == 0, "%s", resnext_version_string());
	CHECK(resnext_cpu_features() == resnext_cpu_features() && strlen(resnext_cpu_features()) < 200, "%s", resnext_cpu_features());
	for (int i = -1; i < 20; i++)
		CHECK(strlen(resnext_strerror((resnext_status)i)) > 3, "status %d", i);
	return 0;
}
