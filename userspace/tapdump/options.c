// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * options.c - the command line, in tcpdump's words.
 *
 * Options that say how packets are printed are not looked at: they are kept in
 * the order of the command line and handed to tcpdump (print.c).  Ends the
 * program on anything it does not understand.
 */
#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "tapdump.h"

#define SHORT_OPTIONS	"i:DQ:ps:c:F:y:w:B:UhvAbefgHKlnNqStuxX#E:m:M:T:" \
			"aC:G:W:z:Z:dOLJj:Ir:V:"
#define PRINT_OPTIONS	"vAbefgHKnNqStuxX#EmMT"

enum {
	OPT_PCAPNG = 256,
	OPT_NANO,
	OPT_MICRO,
	OPT_PRECISION,
	OPT_COPYBREAK,
	OPT_CLOCK,
	OPT_META,
	OPT_IMMEDIATE,
	OPT_READ,
	OPT_VERSION,
	OPT_PRINT,
	OPT_COUNT,
	OPT_SESSIONS,
	OPT_VERIFY,
	OPT_STATS,
	OPT_JOBS,
	OPT_AUTOSTOP,
	OPT_RING,
	OPT_PART,
	OPT_NO_PART,
	OPT_ON_FULL,
	OPT_COMPRESS,
};

static const struct option long_options[] = {
	{ "interface", required_argument, NULL, 'i' },
	{ "list-interfaces", no_argument, NULL, 'D' },
	{ "direction", required_argument, NULL, 'Q' },
	{ "no-promiscuous-mode", no_argument, NULL, 'p' },
	{ "snapshot-length", required_argument, NULL, 's' },
	{ "linktype", required_argument, NULL, 'y' },
	{ "buffer-size", required_argument, NULL, 'B' },
	{ "packet-buffered", no_argument, NULL, 'U' },
	{ "number", no_argument, NULL, '#' },
	{ "pcapng", no_argument, NULL, OPT_PCAPNG },
	{ "nano", no_argument, NULL, OPT_NANO },
	{ "micro", no_argument, NULL, OPT_MICRO },
	{ "time-stamp-precision", required_argument, NULL, OPT_PRECISION },
	{ "copybreak", required_argument, NULL, OPT_COPYBREAK },
	{ "clock", required_argument, NULL, OPT_CLOCK },
	{ "meta", required_argument, NULL, OPT_META },
	{ "immediate-mode", no_argument, NULL, OPT_IMMEDIATE },
	{ "read", no_argument, NULL, OPT_READ },
	{ "list-data-link-types", no_argument, NULL, 'L' },
	{ "list-time-stamp-types", no_argument, NULL, 'J' },
	{ "time-stamp-type", required_argument, NULL, 'j' },
	{ "monitor-mode", no_argument, NULL, 'I' },
	{ "no-optimize", no_argument, NULL, 'O' },
	{ "relinquish-privileges", required_argument, NULL, 'Z' },
	{ "dont-verify-checksums", no_argument, NULL, 'K' },
	{ "absolute-tcp-sequence-numbers", no_argument, NULL, 'S' },
	{ "print", no_argument, NULL, OPT_PRINT },
	{ "count", no_argument, NULL, OPT_COUNT },
	{ "list-sessions", no_argument, NULL, OPT_SESSIONS },
	{ "stats", required_argument, NULL, OPT_STATS },
	{ "verify", no_argument, NULL, OPT_VERIFY },
	{ "jobs", required_argument, NULL, OPT_JOBS },
	{ "autostop", required_argument, NULL, OPT_AUTOSTOP },
	{ "ring-buffer", required_argument, NULL, OPT_RING },
	{ "part", no_argument, NULL, OPT_PART },
	{ "no-part", no_argument, NULL, OPT_NO_PART },
	{ "on-full", required_argument, NULL, OPT_ON_FULL },
	{ "compress", required_argument, NULL, OPT_COMPRESS },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, OPT_VERSION },
	{ NULL, 0, NULL, 0 },
};

static void *grow(void *array, unsigned int nr, size_t size)
{
	array = realloc(array, (nr + 1) * size);
	if (!array)
		die("no memory");
	return array;
}

