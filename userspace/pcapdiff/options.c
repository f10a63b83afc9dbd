// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * options.c - the command line.
 *
 * Everything that can be wrong with the command line alone is found here and
 * ends the program with a sentence, the usage line and status 2. The man page
 * describes the options at length.
 */
#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "pcapdiff.h"

#define DEFAULT_LIMIT	10
#define DEFAULT_SKEW_NS	NSEC_PER_SEC

enum long_option {
	OPT_FILTER = 256,
	OPT_HELP,
	OPT_IGNORE_LINKTYPE,
	OPT_IGNORE_ORDER,
	OPT_JSON,
	OPT_LIMIT,
	OPT_MAX_SKEW,
	OPT_ORDER_SLACK,
	OPT_SKEW,
	OPT_SORTED,
	OPT_STRICT,
	OPT_VERSION,
	OPT_WINDOW_SLACK,
};

static const struct option long_options[] = {
	{ "filter", required_argument, NULL, OPT_FILTER },
	{ "help", no_argument, NULL, OPT_HELP },
	{ "ignore-linktype", no_argument, NULL, OPT_IGNORE_LINKTYPE },
	{ "ignore-order", no_argument, NULL, OPT_IGNORE_ORDER },
	{ "json", no_argument, NULL, OPT_JSON },
	{ "limit", required_argument, NULL, OPT_LIMIT },
	{ "max-skew", required_argument, NULL, OPT_MAX_SKEW },
	{ "order-slack", required_argument, NULL, OPT_ORDER_SLACK },
	{ "quiet", no_argument, NULL, 'q' },
	{ "skew", required_argument, NULL, OPT_SKEW },
	{ "snaplen", required_argument, NULL, 's' },
	{ "sorted", required_argument, NULL, OPT_SORTED },
	{ "strict", no_argument, NULL, OPT_STRICT },
	{ "verbose", no_argument, NULL, 'v' },
	{ "version", no_argument, NULL, OPT_VERSION },
	{ "window-slack", required_argument, NULL, OPT_WINDOW_SLACK },
	{ NULL, 0, NULL, 0 },
};

static const char usage[] =
	"Usage: pcapdiff [options] A B        (pcapdiff --help lists the options)\n";

static const char help[] =
	"Usage: pcapdiff [options] A B\n"
	"Say what differs between two captures, packet by packet. A and B are pcap or\n"
	"pcapng files; one of them may be - for standard input.\n"
	"\n"
	"What counts as the same:\n"
	"  -s, --snaplen N        compare only the first N bytes of each packet\n"
	"      --filter EXPR      compare only packets that match this pcap filter\n"
	"      --skew TIME        the same packet is at most this far apart (1 s)\n"
	"      --max-skew TIME    a time difference over this is a difference\n"
	"      --sorted A|B|both  a time before that of the packet before is one, too\n"
	"      --order-slack TIME  packets out of order by at most that are none (0)\n"
	"      --ignore-order     packets out of order are no difference\n"
	"      --ignore-linktype  compare captures of different link types\n"
	"      --strict           packets outside the common time window count as missing\n"
	"      --window-slack TIME  widen that window at both ends (0)\n"
	"What is printed:\n"
	"      --limit N|all      print the first N differences (10)\n"
	"      --json             print one JSON object\n"
	"  -q, --quiet            print nothing, only exit\n"
	"  -v, --verbose          print more about the files and their times\n"
	"      --help, --version\n"
	"TIME is in seconds, or has a unit: 0.5, 10us, 3ms.\n"
	"Exit status: 0 same, 1 different, 2 could not compare.\n";

static void usage_die(const char *what, const char *value)
{
	fprintf(stderr, "pcapdiff: %s%s%s%s\n%s", what, value ? " '" : "",
		value ? value : "", value ? "'" : "", usage);
	exit(EXIT_TROUBLE);
}

static int64_t parse_time_ns(const char *name, const char *text)
{
	static const struct {
		const char *unit;
		double ns;
	} units[] = {
		{ "", 1e9 }, { "s", 1e9 }, { "ms", 1e6 }, { "us", 1e3 },
		{ "ns", 1 },
	};
	double value;
	char *end;
	size_t i;

	value = strtod(text, &end);
	for (i = 0; end != text && i < sizeof(units) / sizeof(*units); i++) {
		if (strcmp(end, units[i].unit))
			continue;
		value *= units[i].ns;
		if (isfinite(value) && value >= 0 &&
		    value <= (double)OPTION_NS_MAX)
			return (int64_t)(value + 0.5);
		break;
	}
	fprintf(stderr, "pcapdiff: --%s: '%s' is no time from 0 to %lld seconds\n%s",
		name, text, OPTION_NS_MAX / NSEC_PER_SEC, usage);
	exit(EXIT_TROUBLE);
}

