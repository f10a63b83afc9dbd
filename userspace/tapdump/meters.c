// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * meters.c - when somebody wants to know how a capture goes, and who (--stats).
 *
 * A line on the terminal once a second, a line of JSON at intervals and at the
 * end, a file for Prometheus.  Nothing here stands in the way of packets: a
 * sample costs an ioctl for each ring.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "meters.h"
#include "tapdump.h"

#define NSEC_PER_SEC	1000000000ULL
#define NSEC_PER_MSEC	1000000ULL
#define JSON_SECONDS	1
#define PROM_SECONDS	5
#define LINE_SECONDS	1

/**
 * struct meter - one that watches
 * @wanted: it does
 * @seconds: how often
 * @due_ns: next time, CLOCK_MONOTONIC
 */
struct meter {
	bool wanted;
	uint32_t seconds;
	uint64_t due_ns;
};

/**
 * struct meters - all of them
 * @json: a line of JSON
 * @json_to: where to
 * @prom: a file for Prometheus
 * @prom_failed: it could not be written, which has been said
 * @line: a line on the terminal
 * @text: the line
 * @start_ns: when the capture began, CLOCK_MONOTONIC
 * @sample: room for one
 * @ifaces: names for it
 */
struct meters {
	struct meter json;
	FILE *json_to;
	struct meter prom;
	bool prom_failed;
	struct meter line;
	struct meters_line text;
	uint64_t start_ns;
	struct sample sample;
	char *ifaces;
};

static struct meters *shown;	/* whose line is on the terminal */

static uint64_t now(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (uint64_t)ts.tv_sec * NSEC_PER_SEC + ts.tv_nsec;
}

/* json[=SECONDS][,FILE] */
static void parse_json(struct options *opt, const char *rest)
{
	char *end = (char *)rest;

	opt->stats_json = JSON_SECONDS;
	if (*rest == '=') {
		opt->stats_json = strtoul(rest + 1, &end, 10);
		if (end == rest + 1 || !opt->stats_json ||
		    opt->stats_json > INT32_MAX / 1000)
			die("--stats json=: a number of seconds is wanted");
	}
	if (*end == ',' && end[1])
		opt->stats_file = end + 1;
	else if (*end)
		die("--stats json: json[=SECONDS][,FILE] is wanted");
}

void meters_parse(struct options *opt, const char *word)
{
	if (!strncmp(word, "json", 4) &&
	    (!word[4] || word[4] == '=' || word[4] == ','))
		parse_json(opt, word + 4);
	else if (!strncmp(word, "prometheus=", 11) && word[11])
		opt->stats_prom = word + 11;
	else if (!strcmp(word, "none"))
		opt->stats_quiet = true;
	else
		die("--stats has no '%s': json[=SECONDS][,FILE], prometheus=FILE or none",
		    word);
	opt->ours = "--stats";
}

static char *iface_names(const struct options *opt)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	if (!f)
		return NULL;
	ifaces_print(f, opt);
	return fclose(f) ? NULL : text;
}

static void meter_start(struct meter *m, bool wanted, uint32_t seconds)
{
	m->wanted = wanted;
	m->seconds = seconds;
	m->due_ns = now(CLOCK_MONOTONIC) + seconds * NSEC_PER_SEC;
}

/* The file itself is written later, when nobody looks any more. */
static int find_folder(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *dir = slash ? strndup(path, slash + 1 - path) : strdup(".");
	struct stat st;
	int ret;

	if (!dir)
		die("no memory");
	ret = stat(dir, &st);
	free(dir);
	return ret;
}

/* Before privileges are given up: files are opened. */
int meters_open(struct capture *c)
{
	const struct options *opt = c->opt;
	struct meters *m = calloc(1, sizeof(*m));

	if (!m)
		die("no memory");
	c->meters = m;
	m->json_to = stderr;
	if (opt->stats_prom && find_folder(opt->stats_prom)) {
		complain("cannot write to %s: %s", opt->stats_prom,
			 strerror(errno));
		return -1;
	}
	if (!opt->stats_file)
		return 0;
	m->json_to = fopen(opt->stats_file, "we");
	if (m->json_to)
		return 0;
	complain("cannot write to %s: %s", opt->stats_file, strerror(errno));
	return -1;
}