static uint64_t number_in(int base, const char *what, const char *text,
			  uint64_t min, uint64_t max)
{
	unsigned long long v;
	char *end;

	errno = 0;
	v = strtoull(text, &end, base);
	if (errno || *end || !isdigit((unsigned char)text[0]) ||
	    v < min || v > max)
		die("invalid %s %s: a number from %llu to %llu is wanted", what,
		    text, (unsigned long long)min, (unsigned long long)max);
	return v;
}

static uint64_t number(const char *what, const char *text, uint64_t min,
		       uint64_t max)
{
	return number_in(10, what, text, min, max);
}

static char *copy(const char *text)
{
	char *own = strdup(text);

	if (!own)
		die("no memory");
	return own;
}

static void add_iface(struct options *opt, const char *name)
{
	opt->ifaces = grow(opt->ifaces, opt->nr_ifaces, sizeof(*opt->ifaces));
	opt->ifaces[opt->nr_ifaces++] = copy(name);
}

static void add_print_arg(struct options *opt, char *arg)
{
	opt->print_args = grow(opt->print_args, opt->nr_print_args + 1,
			       sizeof(*opt->print_args));
	opt->print_args[opt->nr_print_args++] = arg;
}

static void add_print_option(struct options *opt, int c)
{
	char *flag;

	if (asprintf(&flag, "-%c", c) < 0)
		die("no memory");
	add_print_arg(opt, flag);
	if (optarg)
		add_print_arg(opt, copy(optarg));
}

static uint32_t direction(const char *text)
{
	if (!strcasecmp(text, "in"))
		return PTAP_DIR_IN;
	if (!strcasecmp(text, "out"))
		return PTAP_DIR_OUT;
	if (strcasecmp(text, "inout") != 0)
		die("unknown capture direction '%s': in, out or inout is wanted",
		    text);
	return PTAP_DIR_IN | PTAP_DIR_OUT;
}

static void parse_linktype(struct options *opt, const char *name)
{
	opt->dlt = pcap_datalink_name_to_val(name);
	if (opt->dlt < 0)
		die("invalid data link type %s", name);
	opt->linktype = ifaces_linktype(opt->dlt);
}

/* Bytes: millions of them, or as newer versions of tcpdump have it, KiB ... */
static uint64_t file_size(const char *text)
{
	static const char suffixes[] = "kmg";
	uint64_t unit = 1000000, value;
	char *own = copy(text), *last = own;
	const char *suffix;

	if (*own)
		last = own + strlen(own) - 1;
	suffix = strchr(suffixes, tolower((unsigned char)*last));
	if (*last && suffix) {
		unit = 1024ULL << 10 * (suffix - suffixes);
		*last = '\0';
	}
	value = number("file size", own, 1, INT64_MAX / unit);
	free(own);
	return value * unit;
}

static uint32_t precision(const char *text)
{
	if (!strcmp(text, "nano"))
		return PTAP_FORMAT_PCAP_NSEC;
	if (strcmp(text, "micro") != 0)
		die("unknown time stamp precision '%s': micro or nano is wanted",
		    text);
	return PTAP_FORMAT_PCAP_USEC;
}

/* A filter file's comments begin with # and go to the end of the line. */
static void strip_comments(char *text)
{
	for (; *text; text++)
		if (*text == '#')
			while (*text && *text != '\n')
				*text++ = ' ';
		else if (*text == '\r')
			*text = ' ';
}

static char *filter_file(const char *path)
{
	size_t len = 0, room = 4096, n;
	char *text = grow(NULL, room - 1, 1);
	FILE *f;

	f = strcmp(path, "-") ? fopen(path, "re") : stdin;
	if (!f)
		die("cannot read the filter from %s: %s", path, strerror(errno));
	while ((n = fread(text + len, 1, room - len - 1, f)) > 0) {
		len += n;
		if (len == room - 1) {
			room *= 2;
			text = grow(text, room - 1, 1);
		}
	}
	if (ferror(f))
		die("cannot read the filter from %s: %s", path, strerror(errno));
	if (f != stdin)
		fclose(f);
	text[len] = '\0';
	if (strlen(text) != len)
		die("%s is not a text file with a filter", path);
	strip_comments(text);
	return text;
}