static uint64_t parse_number(const char *name, const char *text, uint64_t min,
			     uint64_t max)
{
	unsigned long long value;
	char *end;

	errno = 0;
	value = strtoull(text, &end, 10);
	if (*text >= '0' && *text <= '9' && !*end && !errno && value >= min &&
	    value <= max)
		return value;
	fprintf(stderr, "pcapdiff: %s: '%s' is no number from %llu to %llu\n%s",
		name, text, (unsigned long long)min, (unsigned long long)max,
		usage);
	exit(EXIT_TROUBLE);
}

static void parse_sorted(struct options *opt, const char *text)
{
	bool both = !strcmp(text, "both");

	if (!both && strcmp(text, "A") && strcmp(text, "B"))
		usage_die("--sorted takes A, B or both, not", text);
	if (both || *text == 'A')
		opt->must_sort[SIDE_A] = true;
	if (both || *text == 'B')
		opt->must_sort[SIDE_B] = true;
}

static void parse_limit(struct options *opt, const char *text)
{
	if (!strcmp(text, "all"))
		opt->limit = UINT64_MAX;
	else
		opt->limit = parse_number("--limit", text, 0, UINT32_MAX);
}

static void print_and_exit(const char *text)
{
	fputs(text, stdout);
	exit(fflush(stdout) ? EXIT_TROUBLE : EXIT_SAME);
}

static void parse_option(struct options *opt, int c)
{
	switch (c) {
	case 'q':
		opt->quiet = true;
		break;
	case 's':
		opt->snaplen = (uint32_t)parse_number("-s", optarg, 1,
						      UINT32_MAX);
		break;
	case 'v':
		opt->verbose = true;
		break;
	case OPT_FILTER:
		opt->filter = optarg;
		break;
	case OPT_HELP:
		print_and_exit(help);
		break;
	case OPT_IGNORE_LINKTYPE:
		opt->ignore_linktype = true;
		break;
	case OPT_IGNORE_ORDER:
		opt->ignore_order = true;
		break;
	case OPT_JSON:
		opt->json = true;
		break;
	case OPT_LIMIT:
		parse_limit(opt, optarg);
		break;
	case OPT_MAX_SKEW:
		opt->max_skew_ns = parse_time_ns("max-skew", optarg);
		break;
	case OPT_ORDER_SLACK:
		opt->order_slack_ns = parse_time_ns("order-slack", optarg);
		break;
	case OPT_SKEW:
		opt->skew_ns = parse_time_ns("skew", optarg);
		break;
	case OPT_SORTED:
		parse_sorted(opt, optarg);
		break;
	case OPT_STRICT:
		opt->strict = true;
		break;
	case OPT_VERSION:
		printf("pcapdiff (ptap) %s\n%s\n", PTAP_VERSION,
		       pcap_lib_version());
		print_and_exit("");
		break;
	case OPT_WINDOW_SLACK:
		opt->slack_ns = parse_time_ns("window-slack", optarg);
		break;
	default:
		/* getopt has said what is wrong */
		fputs(usage, stderr);
		exit(EXIT_TROUBLE);
	}
}

/**
 * options_parse() - read the command line
 * @opt: filled in
 * @argc: of main()
 * @argv: of main()
 *
 * Does not return on errors, --help and --version.
 */
void options_parse(struct options *opt, int argc, char **argv)
{
	int c;

	memset(opt, 0, sizeof(*opt));
	opt->limit = DEFAULT_LIMIT;
	opt->snaplen = UINT32_MAX;
	opt->skew_ns = -1;
	opt->max_skew_ns = -1;
	while ((c = getopt_long(argc, argv, "qs:v", long_options, NULL)) != -1)
		parse_option(opt, c);
	if (argc - optind != NR_SIDES)
		usage_die("two captures are needed", NULL);
	opt->path[SIDE_A] = argv[optind];
	opt->path[SIDE_B] = argv[optind + 1];
	if (!strcmp(opt->path[SIDE_A], "-") && !strcmp(opt->path[SIDE_B], "-"))
		usage_die("only one capture can be standard input", NULL);
	if (opt->skew_ns < 0)
		opt->skew_ns = opt->max_skew_ns > DEFAULT_SKEW_NS ?
			       opt->max_skew_ns : DEFAULT_SKEW_NS;
	if (opt->max_skew_ns > opt->skew_ns)
		usage_die("--max-skew is larger than --skew", NULL);
}
