/* log.c: messages reach the program's function, on the thread that made the call, until it is taken away. */
#include <pthread.h>
#include <unistd.h>

#include "check.h"

struct heard {
	int infos, warnings;
	pthread_t thread;
	char last[600];
};

static void listen_to(resnext_log_level level, const char *message, void *user)
{
	struct heard *heard = user;

	CHECK(level == RESNEXT_LOG_INFO || level == RESNEXT_LOG_WARNING, "%d", (int)level);
	CHECK(*message && !strchr(message, '\n') && strlen(message) < sizeof heard->last, "%s", message);
	if (level == RESNEXT_LOG_INFO)
		heard->infos++;
	else
		heard->warnings++;
	heard->thread = pthread_self();
	strcpy(heard->last, message);
}

/* Calls the library, whose messages get lost meanwhile, and may not take itself away. */
static void call_back(resnext_log_level level, const char *message, void *user)
{
	int *calls = user;

	(void)level, (void)message;
	++*calls;
	OK(resnext_model_close(open_tiny()));
	STATUS(RESNEXT_EBUSY, resnext_set_log(NULL, NULL));
	CHECK(strstr(resnext_last_error(), "resnext_set_log: "), "words");
}

static void check_call_back(void)
{
	int calls = 0;

	alarm(60); /* it must not hang */
	OK(resnext_set_log(call_back, &calls));
	OK(resnext_model_close(open_tiny()));
	CHECK(calls == 1, "%d calls", calls);
	OK(resnext_set_log(NULL, NULL));
}

static void *open_and_close(void *unused)
{
	(void)unused;
	OK(resnext_model_close(open_tiny()));
	return NULL;
}

int main(void)
{
	struct heard first = {0}, second = {0};
	pthread_t thread;

	read_input();
	open_and_close(NULL); /* nobody listens */
	OK(resnext_set_log(listen_to, &first));
	resnext_model *model = open_tiny();
	CHECK(first.infos == 1 && first.warnings == 0 && pthread_equal(first.thread, pthread_self()), "%s", first.last);
	CHECK(strstr(first.last, "32x32 pixels, 6 classes"), "%s", first.last);
	resnext_session *session = make_session(model, 1);
	CHECK(first.infos == 2 && strstr(first.last, "1 threads"), "%s", first.last);
	check_input(session);
	CHECK(first.infos == 2, "an inference says: %s", first.last);
	OK(resnext_set_log(listen_to, &second));
	CHECK(pthread_create(&thread, NULL, open_and_close, NULL) == 0, "%s", strerror(errno));
	pthread_join(thread, NULL);
	CHECK(first.infos == 2 && second.infos == 1, "%d, %d", first.infos, second.infos);
	OK(resnext_set_log(NULL, NULL));
	OK(resnext_session_close(session));
	OK(resnext_model_close(model));
	open_and_close(NULL);
	CHECK(first.infos == 2 && second.infos == 1, "%d, %d", first.infos, second.infos);
	check_call_back();
	return 0;
}
