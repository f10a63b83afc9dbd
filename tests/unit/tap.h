/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * A TAP printer for the unit tests.
 *
 * A test is a function without arguments; it fails when one of its TAP_CHECK()s
 * does, in whichever thread.  tap_run() prints the plan and one line for each
 * test; what went wrong stands in "#" lines before it.
 */
#ifndef PTAP_UNIT_TAP_H
#define PTAP_UNIT_TAP_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

/* Is this built with ThreadSanitizer? */
#ifdef __SANITIZE_THREAD__
#define TAP_TSAN		1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define TAP_TSAN		1
#endif
#endif
#ifndef TAP_TSAN
#define TAP_TSAN		0
#endif

struct tap_test {
	const char *name;
	void (*run)(void);
};

/* A check of the running test failed; it goes on, unless it looks at this. */
static bool tap_failed;

static inline bool tap_has_failed(void)
{
	return __atomic_load_n(&tap_failed, __ATOMIC_RELAXED);
}

__attribute__((format(printf, 1, 2)))
static inline void tap_note(const char *fmt, ...)
{
	va_list ap;

	flockfile(stdout);
	fputs("# ", stdout);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
	funlockfile(stdout);
}

static inline bool tap_check(bool good, const char *what, const char *file,
			     int line)
{
	if (!good) {
		__atomic_store_n(&tap_failed, true, __ATOMIC_RELAXED);
		tap_note("%s:%d: not true: %s", file, line, what);
	}
	return good;
}

#define TAP_CHECK(cond)	tap_check(!!(cond), #cond, __FILE__, __LINE__)

/* How long a test that has no natural end goes on. */
static inline double tap_seconds(void)
{
	const char *s = getenv("PTAP_UNIT_SECONDS");
	double seconds = s ? strtod(s, NULL) : 0;

	return seconds > 0 ? seconds : 1;
}

/* The exit status of the program. */
static inline int tap_run(const struct tap_test *tests, size_t nr)
{
	int status = EXIT_SUCCESS;
	size_t i;

	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("1..%zu\n", nr);
	for (i = 0; i < nr; i++) {
		tap_failed = false;
		tests[i].run();
		if (tap_has_failed())
			status = EXIT_FAILURE;
		printf("%s %zu - %s\n", tap_has_failed() ? "not ok" : "ok",
		       i + 1, tests[i].name);
	}
	return status;
}

/* Instead of tap_run(), if nothing can run here. */
static inline int tap_skip_all(const char *why)
{
	printf("1..0 # SKIP %s\n", why);
	return EXIT_SUCCESS;
}

#define TAP_RUN(tests)	tap_run((tests), sizeof(tests) / sizeof((tests)[0]))

#endif /* PTAP_UNIT_TAP_H */
