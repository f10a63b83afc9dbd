// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * tapdump's command line (options.c, criteria.c, meta.c, ...): words that are
 * separated by line ends.  It ends the program where it refuses something; here
 * that comes back.
 */
#include <getopt.h>
#include <setjmp.h>
#include "tapdump.h"
#include "target.h"

#define WORDS_MAX	32

static jmp_buf refused;
static bool parsing;

void __real_exit(int status) __attribute__((noreturn));
void __wrap_exit(int status) __attribute__((noreturn));

void __wrap_exit(int status)
{
	if (parsing)
		longjmp(refused, 1);
	__real_exit(status);
}

/* Files of the machine are not for a fuzzer to read. */
static bool harmless(const char *word)
{
	return !strchr(word, 'F') && !strstr(word, "filter-f") &&
	       !strstr(word, "/");
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t len)
{
	char *text = strndup((const char *)data, len), *at = text, *word;
	char *argv[WORDS_MAX + 2] = { "tapdump" };
	static struct options opt;
	int argc = 1;

	be_quiet();
	opterr = 0;
	while (argc <= WORDS_MAX && (word = strsep(&at, "\n")))
		if (harmless(word))
			argv[argc++] = word;
	optind = 0;
	parsing = true;
	if (!setjmp(refused)) {
		options_parse(&opt, argc, argv);
		options_free(&opt);
	}
	parsing = false;
	free(text);
	return 0;
}
