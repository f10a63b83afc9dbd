// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * util.c - memory that cannot fail, and numbers for people to read.
 *
 * Everything here is free of knowledge about captures. Failing to get memory
 * ends the program: there is no smaller comparison to fall back to.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "pcapdiff.h"

/* Print a message to stderr and exit with the status for trouble. */
void die(const char *fmt, ...)
{
	va_list ap;

	fflush(stdout);
	fputs("pcapdiff: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(EXIT_TROUBLE);
}

static void die_memory(size_t nr, size_t size)
{
	die("out of memory (%zu times %zu bytes): the packets of both files are kept in memory, so compare less with --filter or -s",
	    nr, size);
}

/* Zeroed memory for @nr elements; at least one, so that it is never NULL. */
void *alloc_array(size_t nr, size_t size)
{
	void *mem = calloc(nr ? nr : 1, size);

	if (!mem)
		die_memory(nr, size);
	return mem;
}

/* As alloc_array(), but keeps what @old holds and does not zero the rest. */
void *grow_array(void *old, size_t nr, size_t size)
{
	void *mem = reallocarray(old, nr ? nr : 1, size);

	if (!mem)
		die_memory(nr, size);
	return mem;
}

int ns_cmp(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a;
	int64_t y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

/* The lower median of @values, which are sorted in place; 0 of none. */
int64_t median_ns(int64_t *values, size_t nr)
{
	if (!nr)
		return 0;
	qsort(values, nr, sizeof(*values), ns_cmp);
	return values[(nr - 1) / 2];
}

/* 12034 as "12,034" */
const char *format_count(char *buf, size_t size, uint64_t value)
{
	char digits[24];
	size_t nr, i, out = 0;

	nr = (size_t)snprintf(digits, sizeof(digits), "%" PRIu64, value);
	for (i = 0; i < nr && out + 2 < size; i++) {
		if (i && (nr - i) % 3 == 0)
			buf[out++] = ',';
		buf[out++] = digits[i];
	}
	buf[out] = '\0';
	return buf;
}

/* A time span in the unit that suits it; @sign also prints a plus. */
const char *format_ns(char *buf, size_t size, int64_t ns, bool sign)
{
	const char *plus = ns < 0 ? "-" : sign ? "+" : "";
	double span = ns < 0 ? -(double)ns : (double)ns;

	if (span < NSEC_PER_USEC)
		snprintf(buf, size, "%s%.0f ns", plus, span);
	else if (span < NSEC_PER_MSEC)
		snprintf(buf, size, "%s%.1f us", plus, span / NSEC_PER_USEC);
	else if (span < NSEC_PER_SEC)
		snprintf(buf, size, "%s%.1f ms", plus, span / NSEC_PER_MSEC);
	else
		snprintf(buf, size, "%s%.1f s", plus, span / NSEC_PER_SEC);
	return buf;
}

/* Local time of day with nanoseconds, as tcpdump has it. */
const char *format_clock(char *buf, size_t size, int64_t ts_ns)
{
	int64_t sec = ts_ns / NSEC_PER_SEC;
	int64_t nsec = ts_ns % NSEC_PER_SEC;
	time_t when;
	struct tm tm;
	size_t used;

	if (nsec < 0) {
		nsec += NSEC_PER_SEC;
		sec--;
	}
	when = (time_t)sec;
	if (localtime_r(&when, &tm))
		used = strftime(buf, size, "%H:%M:%S", &tm);
	else
		used = (size_t)snprintf(buf, size, "%" PRId64, sec);
	snprintf(buf + used, size - used, ".%09" PRId64, nsec);
	return buf;
}
