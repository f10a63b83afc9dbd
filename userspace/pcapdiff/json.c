// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * json.c - the result for programs: one JSON object.
 *
 * The names are an interface; pcapdiff(1) lists them. Times are integers in
 * nanoseconds. File names may hold any bytes; what is not UTF-8 becomes the
 * replacement character.
 */
#include <inttypes.h>

#include "pcapdiff.h"

/* Length of the UTF-8 sequence at @s, 0 if it is none. */
static unsigned int utf8_len(const unsigned char *s)
{
	unsigned int len, i;

	if (s[0] < 0x80)
		return 1;
	if (s[0] >= 0xc2 && s[0] <= 0xdf)
		len = 2;
	else if (s[0] >= 0xe0 && s[0] <= 0xef)
		len = 3;
	else if (s[0] >= 0xf0 && s[0] <= 0xf4)
		len = 4;
	else
		return 0;
	for (i = 1; i < len; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	/* overlong forms, surrogates, and what lies beyond Unicode */
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
	    (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
		return 0;
	return len;
}

static void json_string(const char *text)
{
	const unsigned char *s = (const unsigned char *)text;
	unsigned int len;

	putchar('"');
	while (*s) {
		len = utf8_len(s);
		if (!len) {
			fputs("\\ufffd", stdout);
			s++;
		} else if (*s < 0x20 || *s == 0x7f) {
			printf("\\u%04x", *s++);
		} else if (*s == '"' || *s == '\\') {
			printf("\\%c", *s++);
		} else {
			fwrite(s, 1, len, stdout);
			s += len;
		}
	}
	putchar('"');
}

static const char *json_bool(bool value)
{
	return value ? "true" : "false";
}

static void json_file(const char *key, const struct capture *cap)
{
	char link[32];

	printf("  \"%s\": {\n    \"file\": ", key);
	json_string(cap->name);
	printf(",\n    \"packets\": %u,\n    \"linktype\": %d,\n"
	       "    \"linktype_name\": ", cap->nr, cap->linktype);
	json_string(capture_linktype_name(cap, link, sizeof(link)));
	printf(",\n    \"snaplen\": %d,\n    \"first_ns\": %" PRId64
	       ",\n    \"last_ns\": %" PRId64 ",\n    \"microseconds\": %s,\n",
	       cap->snaplen, cap->first_ns, cap->last_ns,
	       json_bool(cap->micro));
	printf("    \"steps_back\": %" PRIu64
	       ",\n    \"worst_step_back_ns\": %" PRId64 ",\n    \"torn\": %s",
	       cap->nr_back, cap->worst_back_ns, json_bool(cap->torn));
	if (cap->torn) {
		printf(",\n    \"torn_record\": %" PRIu64
		       ",\n    \"torn_reason\": ", cap->torn_number);
		json_string(cap->torn_words);
	}
	puts("\n  },");
}

static void json_counts(const struct result *res, const struct match *match)
{
	printf("  \"same\": %" PRIu64 ",\n", res->nr_same);
	printf("  \"only_in_a\": %" PRIu64 ",\n", res->nr[DIFF_ONLY_A]);
	printf("  \"only_in_b\": %" PRIu64 ",\n", res->nr[DIFF_ONLY_B]);
	printf("  \"different_bytes\": %" PRIu64 ",\n", res->nr[DIFF_BYTES]);
	printf("  \"different_length\": %" PRIu64 ",\n", res->nr[DIFF_LEN]);
	printf("  \"different_caplen\": %" PRIu64 ",\n",
	       res->nr[DIFF_CAPLEN]);
	printf("  \"out_of_order\": %" PRIu64 ",\n", res->nr[DIFF_ORDER]);
	printf("  \"out_of_order_within_slack\": %" PRIu64 ",\n",
	       res->nr_near);
	printf("  \"over_max_skew\": %" PRIu64 ",\n", res->nr[DIFF_TIME]);
	printf("  \"outside_window_a\": %" PRIu64 ",\n",
	       res->nr_outside[SIDE_A]);
	printf("  \"outside_window_b\": %" PRIu64 ",\n",
	       res->nr_outside[SIDE_B]);
	printf("  \"beyond_skew\": %" PRIu64 ",\n", match->nr_far);
	printf("  \"nothing_in_common\": %s,\n",
	       json_bool(res->nothing_common));
}

static void json_times(const struct result *res)
{
	if (res->window_ok)
		printf("  \"window_ns\": [%" PRId64 ", %" PRId64 "],\n",
		       res->window_lo_ns, res->window_hi_ns);
	else
		puts("  \"window_ns\": null,");
	if (res->nr_pairs)
		printf("  \"time_b_minus_a_ns\": {\"min\": %" PRId64
		       ", \"max\": %" PRId64 ", \"median\": %" PRId64
		       ", \"mean\": %.1f},\n",
		       res->min_ns, res->max_ns, res->median_ns, res->mean_ns);
	else
		puts("  \"time_b_minus_a_ns\": null,");
	printf("  \"precision_ns\": %" PRId64 ",\n", res->precision_ns);
}

static void json_packet(const char *key, const struct capture *cap,
			uint32_t index)
{
	const struct packet *pkt;

	if (index == NO_MATE) {
		printf(", \"%s\": null", key);
		return;
	}
	pkt = &cap->packets[index];
	printf(", \"%s\": {\"packet\": %u, \"ts_ns\": %" PRId64
	       ", \"len\": %u, \"caplen\": %u}", key, pkt->number, pkt->ts_ns,
	       pkt->len, pkt->caplen);
}

static void json_difference(const struct difference *diff,
			    const struct capture cap[NR_SIDES])
{
	static const char * const kind[NR_DIFF_KINDS] = {
		[DIFF_ONLY_A] = "only_in_a",
		[DIFF_ONLY_B] = "only_in_b",
		[DIFF_BYTES] = "different_bytes",
		[DIFF_LEN] = "different_length",
		[DIFF_CAPLEN] = "different_caplen",
		[DIFF_ORDER] = "out_of_order",
		[DIFF_TIME] = "over_max_skew",
	};
	uint32_t off, nr_bytes;

	printf("    {\"kind\": \"%s\"", kind[diff->kind]);
	json_packet("a", &cap[SIDE_A], diff->index[SIDE_A]);
	json_packet("b", &cap[SIDE_B], diff->index[SIDE_B]);
	if (diff->kind == DIFF_BYTES) {
		content_compare(&cap[SIDE_A].packets[diff->index[SIDE_A]],
				&cap[SIDE_B].packets[diff->index[SIDE_B]],
				&off, &nr_bytes);
		printf(", \"offset\": %u, \"bytes\": %u", off, nr_bytes);
	}
	if (diff->kind == DIFF_ORDER)
		printf(", \"places\": %" PRId64 ", \"away_ns\": %" PRId64,
		       diff->places, diff->away_ns);
	putchar('}');
}

static void json_differences(const struct result *res,
			     const struct capture cap[NR_SIDES],
			     const struct options *opt)
{
	uint64_t i, nr = 0;

	fputs("  \"differences\": [", stdout);
	for (i = 0; i < res->nr_diffs && nr < opt->limit; i++) {
		if (res->diffs[i].kind == DIFF_ORDER && opt->ignore_order)
			continue;
		puts(nr++ ? "," : "");
		json_difference(&res->diffs[i], cap);
	}
	puts(nr ? "\n  ]" : "]");
}

/**
 * json_print() - print the result to standard output as one JSON object
 * @res: the result
 * @cap: both captures
 * @match: from match_captures()
 * @opt: the number of differences to list
 */
void json_print(const struct result *res, const struct capture cap[NR_SIDES],
		const struct match *match, const struct options *opt)
{
	printf("{\n  \"verdict\": \"%s\",\n",
	       res->different ? "different" : "same");
	json_file("a", &cap[SIDE_A]);
	json_file("b", &cap[SIDE_B]);
	json_counts(res, match);
	json_times(res);
	json_differences(res, cap, opt);
	puts("}");
}