static char *filter_words(char **words)
{
	char *text = NULL;
	size_t len;
	FILE *f;

	if (!*words)
		return NULL;
	f = open_memstream(&text, &len);
	if (!f)
		die("no memory");
	fputs(*words, f);
	while (*++words)
		fprintf(f, " %s", *words);
	if (fclose(f))
		die("no memory");
	return text;
}

/* Options that say what and how to capture; false for any other. */
static bool parse_capture(struct options *opt, int c)
{
	switch (c) {
	case 'i':
		add_iface(opt, optarg);
		return true;
	case 'Q':
		opt->direction = direction(optarg);
		return true;
	case 'p':
		opt->promisc = false;
		return true;
	case 's':
		opt->snaplen = number_in(0, "snaplen", optarg, 0,
					 PTAP_SNAPLEN_MAX);
		return true;
	case 'c':
		opt->count = number("packet count", optarg, 1, UINT64_MAX);
		return true;
	case 'F':
		opt->filter_file = optarg;
		return true;
	case 'y':
		parse_linktype(opt, optarg);
		return true;
	case 'w':
		opt->write = optarg;
		return true;
	case 'B':
		opt->ring_size = number("packet buffer size", optarg, 1,
					1 << 20) << 10;
		return true;
	case 'O':
		opt->no_optimize = true;
		return true;
	case 'j':
		stamps_parse(opt, optarg);
		return true;
	case 'I':
		die("there is no -I: put the interface into monitor mode first, with iw(8)");
	case 'U':
	case 'l':
		return true;	/* it is always so */
	case 'a':
		return true;	/* means nothing since long ago */
	}
	return false;
}

/* Options that say which files are written. */
static bool parse_files(struct options *opt, int c)
{
	switch (c) {
	case 'C':
		opt->rotate_size = file_size(optarg);
		return true;
	case 'G':
		opt->rotate_seconds = number("number of seconds", optarg, 0,
					     INT32_MAX);
		return true;
	case 'W':
		opt->rotate_files = number("number of output files", optarg, 1,
					   INT32_MAX);
		return true;
	case 'z':
		opt->command = optarg;
		return true;
	case OPT_JOBS:
		opt->jobs = number("number of commands", optarg, 1, 4096);
		return true;
	case 'Z':
		opt->user = optarg;
		return true;
	case OPT_AUTOSTOP:
		criteria_stop(opt, optarg);
		return true;
	case OPT_RING:
		criteria_ring(opt, optarg);
		return true;
	case OPT_PART:
	case OPT_NO_PART:
		opt->part = c == OPT_PART;
		opt->no_part = c == OPT_NO_PART;
		opt->ours = c == OPT_PART ? "--part" : "--no-part";
		return true;
	case OPT_COMPRESS:
		criteria_compress(opt, optarg);
		return true;
	case OPT_ON_FULL:
		criteria_on_full(opt, optarg);
		return true;
	case OPT_PRINT:
		opt->print = true;
		return true;
	case OPT_COUNT:
		opt->count_only = true;
		return true;
	}
	return false;
}

/* Options for something else than a capture. */
static bool parse_question(struct options *opt, int c)
{
	switch (c) {
	case 'D':
		opt->list = true;
		return true;
	case OPT_SESSIONS:
		opt->list_sessions = true;
		return true;
	case OPT_VERIFY:
		opt->verify = true;
		return true;
	case 'L':
		opt->list_linktypes = true;
		return true;
	case 'J':
		opt->list_stamps = true;
		return true;
	case 'd':
		opt->dump++;
		return true;
	case 'r':
	case 'V':
		opt->offline = true;
		return true;
	}
	return false;
}

