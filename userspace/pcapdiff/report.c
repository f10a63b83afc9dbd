// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * report.c - the result for people.
 *
 * First what the two files are, then one line of counts, then the first
 * differences with their bytes, and the verdict as the last line. Lines that
 * have nothing to tell are left out, the counts never. Packet numbers are
 * those of the file, as Wireshark and tcpdump -# show them.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "pcapdiff.h"

#define HEX_PER_LINE	16U
#define HEX_ALONE	32U

struct number {
	char text[32];
};

static const char *count(struct number *num, uint64_t value)
{
	return format_count(num->text, sizeof(num->text), value);
}

static const char *span(struct number *num, int64_t ns)
{
	return format_ns(num->text, sizeof(num->text), ns, false);
}

static const char *shift(struct number *num, int64_t ns)
{
	return format_ns(num->text, sizeof(num->text), ns, true);
}

static const char *plural(uint64_t nr)
{
	return nr == 1 ? "" : "s";
}

static void print_file(char letter, const struct capture *cap, bool verbose)
{
	struct number num, span_text;
	char link[32];

	printf("%c: %s  %s packet%s  %s  %s\n", letter, cap->name,
	       count(&num, cap->nr), plural(cap->nr),
	       capture_linktype_name(cap, link, sizeof(link)),
	       span(&span_text, cap->last_ns - cap->first_ns));
	if (cap->torn)
		printf("   torn at record %s: %s\n",
		       count(&num, cap->torn_number), cap->torn_words);
	if (cap->nr_back)
		printf("   %s packet%s with a time before the packet before, by up to %s\n",
		       count(&num, cap->nr_back), plural(cap->nr_back),
		       span(&span_text, cap->worst_back_ns));
	if (verbose)
		printf("   snapshot length %d, time stamps in %s\n",
		       cap->snaplen,
		       cap->micro ? "microseconds" : "nanoseconds");
}

static void print_counts(const struct result *res, const struct options *opt)
{
	struct number n[7];

	printf("same packets %s · only in A %s · only in B %s · different bytes %s · different lengths %s · different captured lengths %s · out of order %s%s\n",
	       count(&n[0], res->nr_same), count(&n[1], res->nr[DIFF_ONLY_A]),
	       count(&n[2], res->nr[DIFF_ONLY_B]),
	       count(&n[3], res->nr[DIFF_BYTES]),
	       count(&n[4], res->nr[DIFF_LEN]),
	       count(&n[5], res->nr[DIFF_CAPLEN]),
	       count(&n[6], res->nr[DIFF_ORDER]),
	       res->nr[DIFF_ORDER] && opt->ignore_order ? " (ignored)" : "");
	if (res->nr_near)
		printf("out of order within --order-slack: %s (no difference)\n",
		       count(&n[0], res->nr_near));
	if (res->nr_outside[SIDE_A] || res->nr_outside[SIDE_B])
		printf("outside the common window: %s in A, %s in B\n",
		       count(&n[0], res->nr_outside[SIDE_A]),
		       count(&n[1], res->nr_outside[SIDE_B]));
	if (res->nothing_common)
		puts("the captures have no packet in common");
}

static void print_times(const struct result *res, const struct match *match,
			const struct options *opt)
{
	struct number median, mean, max, num;

	if (!res->nr_pairs)
		return;
	printf("time stamps: B - A median %s, mean %s, max %s\n",
	       shift(&median, res->median_ns),
	       shift(&mean, (int64_t)res->mean_ns),
	       span(&max, llabs(res->min_ns) > llabs(res->max_ns) ?
		    llabs(res->min_ns) : llabs(res->max_ns)));
	if (opt->max_skew_ns >= 0)
		printf("further apart than %s: %s\n",
		       span(&max, opt->max_skew_ns),
		       count(&num, res->nr[DIFF_TIME]));
	if (res->precision_ns)
		puts("one file has microseconds only: differences below 1 us are precision");
	if (opt->verbose)
		printf("time stamps: B - A from %s to %s; repeated contents paired within %s, differing packets within %s\n",
		       shift(&median, res->min_ns), shift(&mean, res->max_ns),
		       span(&max, match->repeat_ns),
		       span(&num, match->near_ns));
}

static void print_window(const struct result *res)
{
	char from[48], to[48];

	if (res->window_ok)
		printf("common window: %s to %s in A's time\n",
		       format_clock(from, sizeof(from), res->window_lo_ns),
		       format_clock(to, sizeof(to), res->window_hi_ns));
}

static void print_far(const struct capture cap[NR_SIDES],
		      const struct match *match, const struct options *opt)
{
	const struct packet *a, *b;
	struct number num, skew, apart;

	if (!match->nr_far)
		return;
	a = &cap[SIDE_A].packets[match->far[SIDE_A]];
	b = &cap[SIDE_B].packets[match->far[SIDE_B]];
	printf("note: %s packet%s in both files more than %s apart, so not the same packet: packet %u of A and %u of B, %s; a larger --skew would pair them\n",
	       count(&num, match->nr_far), match->nr_far == 1 ? " is" : "s are",
	       span(&skew, opt->skew_ns), a->number, b->number,
	       shift(&apart, b->ts_ns - a->ts_ns));
}

