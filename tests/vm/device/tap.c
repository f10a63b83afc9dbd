// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * TAP output, and the child process in which each test runs.
 *
 * The child tells its result by its exit status; the reason for a skip goes
 * through a shared page.  The parent ends a child, and what the child started,
 * when its time is over.  Diagnostics go to standard output, before the line
 * that they explain.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "net.h"
#include "tap.h"

#define EXIT_SKIP		77
#define TEST_SECONDS_MAX	120
#define FAILURES_SHOWN		12

static unsigned int failures;
static char *skip_reason;	/* shared with the parent, SKIP_REASON_LEN */

#define SKIP_REASON_LEN		256

static size_t index_now;

size_t tap_index(void)
{
	return index_now;
}

unsigned int tap_failures(void)
{
	return __atomic_load_n(&failures, __ATOMIC_RELAXED);
}

static void tap_vprint(const char *file, int line, const char *fmt, va_list ap)
{
	char text[512];

	vsnprintf(text, sizeof(text), fmt, ap);
	if (file)
		printf("# %s:%d: %s\n", strrchr(file, '/') ?
		       strrchr(file, '/') + 1 : file, line, text);
	else
		printf("# %s\n", text);
	fflush(stdout);
}

void tap_fail(const char *file, int line, const char *fmt, ...)
{
	unsigned int nr = __atomic_add_fetch(&failures, 1, __ATOMIC_RELAXED);
	va_list ap;

	if (nr > FAILURES_SHOWN)
		return;
	va_start(ap, fmt);
	tap_vprint(file, line, fmt, ap);
	va_end(ap);
	if (nr == FAILURES_SHOWN)
		tap_note("more failures of this test are not shown");
}

void tap_die(const char *file, int line, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	tap_vprint(file, line, fmt, ap);
	va_end(ap);
	_exit(EXIT_FAILURE);
}

void tap_skip(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(skip_reason, SKIP_REASON_LEN, fmt, ap);
	va_end(ap);
	_exit(tap_failures() ? EXIT_FAILURE : EXIT_SKIP);
}

void tap_note(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	tap_vprint(NULL, 0, fmt, ap);
	va_end(ap);
}

static void __attribute__((noreturn)) tap_child(const struct test *test)
{
	setpgid(0, 0);
	net_private();
	test->run();
	/* Not exit(): threads may still run, and nothing is left to tidy up. */
	fflush(stdout);
	_exit(tap_failures() ? EXIT_FAILURE : EXIT_SUCCESS);
}

/* A campaign that takes its time says so by PTAP_TEST_SECONDS. */
static long test_seconds_max(void)
{
	const char *more = getenv("PTAP_TEST_SECONDS");

	return more ? strtol(more, NULL, 10) : TEST_SECONDS_MAX;
}

/* Wait status of a test; ends it when it takes too long. */
static int tap_wait(pid_t pid)
{
	struct timespec limit = { .tv_sec = test_seconds_max() };
	bool timed_out = false;
	sigset_t set;
	int status;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	while (waitpid(pid, &status, WNOHANG) == 0) {
		if (sigtimedwait(&set, NULL, &limit) >= 0 || errno != EAGAIN)
			continue;
		tap_note("ended after %ld seconds", (long)limit.tv_sec);
		kill(-pid, SIGKILL);
		waitpid(pid, &status, 0);
		timed_out = true;
		break;
	}
	kill(-pid, SIGKILL);
	return timed_out ? EXIT_FAILURE << 8 : status;
}

static bool tap_one(const struct test *test, unsigned int nr)
{
	struct timespec from, to;
	int status;
	pid_t pid;

	skip_reason[0] = 0;
	fflush(stdout);
	clock_gettime(CLOCK_MONOTONIC, &from);
	pid = fork();
	if (pid < 0) {
		perror("fork");
		exit(EXIT_FAILURE);
	}
	if (!pid)
		tap_child(test);
	status = tap_wait(pid);
	clock_gettime(CLOCK_MONOTONIC, &to);
	if (getenv("PTAP_TEST_TIMES"))
		tap_note("%.1f s", to.tv_sec - from.tv_sec +
			 (to.tv_nsec - from.tv_nsec) / 1e9);
	if (WIFSIGNALED(status))
		tap_note("killed by signal %d", WTERMSIG(status));
	if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SKIP) {
		printf("ok %u - %s # SKIP %s\n", nr, test->name, skip_reason);
		return true;
	}
	printf("%sok %u - %s\n", status ? "not " : "", nr, test->name);
	return !status;
}

int tap_main(const struct test *tests, size_t nr, int argc, char **argv)
{
	const char *only = argc > 1 ? argv[1] : "";
	unsigned int done = 0, total = 0;
	bool good = true;
	sigset_t set;
	size_t i;

	skip_reason = mmap(NULL, SKIP_REASON_LEN, PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (skip_reason == MAP_FAILED) {
		perror("mmap");
		return EXIT_FAILURE;
	}
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	for (i = 0; i < nr; i++)
		total += !!strstr(tests[i].name, only);
	printf("1..%u\n", total);
	for (i = 0; i < nr; i++) {
		index_now = i;
		if (strstr(tests[i].name, only))
			good &= tap_one(&tests[i], ++done);
	}
	return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