static bool parse_long(struct options *opt, int c)
{
	switch (c) {
	case OPT_PCAPNG:
		opt->format = PTAP_FORMAT_PCAPNG;
		opt->ours = "--pcapng";
		return true;
	case OPT_NANO:
	case OPT_MICRO:
	case OPT_PRECISION:
		if (opt->format != PTAP_FORMAT_PCAPNG)
			opt->format = c == OPT_NANO ? PTAP_FORMAT_PCAP_NSEC :
				      c == OPT_MICRO ? PTAP_FORMAT_PCAP_USEC :
						       precision(optarg);
		if (opt->format == PTAP_FORMAT_PCAP_NSEC || c == OPT_NANO)
			add_print_arg(opt, copy("--nano"));
		return true;
	case OPT_COPYBREAK:
		opt->copybreak = number("copybreak", optarg, 0, UINT32_MAX);
		opt->ours = "--copybreak";
		return true;
	case OPT_CLOCK:
		if (strcmp(optarg, "host") && strcmp(optarg, "tsc"))
			die("--clock is host or tsc, not %s", optarg);
		opt->clock_tsc = !strcmp(optarg, "tsc");
		opt->ours = "--clock";
		return true;
	case OPT_STATS:
		meters_parse(opt, optarg);
		return true;
	case OPT_META:
		meta_parse(opt, optarg);
		return true;
	case OPT_IMMEDIATE:
		opt->immediate = true;
		return true;
	case OPT_READ:
		opt->read = true;
		opt->ours = "--read";
		return true;
	}
	return false;
}

static void check_options(const struct options *opt)
{
	if (opt->print_foreign && (!opt->write || opt->print))
		die("-f is not available: tcpdump, which prints the packets, does not know the interface's network; use -n");
	if (opt->clock_tsc && opt->stamp_type >= 0)
		die("--clock and -j name two clocks; choose one");
	if (opt->linktype && opt->format == PTAP_FORMAT_PCAPNG)
		die("-y is for pcap files; in pcapng each interface has its own link type");
	if (!opt->write)
		return;
	criteria_check(opt);
	if (!strcmp(opt->write, "-") &&
	    (opt->rotate_size ||
	     (opt->rotate_seconds && opt->rotate_files != 1)))
		die("-C and -G make several files, and standard output is none; only -G with -W 1 goes together with -w -");
	if (!strcmp(opt->write, "-") && opt->print)
		die("--print needs standard output for itself; write to a file with -w");
}

/* Some of tcpdump's words mean something here as well. */
static void parse_print(struct options *opt, int c)
{
	if (c == 'v')
		opt->verbose++;
	if (c == 'f')
		opt->print_foreign = true;
	add_print_option(opt, c);
}

static void parse_option(struct options *opt, int c)
{
	if (c == 'h') {
		usage_print(0);
		exit(0);
	}
	if (c == OPT_VERSION) {
		version_print();
		exit(0);
	}
	if (c < 256 && strchr(PRINT_OPTIONS, c)) {
		parse_print(opt, c);
	} else if (!parse_capture(opt, c) && !parse_files(opt, c) &&
		   !parse_question(opt, c) && !parse_long(opt, c)) {
		usage_print(1);
		exit(1);
	}
}

void options_parse(struct options *opt, int argc, char **argv)
{
	int c;

	*opt = (struct options){
		.promisc = true,
		.format = PTAP_FORMAT_PCAP_USEC,
		.dlt = -1,
		.sums = true,
		.copybreak = -1,
		.stamp_type = -1,
	};
	argv[0] = "tapdump";	/* in getopt's complaints */
	while ((c = getopt_long(argc, argv, SHORT_OPTIONS, long_options,
				NULL)) != -1)
		parse_option(opt, c);
	opt->words = argv + optind;
	if (opt->verify && !*opt->words)
		die("--verify needs the files of a capture, in order; - is standard input");
	if (opt->offline || opt->verify)
		return;		/* the rest is no filter */
	opt->filter = opt->filter_file ? filter_file(opt->filter_file) :
					 filter_words(argv + optind);
	check_options(opt);
}

void options_free(struct options *opt)
{
	unsigned int i;

	for (i = 0; i < opt->nr_ifaces; i++)
		free(opt->ifaces[i]);
	for (i = 0; i < opt->nr_print_args; i++)
		free(opt->print_args[i]);
	free(opt->ifaces);
	free(opt->print_args);
	free(opt->filter);
}
