// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * names.c - what the files of -w are called.
 *
 * With -C and -G as tcpdump calls them.  With --ring-buffer the name is a
 * pattern in which %N is the number of the file and the rest is strftime()'s;
 * where it has no %N, number and time go in front of the suffix, as with
 * dumpcap.  Files of an earlier run are found by such patterns, too.
 */
#include <ctype.h>
#include <linux/limits.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "tapdump.h"

#define NUMBER_DIGITS	5

/* Digits that -W wants in the names of -C, as tcpdump counts them. */
static int digits(const struct options *opt)
{
	unsigned int last = opt->rotate_files ? opt->rotate_files - 1 : 0;
	int n = 0;

	for (; last; last /= 10)
		n++;
	return n;
}

/* In local time. */
static void fill_in_time(const struct files *f, const char *pattern,
			 char *name, size_t size)
{
	struct tm tm;

	if (!localtime_r(&f->period, &tm) ||
	    !strftime(name, size, pattern, &tm))
		die("no file name can be made of %s", f->opt->write);
}

/* The next conversion of a pattern, or NULL; %% is none. */
static char *conversion(char *at)
{
	while ((at = strchr(at, '%')) && at[1] == '%')
		at += 2;
	return at;
}

static char *number_at(char *pattern)
{
	while ((pattern = conversion(pattern)) && pattern[1] != 'N')
		pattern++;
	return pattern;
}

/* Of what is compressed, if it is not there; takes @name. */
static char *add_suffix(const struct options *opt, char *name)
{
	const char *suffix = codec_suffix(opt->codec);
	size_t len = strlen(name), more = strlen(suffix);

	if (len >= more && !strcmp(name + len - more, suffix))
		return name;
	name = realloc(name, len + more + 1);
	if (!name)
		die("no memory");
	memcpy(name + len, suffix, more + 1);
	return name;
}

/* What tcpdump would call them; %O is a number that may be left out. */
static char *classic_pattern(const struct options *opt)
{
	const char *from = opt->write;
	char *own = malloc(2 * strlen(from) + 3), *to = own;

	if (!own)
		die("no memory");
	for (; *from; *to++ = *from++)
		if (*from == '%' && !opt->rotate_seconds)
			*to++ = '%';
	if (opt->rotate_size) {
		*to++ = '%';
		*to++ = 'O';
	}
	*to = '\0';
	return add_suffix(opt, own);
}

static char *ring_pattern(const struct options *opt)
{
	const char *name = strrchr(opt->write, '/');
	const char *suffix;
	char *own;
	int n;

	own = strdup(opt->write);
	if (own && number_at(own))
		return add_suffix(opt, own);
	free(own);
	name = name ? name + 1 : opt->write;
	suffix = strchr(name, '.');
	if (!suffix || suffix == name)
		suffix = name + strlen(name);
	n = asprintf(&own, "%.*s_%%N%s%s", (int)(suffix - opt->write),
		     opt->write, strchr(opt->write, '%') ? "" :
		     "_%Y%m%d%H%M%S", suffix);
	if (n < 0)
		die("no memory");
	return add_suffix(opt, own);
}

/* What all of the names are like. */
char *names_pattern(const struct options *opt)
{
	return opt->is_ring ? ring_pattern(opt) : classic_pattern(opt);
}

static char *ring_name(const struct files *f)
{
	char *pattern = ring_pattern(f->opt), *at, *numbered, *full;
	char name[PATH_MAX];

	at = number_at(pattern);
	*at = '\0';
	if (asprintf(&numbered, "%s%0*u%s", pattern, NUMBER_DIGITS,
		     f->number + 1, at + 2) < 0)
		die("no memory");
	fill_in_time(f, numbered, name, sizeof(name));
	free(numbered);
	free(pattern);
	full = strdup(name);
	if (!full)
		die("no memory");
	return full;
}

/* The name that f->number and f->period ask for. */
char *names_make(const struct files *f)
{
	const struct options *opt = f->opt;
	char by_time[PATH_MAX];
	char *name;
	int n;

	if (opt->is_ring)
		return ring_name(f);
	if (opt->rotate_seconds)
		fill_in_time(f, opt->write, by_time, sizeof(by_time));
	if (!opt->rotate_size || (!f->number && !digits(opt)))
		n = asprintf(&name, "%s",
			     opt->rotate_seconds ? by_time : opt->write);
	else
		n = asprintf(&name, "%s%0*u",
			     opt->rotate_seconds ? by_time : opt->write,
			     digits(opt), f->number);
	if (n < 0)
		die("no memory");
	return add_suffix(opt, name);
}

/* What a conversion is short for, or NULL. */
static const char *short_for(char conversion)
{
	switch (conversion) {
	case 'F':
		return "%Y-%m-%d";
	case 'T':
		return "%H:%M:%S";
	case 'R':
		return "%H:%M";
	}
	return NULL;
}

static bool is_number(const char *pattern)
{
	return pattern[0] == '%' && pattern[1] &&
	       strchr("NOYymdHMSsjVUWuewGgCkl", pattern[1]);
}

/* Where the rest of a name begins, or NULL if it is another one. */
static const char *match(const char *pattern, const char *name)
{
	while (name && *pattern) {
		if (pattern[0] != '%' || pattern[1] == '%') {
			pattern += pattern[0] == '%';
			if (*name++ != *pattern++)
				return NULL;
		} else if (short_for(pattern[1])) {
			name = match(short_for(pattern[1]), name);
			pattern += 2;
		} else {
			if (!is_number(pattern) ||
			    (pattern[1] != 'O' &&
			     !isdigit((unsigned char)*name)))
				return NULL;
			while (isdigit((unsigned char)*name))
				name++;
			/* Without anything between they share the digits. */
			while (is_number(pattern))
				pattern += 2;
		}
	}
	return name;
}

/**
 * names_match - could a file be one of an earlier run?
 * @pattern: of the names, without folder
 * @name: of the file
 *
 * Only if each conversion stands for digits: what looks alike must not be taken
 * for a capture.
 */
bool names_match(const char *pattern, const char *name)
{
	name = match(pattern, name);
	return name && !*name;
}
