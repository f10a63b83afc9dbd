// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * meters_json.c - a capture's counters as a line of JSON (--stats json).
 */
#include <inttypes.h>
#include "meters.h"

const char *meters_cause(unsigned int drop)
{
	static const char *const names[] = {
		[PTAP_DROP_RING_FULL] = "ring_full",
		[PTAP_DROP_TOO_BIG] = "too_big",
		[PTAP_DROP_MALFORMED] = "malformed",
		[PTAP_DROP_COPY_FAULT] = "copy_fault",
		[PTAP_DROP_NESTED] = "nested",
		[PTAP_DROP_BAD_CONSUMER] = "bad_consumer",
		[PTAP_DROP_NO_MEMORY] = "no_memory",
		[PTAP_DROP_LINKTYPE] = "linktype",
	};

	_Static_assert(sizeof(names) / sizeof(*names) == PTAP_DROP_NR,
		       "a name for each cause");
	return names[drop];
}

uint64_t meters_fill(const struct ptap_stats *st)
{
	/* Read one after the other, the reader's share may be newer. */
	return st->captured_bytes > st->consumed_bytes ?
	       st->captured_bytes - st->consumed_bytes : 0;
}

static void string(FILE *to, const char *text)
{
	putc('"', to);
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			fprintf(to, "\\%c", *text);
		else if ((unsigned char)*text < ' ')
			fprintf(to, "\\u%04x", (unsigned char)*text);
		else
			putc(*text, to);
	}
	putc('"', to);
}

static void seconds(FILE *to, const char *name, uint64_t ns)
{
	fprintf(to, "\"%s\":%" PRIu64 ".%09u", name, ns / 1000000000,
		(unsigned int)(ns % 1000000000));
}

static void number(FILE *to, const char *name, uint64_t v)
{
	fprintf(to, ",\"%s\":%" PRIu64, name, v);
}

/* What is counted of each ring, and of all. */
static void counters(FILE *to, const struct ptap_stats *st)
{
	const char *sep = "";
	unsigned int i;

	number(to, "seen", st->seen);
	number(to, "filtered", st->filtered);
	number(to, "captured", st->captured);
	fputs(",\"dropped\":{", to);
	for (i = 0; i < PTAP_DROP_NR; i++) {
		fprintf(to, "%s\"%s\":%" PRIu64, sep, meters_cause(i),
			(uint64_t)st->dropped[i]);
		sep = ",";
	}
	putc('}', to);
	number(to, "captured_bytes", st->captured_bytes);
	number(to, "lag_packets", st->captured > st->consumed ?
				  st->captured - st->consumed : 0);
	number(to, "lag_bytes", meters_fill(st));
	number(to, "high_water", st->high_water);
}

/**
 * meters_json - write a sample as one line
 * @to: where to; flushed
 * @s: sample
 *
 * The first counters have the names, and at the end the values, of tapdump's
 * closing lines.
 */
void meters_json(FILE *to, const struct sample *s)
{
	uint64_t dropped = ptap_stats_dropped(&s->total);
	uint32_t i;

	putc('{', to);
	seconds(to, "time", s->time_ns);
	putc(',', to);
	seconds(to, "elapsed", s->elapsed_ns);
	fprintf(to, ",\"end\":%s,\"interfaces\":", s->end ? "true" : "false");
	string(to, s->ifaces);
	if (s->file) {
		fputs(",\"file\":", to);
		string(to, s->file);
	}
	number(to, "packets_captured", s->written);
	number(to, "packets_received_by_filter", s->total.captured + dropped);
	number(to, "packets_dropped_by_kernel", dropped);
	number(to, "ring_size", s->ring_size);
	counters(to, &s->total);
	fputs(",\"cpus\":[", to);
	for (i = 0; i < s->nr_cpus; i++) {
		fprintf(to, "%s{\"cpu\":%u", i ? "," : "", i);
		counters(to, &s->cpu[i]);
		putc('}', to);
	}
	fputs("]}\n", to);
	fflush(to);
}
