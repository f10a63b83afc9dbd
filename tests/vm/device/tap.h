/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The frame in which the device tests run: TAP output, one process and one
 * network namespace for each test, a time limit.
 *
 * A test is a function.  It runs in a child process of its own, so that what
 * it leaves open or mapped, its threads, its namespace and its devices go when
 * it ends, and a test that hangs or crashes fails alone.  CHECK() notes a
 * failure and goes on, REQUIRE() ends the test, SKIP() says why it cannot run.
 * All three may be used in threads.
 */
#ifndef PTAP_TEST_TAP_H
#define PTAP_TEST_TAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct test {
	const char *name;
	void (*run)(void);
};

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

/*
 * Run the tests in order and print their results; with an argument only those
 * whose name contains it.  PTAP_TEST_TIMES in the environment prints how long
 * each took, PTAP_TEST_SECONDS says how long each may take.  Return: exit
 * status of the program.
 */
int tap_main(const struct test *tests, size_t nr, int argc, char **argv);

void tap_fail(const char *file, int line, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void tap_die(const char *file, int line, const char *fmt, ...)
	__attribute__((format(printf, 3, 4), noreturn));
void tap_skip(const char *fmt, ...)
	__attribute__((format(printf, 1, 2), noreturn));
void tap_note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Which of tap_main()'s tests this is. */
size_t tap_index(void);
/* Failures of this test so far. */
unsigned int tap_failures(void);

#define CHECK(cond, ...)						\
	do {								\
		if (!(cond))						\
			tap_fail(__FILE__, __LINE__, __VA_ARGS__);	\
	} while (0)

#define REQUIRE(cond, ...)						\
	do {								\
		if (!(cond))						\
			tap_die(__FILE__, __LINE__, __VA_ARGS__);	\
	} while (0)

#define SKIP(...)	tap_skip(__VA_ARGS__)

/* A system call that has to fail with a certain error. */
#define CHECK_ERRNO(call, want, what)					\
	do {								\
		errno = 0;						\
		long ret_ = (long)(call);				\
		int err_ = errno;					\
		CHECK(ret_ == -1 && err_ == (want),			\
		      "%s: returned %ld, errno %s, not %s", what, ret_,	\
		      strerror(err_), strerror(want));	\
	} while (0)

#define CHECK_EQ(a, b, what)						\
	do {								\
		uint64_t a_ = (a), b_ = (b);				\
		CHECK(a_ == b_, "%s: %llu, not %llu", what,		\
		      (unsigned long long)a_, (unsigned long long)b_);	\
	} while (0)

#endif /* PTAP_TEST_TAP_H */
