/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * meters.h - how a capture goes, for those who watch: programs and people.
 *
 * A sample is taken when somebody wants one; meters_json.c, meters_prom.c and
 * meters_line.c write it down.  All know only the sample, so that what they say
 * agrees.
 */
#ifndef TAPDUMP_METERS_H
#define TAPDUMP_METERS_H

#include <ptap.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/**
 * struct sample - a capture at a moment
 * @time_ns: CLOCK_REALTIME
 * @elapsed_ns: since it began
 * @end: it is over; nothing changes any more
 * @ifaces: names, with commas between them
 * @file: the file being written, or NULL
 * @written: packets in the files, or printed
 * @ring_size: bytes of each ring
 * @total: counters of all rings
 * @cpu: of each ring
 * @nr_cpus: number of rings
 */
struct sample {
	uint64_t time_ns;
	uint64_t elapsed_ns;
	bool end;
	const char *ifaces;
	const char *file;
	uint64_t written;
	uint64_t ring_size;
	struct ptap_stats total;
	struct ptap_stats *cpu;
	uint32_t nr_cpus;
};

/* Words for a cause that need no quoting. */
const char *meters_cause(unsigned int drop);
/* Bytes in a ring that are not in the files. */
uint64_t meters_fill(const struct ptap_stats *st);

void meters_json(FILE *to, const struct sample *s);
int meters_prom(const char *path, const struct sample *s);
void meters_prom_write(FILE *to, const struct sample *s);

/**
 * struct meters_line - the line on the terminal
 * @shown: it stands there
 * @before: the sample before, for what is per second
 */
struct meters_line {
	bool shown;
	struct {
		uint64_t time_ns;
		uint64_t packets;
		uint64_t bytes;
	} before;
};

#define NO_DISK		UINT64_MAX	/* there is no file, or no telling */

void meters_line_text(struct meters_line *l, const struct sample *s,
		      uint64_t disk_left, char *text, size_t size);
void meters_line_show(struct meters_line *l, const struct sample *s);
void meters_line_clear(struct meters_line *l);

#endif /* TAPDUMP_METERS_H */