static void print_hex_line(const char *who, const struct packet *pkt,
			   uint32_t off, uint32_t end)
{
	uint32_t i;

	printf("    %s0x%04x:", who, off);
	if (off >= pkt->caplen)
		printf(" (ends at %u)", pkt->caplen);
	for (i = off; i < end && i < pkt->caplen; i++)
		printf("%s%02x", (i - off) % 2 ? "" : " ", pkt->data[i]);
	putchar('\n');
}

static void print_packet(const char *who, const struct packet *pkt)
{
	char clock[48];

	printf("%spacket %u, %s, %u byte%s", who, pkt->number,
	       format_clock(clock, sizeof(clock), pkt->ts_ns), pkt->len,
	       plural(pkt->len));
	if (pkt->caplen != pkt->len)
		printf(" (%u captured)", pkt->caplen);
}

static void print_alone(const char *where, const struct packet *pkt)
{
	uint32_t off;

	print_packet(where, pkt);
	putchar('\n');
	for (off = 0; off < HEX_ALONE && off < pkt->caplen; off += HEX_PER_LINE)
		print_hex_line("", pkt, off, off + HEX_PER_LINE);
}

static void print_pair(const struct difference *diff, const struct packet *a,
		       const struct packet *b)
{
	static const char * const what[NR_DIFF_KINDS] = {
		[DIFF_BYTES] = "different bytes",
		[DIFF_LEN] = "different length",
		[DIFF_CAPLEN] = "different captured length",
		[DIFF_ORDER] = "out of order",
		[DIFF_TIME] = "different time",
	};
	uint32_t off, nr_bytes;
	struct number num, away;

	printf("%s: ", what[diff->kind]);
	print_packet("A ", a);
	print_packet("; B ", b);
	if (diff->kind == DIFF_TIME)
		printf("; %s", shift(&num, b->ts_ns - a->ts_ns));
	if (diff->kind == DIFF_ORDER && diff->places)
		printf("; %s place%s %s in B, %s",
		       count(&num, (uint64_t)llabs(diff->places)),
		       plural((uint64_t)llabs(diff->places)),
		       diff->places < 0 ? "earlier" : "later",
		       span(&away, diff->away_ns));
	content_compare(a, b, &off, &nr_bytes);
	if (diff->kind == DIFF_BYTES)
		printf("; %s byte%s differ%s, first at offset %u",
		       count(&num, nr_bytes), plural(nr_bytes),
		       nr_bytes == 1 ? "s" : "", off);
	putchar('\n');
	if (diff->kind == DIFF_ORDER || diff->kind == DIFF_TIME ||
	    (off >= a->caplen && off >= b->caplen))
		return;
	off -= off % HEX_PER_LINE;
	print_hex_line("A ", a, off, off + HEX_PER_LINE);
	print_hex_line("B ", b, off, off + HEX_PER_LINE);
}

static void print_differences(const struct result *res,
			      const struct capture cap[NR_SIDES],
			      const struct options *opt)
{
	const struct difference *diff;
	const struct packet *a, *b;
	struct number num;
	uint64_t i, nr = 0, left;

	for (i = 0; i < res->nr_diffs; i++) {
		diff = &res->diffs[i];
		if (diff->kind == DIFF_ORDER && opt->ignore_order)
			continue;
		if (nr++ >= opt->limit)
			continue;
		a = cap[SIDE_A].packets + diff->index[SIDE_A];
		b = cap[SIDE_B].packets + diff->index[SIDE_B];
		if (diff->kind == DIFF_ONLY_A)
			print_alone("only in A: ", a);
		else if (diff->kind == DIFF_ONLY_B)
			print_alone("only in B: ", b);
		else
			print_pair(diff, a, b);
	}
	left = nr > opt->limit ? nr - opt->limit : 0;
	if (left)
		printf("%s more difference%s not printed (--limit)\n",
		       count(&num, left), plural(left));
}

/**
 * report_print() - print the result to standard output
 * @res: the result
 * @cap: both captures
 * @match: from match_captures()
 * @opt: how much to print
 */
void report_print(const struct result *res,
		  const struct capture cap[NR_SIDES],
		  const struct match *match, const struct options *opt)
{
	unsigned int side;

	for (side = 0; side < NR_SIDES; side++)
		print_file((char)('A' + side), &cap[side], opt->verbose);
	print_counts(res, opt);
	print_times(res, match, opt);
	if (opt->verbose)
		print_window(res);
	print_far(cap, match, opt);
	for (side = 0; side < NR_SIDES; side++)
		if (opt->must_sort[side] && cap[side].nr_back)
			printf("%c is not sorted by time\n",
			       (char)('A' + side));
	print_differences(res, cap, opt);
	printf("verdict: %s\n", res->different ? "DIFFERENT" : "same");
}
