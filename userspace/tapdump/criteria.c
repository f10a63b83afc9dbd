// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * criteria.c - NAME:VALUE of --autostop and --ring-buffer, as dumpcap has them,
 * and what does not go together.
 *
 * Sizes are kB, thousands of bytes, as dumpcap's, or with a suffix as -C's.
 */
#include <ctype.h>
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include "tapdump.h"

enum where { STOP = 1, RING = 2 };
enum unit { COUNT32, COUNT64, SIZE };

static const struct criterion {
	const char *name;
	unsigned int where;
	enum unit unit;
	size_t offset;
	uint64_t max;
} criteria[] = {
	{ "duration", STOP | RING, COUNT32, offsetof(struct limits, seconds),
	  INT32_MAX },
	{ "interval", RING, COUNT32, offsetof(struct limits, interval),
	  INT32_MAX },
	{ "filesize", STOP | RING, SIZE, offsetof(struct limits, bytes), 0 },
	{ "packets", STOP | RING, COUNT64, offsetof(struct limits, packets),
	  UINT64_MAX },
	{ "files", STOP | RING, COUNT32, offsetof(struct limits, files),
	  INT32_MAX },
	{ "total", RING, SIZE, offsetof(struct limits, total), 0 },
	{ "disk", RING, COUNT32, offsetof(struct limits, percent), 99 },
};

#define NR_CRITERIA	(sizeof(criteria) / sizeof(*criteria))

static uint64_t value_of(const struct criterion *c, const char *text)
{
	static const char suffixes[] = "kmg";
	uint64_t unit = 1, max = c->max;
	unsigned long long v;
	const char *suffix;
	char *end;

	errno = 0;
	v = strtoull(text, &end, 10);
	if (c->unit == SIZE) {
		unit = 1000;
		suffix = *end ? strchr(suffixes, tolower((unsigned char)*end)) :
				NULL;
		if (suffix) {
			unit = 1024ULL << 10 * (suffix - suffixes);
			end++;
		}
		max = INT64_MAX / unit;
	}
	if (errno || *end || !isdigit((unsigned char)*text) || !v || v > max)
		die("invalid value %s of %s: a number from 1 to %llu is wanted",
		    text, c->name, (unsigned long long)max);
	return v * unit;
}

static void parse(struct limits *limits, const char *option, const char *text,
		  enum where where)
{
	const struct criterion *c;
	char *member;
	size_t len;

	for (c = criteria; c < criteria + NR_CRITERIA; c++) {
		len = strlen(c->name);
		if (!(c->where & where) || strncmp(text, c->name, len) != 0 ||
		    text[len] != ':')
			continue;
		member = (char *)limits + c->offset;
		if (c->unit == COUNT32)
			*(uint32_t *)member = value_of(c, text + len + 1);
		else
			*(uint64_t *)member = value_of(c, text + len + 1);
		return;
	}
	die("unknown criterion %s for %s: it is %s", text, option,
	    where == STOP ?
	    "duration:SECONDS, filesize:KB, files:COUNT or packets:COUNT" :
	    "duration:SECONDS, interval:SECONDS, filesize:KB, packets:COUNT, files:COUNT, total:KB or disk:PERCENT");
}

void criteria_stop(struct options *opt, const char *text)
{
	parse(&opt->stop, "--autostop", text, STOP);
	if (opt->stop.packets)
		opt->count = opt->stop.packets;
	opt->ours = "--autostop";
}

void criteria_ring(struct options *opt, const char *text)
{
	parse(&opt->ring, "--ring-buffer", text, RING);
	opt->is_ring = true;
	opt->ours = "--ring-buffer";
}

void criteria_compress(struct options *opt, const char *text)
{
	if (codec_parse(text, &opt->codec, &opt->level))
		die("--compress is zstd, lz4 or gzip, with a level as in zstd:3 where wanted, not %s",
		    text);
	opt->ours = "--compress";
}

void criteria_on_full(struct options *opt, const char *text)
{
	if (!strcmp(text, "stop"))
		opt->on_full = FULL_STOP;
	else if (!strcmp(text, "wait"))
		opt->on_full = FULL_WAIT;
	else if (!strcmp(text, "ring"))
		opt->on_full = FULL_RING;
	else
		die("--on-full is stop, wait or ring, not %s", text);
	opt->ours = "--on-full";
}

/* What does not go together; with -w. */
void criteria_check(const struct options *opt)
{
	const struct limits *ring = &opt->ring;
	bool several = opt->is_ring || opt->rotate_size || opt->rotate_seconds;

	if (opt->is_ring && (opt->rotate_size || opt->rotate_seconds ||
			     opt->rotate_files))
		die("--ring-buffer has limits and names of its own; use it or -C, -G and -W");
	if (opt->is_ring && !ring->bytes && !ring->seconds && !ring->interval &&
	    !ring->packets)
		die("--ring-buffer does not say when a file ends: give filesize, duration, interval or packets as well");
	if (opt->stop.files && !several)
		die("--autostop=files:%u is for captures into several files: --ring-buffer, -C or -G",
		    opt->stop.files);
	if (opt->on_full == FULL_RING && !several)
		die("--on-full=ring removes the oldest of several files: give --ring-buffer, -C or -G as well");
	if (opt->no_part && !several)
		die("--no-part is for captures into several files: --ring-buffer, -C or -G");
	if (!strcmp(opt->write, "-") && (opt->is_ring || opt->part))
		die("--ring-buffer and --part are for files, and standard output is none");
}