/* The capture begins. */
int meters_start(struct capture *c)
{
	const struct options *opt = c->opt;
	struct meters *m = c->meters;
	struct ptap_info info;

	m->start_ns = now(CLOCK_MONOTONIC);
	m->ifaces = iface_names(opt);
	if (!m->ifaces || ptap_info_get(c->tap, &info))
		return -1;
	m->sample.ring_size = info.ring_size;
	m->sample.nr_cpus = info.nr_rings;
	m->sample.cpu = calloc(info.nr_rings, sizeof(*m->sample.cpu));
	if (!m->sample.cpu)
		die("no memory");
	meter_start(&m->json, opt->stats_json, opt->stats_json);
	meter_start(&m->prom, opt->stats_prom, PROM_SECONDS);
	meter_start(&m->line, opt->write && !opt->print && !opt->stats_quiet &&
			      !(opt->stats_json && !opt->stats_file) &&
			      isatty(STDERR_FILENO), LINE_SECONDS);
	return 0;
}

static int take_sample(const struct capture *c, bool end)
{
	struct meters *m = c->meters;
	struct sample *s = &m->sample;
	uint32_t i;

	s->time_ns = now(CLOCK_REALTIME);
	s->elapsed_ns = now(CLOCK_MONOTONIC) - m->start_ns;
	s->end = end;
	s->ifaces = m->ifaces;
	s->file = c->opt->write ? output_name(&c->out) : NULL;
	s->written = output_records(&c->out);
	for (i = 0; i < s->nr_cpus; i++)
		if (ptap_stats_get(c->tap, i, &s->cpu[i]))
			return -1;
	return ptap_stats_get(c->tap, PTAP_RING_ALL, &s->total);
}

static bool is_due(struct meter *m, uint64_t at)
{
	uint64_t step = m->seconds * NSEC_PER_SEC;

	if (!m->wanted || at < m->due_ns)
		return false;
	/* Without drift; what was missed is left out. */
	m->due_ns += step * ((at - m->due_ns) / step + 1);
	return true;
}

static void write_prom(const struct capture *c)
{
	int err = meters_prom(c->opt->stats_prom, &c->meters->sample);

	if (err && !c->meters->prom_failed)
		complain("cannot write to %s: %s; the capture goes on",
			 c->opt->stats_prom, ptap_strerror(err));
	c->meters->prom_failed = err;
}

static bool is_metering(const struct meters *m)
{
	return m->json.wanted || m->prom.wanted || m->line.wanted;
}

/* Do what is due. */
void meters_tick(const struct capture *c)
{
	struct meters *m = c->meters;
	bool json, prom, line;
	uint64_t at;

	if (!is_metering(m))
		return;
	at = now(CLOCK_MONOTONIC);
	json = is_due(&m->json, at);
	prom = is_due(&m->prom, at);
	line = is_due(&m->line, at);
	if ((!json && !prom && !line) || take_sample(c, false))
		return;
	if (json)
		meters_json(m->json_to, &m->sample);
	if (prom)
		write_prom(c);
	if (line) {
		meters_line_show(&m->text, &m->sample);
		shown = m;
	}
}

static void sooner(const struct meter *m, uint64_t at, int *ms)
{
	uint64_t left = m->due_ns > at ? m->due_ns - at : 0;

	left = (left + NSEC_PER_MSEC - 1) / NSEC_PER_MSEC;
	if (m->wanted && (*ms < 0 || left < (uint64_t)*ms))
		*ms = (int)left;
}

/* Milliseconds until something is due, or -1 for never. */
int meters_wait_ms(const struct capture *c)
{
	uint64_t at;
	int ms = -1;

	if (!is_metering(c->meters))
		return ms;
	at = now(CLOCK_MONOTONIC);
	sooner(&c->meters->json, at, &ms);
	sooner(&c->meters->prom, at, &ms);
	sooner(&c->meters->line, at, &ms);
	return ms;
}

/* Something else is written to the terminal. */
void meters_clear(void)
{
	if (shown)
		meters_line_clear(&shown->text);
	shown = NULL;
}

/* The capture is over and everything is written. */
void meters_end(struct capture *c)
{
	struct meters *m = c->meters;

	meters_clear();
	if ((m->json.wanted || m->prom.wanted) && !take_sample(c, true)) {
		if (m->json.wanted)
			meters_json(m->json_to, &m->sample);
		if (m->prom.wanted)
			write_prom(c);
	}
	if (m->json_to != stderr && fclose(m->json_to))
		complain("cannot write to %s: %s", c->opt->stats_file,
			 strerror(errno));
	free(m->sample.cpu);
	free(m->ifaces);
	free(m);
	c->meters = NULL;
}
