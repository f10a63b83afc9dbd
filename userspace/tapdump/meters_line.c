// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * meters_line.c - a capture's counters in a line on the terminal, which is
 * written over and over.
 */
#include <inttypes.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/statvfs.h>
#include <unistd.h>
#include "meters.h"

#define NSEC_PER_SEC	1000000000.0

/* A number of four digits at most, with k, M, G. */
static const char *short_number(double v, char *text, size_t size)
{
	static const char units[] = " kMGT";
	unsigned int u = 0;

	while (v >= 9999.5 && u < sizeof(units) - 2) {
		v /= 1000;
		u++;
	}
	if (u)
		snprintf(text, size, "%.1f %c", v, units[u]);
	else
		snprintf(text, size, "%.0f ", v);
	return text;
}

/* The cause that took most. */
static const char *main_cause(const struct ptap_stats *st)
{
	unsigned int i, most = 0;

	for (i = 1; i < PTAP_DROP_NR; i++)
		if (st->dropped[i] > st->dropped[most])
			most = i;
	return ptap_drop_name(most);
}

static unsigned int fullest(const struct sample *s)
{
	uint64_t most = 0, fill;
	uint32_t i;

	for (i = 0; i < s->nr_cpus; i++) {
		fill = meters_fill(&s->cpu[i]);
		if (fill > most)
			most = fill;
	}
	return s->ring_size ? (unsigned int)(100 * most / s->ring_size) : 0;
}

/**
 * meters_line_text - the line
 * @l: the line before
 * @s: sample
 * @disk_left: bytes free where the file is, or NO_DISK
 * @text: set
 * @size: bytes at @text
 */
void meters_line_text(struct meters_line *l, const struct sample *s,
		      uint64_t disk_left, char *text, size_t size)
{
	uint64_t dropped = ptap_stats_dropped(&s->total);
	double sec = (s->time_ns - l->before.time_ns) / NSEC_PER_SEC;
	double pps = 0, bps = 0;
	char rate[32], drops[96] = "", disk[48] = "", left[32];

	if (l->before.time_ns && sec > 0) {
		pps = (s->written - l->before.packets) / sec;
		bps = (s->total.consumed_bytes - l->before.bytes) / sec;
	}
	l->before.time_ns = s->time_ns;
	l->before.packets = s->written;
	l->before.bytes = s->total.consumed_bytes;
	if (dropped)
		snprintf(drops, sizeof(drops), " (%s)", main_cause(&s->total));
	if (disk_left != NO_DISK)
		snprintf(disk, sizeof(disk), ", %sB left",
			 short_number(disk_left, left, sizeof(left)));
	snprintf(text, size,
		 "%" PRIu64 " packets, %s/s, %.1f MB/s, %" PRIu64 " dropped%s, ring %u %%, %s%s",
		 s->written, short_number(pps, rate, sizeof(rate)), bps / 1e6,
		 dropped, drops, fullest(s), s->file ? s->file : "-", disk);
}

static uint64_t disk_of(const char *file)
{
	const char *slash = file ? strrchr(file, '/') : NULL;
	char dir[4096] = ".";
	struct statvfs vfs;

	if (!file || (slash && slash - file >= (long)sizeof(dir) - 1))
		return NO_DISK;
	if (slash) {
		memcpy(dir, file, slash + 1 - file);
		dir[slash + 1 - file] = '\0';
	}
	if (statvfs(dir, &vfs))
		return NO_DISK;
	return (uint64_t)vfs.f_bavail * vfs.f_frsize;
}

/* Not longer than the terminal is wide: it would be another line each time. */
void meters_line_show(struct meters_line *l, const struct sample *s)
{
	struct winsize win = { 0 };
	char text[5000];
	int width = 80;

	meters_line_text(l, s, disk_of(s->file), text, sizeof(text));
	if (!ioctl(STDERR_FILENO, TIOCGWINSZ, &win) && win.ws_col)
		width = win.ws_col;
	fprintf(stderr, "\r%.*s\033[K", width - 1, text);
	fflush(stderr);
	l->shown = true;
}

void meters_line_clear(struct meters_line *l)
{
	if (!l->shown)
		return;
	fputs("\r\033[K", stderr);
	l->shown = false;
}
