// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * meters_prom.c - a capture's counters for Prometheus (--stats
 * prometheus=FILE): a text file that the node exporter's textfile collector
 * reads.
 *
 * It is written under another name and renamed, so that a reader finds the old
 * one or the new one, and never a half.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>
#include "meters.h"

/* Values of labels: backslash, quote and end of line are escaped. */
static void label(FILE *to, const char *text)
{
	fputs("interface=\"", to);
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			putc('\\', to);
		putc(*text == '\n' ? ' ' : *text, to);
	}
	putc('"', to);
}

static void head(FILE *to, const char *name, const char *type, const char *help)
{
	fprintf(to, "# HELP ptap_%s %s\n# TYPE ptap_%s %s\n", name, help, name,
		type);
}

static void value(FILE *to, const struct sample *s, const char *name,
		  uint64_t v)
{
	fprintf(to, "ptap_%s{", name);
	label(to, s->ifaces);
	fprintf(to, "} %" PRIu64 "\n", v);
}

static void cpu_value(FILE *to, const struct sample *s, const char *name,
		      uint32_t cpu, const char *cause, uint64_t v)
{
	fprintf(to, "ptap_%s{", name);
	label(to, s->ifaces);
	fprintf(to, ",cpu=\"%u\"", cpu);
	if (cause)
		fprintf(to, ",cause=\"%s\"", cause);
	fprintf(to, "} %" PRIu64 "\n", v);
}

static void drops(FILE *to, const struct sample *s)
{
	unsigned int d;
	uint32_t i;

	head(to, "packets_dropped_total", "counter",
	     "Packets that the kernel lost, by cause.");
	for (i = 0; i < s->nr_cpus; i++)
		for (d = 0; d < PTAP_DROP_NR; d++)
			cpu_value(to, s, "packets_dropped_total", i,
				  meters_cause(d), s->cpu[i].dropped[d]);
}

static uint64_t seen(const struct ptap_stats *st)
{
	return st->seen;
}

static uint64_t filtered(const struct ptap_stats *st)
{
	return st->filtered;
}

static uint64_t captured(const struct ptap_stats *st)
{
	return st->captured;
}

static uint64_t captured_bytes(const struct ptap_stats *st)
{
	return st->captured_bytes;
}

static uint64_t high_water(const struct ptap_stats *st)
{
	return st->high_water;
}

static const struct {
	const char *name;
	const char *type;
	const char *help;
	uint64_t (*get)(const struct ptap_stats *st);
} per_cpu[] = {
	{ "packets_seen_total", "counter",
	  "Packets that passed the tap.", seen },
	{ "packets_filtered_total", "counter",
	  "Packets that the filter did not want.", filtered },
	{ "packets_captured_total", "counter",
	  "Packets that were put into a ring.", captured },
	{ "captured_bytes_total", "counter",
	  "Bytes of these, as they are in the file.", captured_bytes },
	{ "ring_fill_bytes", "gauge",
	  "Bytes in the ring that are not written.", meters_fill },
	{ "ring_high_water_bytes", "gauge",
	  "The most bytes that were in the ring.", high_water },
};

void meters_prom_write(FILE *to, const struct sample *s)
{
	unsigned int m;
	uint32_t i;

	head(to, "capture_running", "gauge", "0 when the capture is over.");
	value(to, s, "capture_running", !s->end);
	head(to, "capture_sample_seconds", "gauge",
	     "When these values were taken, in seconds since 1970.");
	value(to, s, "capture_sample_seconds", s->time_ns / 1000000000);
	head(to, "packets_written_total", "counter",
	     "Packets in the files, or printed.");
	value(to, s, "packets_written_total", s->written);
	head(to, "ring_size_bytes", "gauge", "Size of each CPU's ring.");
	value(to, s, "ring_size_bytes", s->ring_size);
	for (m = 0; m < sizeof(per_cpu) / sizeof(*per_cpu); m++) {
		head(to, per_cpu[m].name, per_cpu[m].type, per_cpu[m].help);
		for (i = 0; i < s->nr_cpus; i++)
			cpu_value(to, s, per_cpu[m].name, i, NULL,
				  per_cpu[m].get(&s->cpu[i]));
	}
	drops(to, s);
}

/* Returns 0 or a negative errno. */
int meters_prom(const char *path, const struct sample *s)
{
	char *temp;
	FILE *f;
	int err = 0;

	if (asprintf(&temp, "%s.%d", path, (int)getpid()) < 0)
		return -ENOMEM;
	f = fopen(temp, "we");
	if (!f) {
		err = -errno;
		goto free;
	}
	meters_prom_write(f, s);
	if (ferror(f))
		err = -EIO;
	if (fclose(f) && !err)
		err = -errno;
	if (!err && rename(temp, path))
		err = -errno;
	if (err)
		unlink(temp);
free:
	free(temp);
	return err;
}
