// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * report.c - what tapdump says of a capture, in tcpdump's words, on standard
 * error.
 *
 * Captured is what is in the file; received by filter is what the filter
 * accepted: captured, dropped, and what came after the last packet that was
 * wanted or could be written.
 */
#include <pcap/pcap.h>
#include <stdio.h>
#include "tapdump.h"

static const char *plural(uint64_t n)
{
	return n == 1 ? "" : "s";
}

static void print_linktype(uint32_t linktype)
{
	int dlt = ifaces_dlt(linktype);
	const char *name = pcap_datalink_val_to_name(dlt);

	if (name)
		fprintf(stderr, ", link-type %s (%s)", name,
			pcap_datalink_val_to_description(dlt));
	else
		fprintf(stderr, ", link-type %u", linktype);
}

void report_listening(const struct capture *c)
{
	struct ptap_iface_info iface;
	struct ptap_info info;

	if (ptap_info_get(c->tap, &info))
		return;
	if (info.linktype && (c->opt->linktype || c->opt->any))
		complain("data link type %s",
			 pcap_datalink_val_to_name(ifaces_dlt(info.linktype)));
	if (!c->opt->write && !c->opt->verbose)
		complain("verbose output suppressed, use -v[v]... for full protocol decode");
	else
		fputs("tapdump: ", stderr);
	fputs("listening on ", stderr);
	ifaces_print(stderr, c->opt);
	if (info.linktype)
		print_linktype(info.linktype);
	else if (c->opt->nr_ifaces == 1 && !ptap_iface_get(c->tap, 0, &iface))
		print_linktype(iface.linktype);
	else
		fputs(", link-type of each interface", stderr);
	fprintf(stderr, ", snapshot length %u bytes\n", info.snaplen);
}

/**
 * struct totals - the numbers that are reported
 * @captured: in the file
 * @received: accepted by the filter
 * @dropped: lost in the kernel
 * @st: the counters behind them
 */
struct totals {
	uint64_t captured;
	uint64_t received;
	uint64_t dropped;
	struct ptap_stats st;
};

static int totals_get(const struct capture *c, struct totals *t)
{
	t->captured = output_records(&c->out);
	if (ptap_stats_get(c->tap, PTAP_RING_ALL, &t->st)) {
		complain("%s", ptap_error(c->tap));
		return -1;
	}
	t->dropped = ptap_stats_dropped(&t->st);
	t->received = t->st.captured + t->dropped;
	return 0;
}

static void print_totals(const struct totals *t, const char *sep)
{
	fprintf(stderr, "%llu packet%s captured%s",
		(unsigned long long)t->captured, plural(t->captured), sep);
	fprintf(stderr, "%llu packet%s received by filter%s",
		(unsigned long long)t->received, plural(t->received), sep);
	fprintf(stderr, "%llu packet%s dropped by kernel\n",
		(unsigned long long)t->dropped, plural(t->dropped));
}

/* One line, as tcpdump's on SIGUSR1. */
void report_brief(const struct capture *c)
{
	struct totals t;

	if (totals_get(c, &t))
		return;
	meters_clear();
	fputs("tapdump: ", stderr);
	print_totals(&t, ", ");
}

static void print_causes(const struct ptap_stats *st)
{
	const char *sep = "dropped: ";
	unsigned int i;

	for (i = 0; i < PTAP_DROP_NR; i++) {
		if (!st->dropped[i])
			continue;
		fprintf(stderr, "%s%llu %s", sep,
			(unsigned long long)st->dropped[i], ptap_drop_name(i));
		sep = ", ";
	}
	fputc('\n', stderr);
}

/* Why a capture ended by itself, in tcpdump's words. */
void report_full(const struct capture *c)
{
	if (c->full)
		fprintf(stderr, "Maximum file limit reached: %u\n",
			c->opt->rotate_files);
}

void report_final(const struct capture *c)
{
	struct totals t;
	uint64_t rest;

	if (totals_get(c, &t))
		return;
	print_totals(&t, "\n");
	if (t.dropped)
		print_causes(&t.st);
	rest = t.st.captured - t.captured;
	if (!rest)
		return;
	fprintf(stderr, "%llu packet%s not written: %s\n",
		(unsigned long long)rest, plural(rest),
		c->lost_reader ? "nobody reads the output any more" :
		c->enough || c->opt->count == t.captured ? "received after the last one wanted" :
					      "the output failed");
}

void report_gone(const struct capture *c)
{
	struct ptap_iface_info iface;
	uint32_t id;

	if (!ptap_gone(c->tap))
		return;
	for (id = 0; !ptap_iface_get(c->tap, id, &iface); id++)
		if (iface.flags & PTAP_IFACE_GONE)
			complain("interface %.16s is gone", iface.name);
}
