/* load.c: loading starts nothing; the first call does; dlclose is harmless and a second dlopen finds everything as it was. */
#include <dirent.h>
#include <pthread.h>

#include "late.h"

#include "check.h"

static int threads_now(void)
{
	DIR *tasks = opendir("/proc/self/task");
	int n = -2; /* . and .. */

	while (readdir(tasks))
		n++;
	closedir(tasks);
	return n;
}

static void *use(void *unused)
{
	(void)unused;
	OK(resnext_model_close(open_tiny()));
	return NULL;
}

int main(void)
{
	pthread_t thread;
	int before = threads_now();
	void *library = load_library();

	CHECK(dlsym(library, "resnext_classify") && !dlsym(library, "resnextgo_enter"), "names");
	CHECK(threads_now() == before, "%d threads, %d before loading", threads_now(), before);
	CHECK(dlclose(library) == 0, "%s", dlerror()); /* before Go has started */
	library = load_library();
	use(NULL);
	CHECK(threads_now() > before, "no threads");
	for (int i = 0; i < 20; i++) {
		void *again = load_library();
		CHECK(again == library, "%p, expected %p", again, library);
		CHECK(pthread_create(&thread, NULL, use, NULL) == 0, "%s", strerror(errno));
		pthread_join(thread, NULL);
		CHECK(dlclose(again) == 0, "%s", dlerror());
	}
	CHECK(dlclose(library) == 0, "%s", dlerror());
	library = load_library();
	use(NULL);
	return 0;
}
