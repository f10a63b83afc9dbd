// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * program.c - the program that a filter expression is compiled to (-d).
 *
 * The very one that tcpdump shows, which depends on the interface: its link
 * type, and that it is a live capture.  Needs no module.  Several interfaces
 * are what "any" is.
 */
#include <pcap/pcap.h>
#include "tapdump.h"

static uint32_t snaplen(const struct options *opt)
{
	return opt->snaplen ? opt->snaplen : PTAP_SNAPLEN_MAX;
}

static pcap_t *open_live(const struct options *opt, const char *name)
{
	char errbuf[PCAP_ERRBUF_SIZE];
	pcap_t *h = pcap_create(name, errbuf);
	int dlt = opt->dlt, err;

	if (!h)
		die("%s: %s", name, errbuf);
	err = pcap_set_snaplen(h, snaplen(opt));
	if (!err)
		err = pcap_set_timeout(h, 1000);
	if (!err)
		err = pcap_activate(h);
	if (err < 0)
		die("%s: %s", name, err == PCAP_ERROR ? pcap_geterr(h) :
							pcap_statustostr(err));
	if (dlt < 0 && (opt->any || opt->nr_ifaces > 1))
		dlt = DLT_LINUX_SLL2;
	if (dlt >= 0 && pcap_set_datalink(h, dlt))
		die("%s", pcap_geterr(h));
	if (dlt >= 0)
		complain("data link type %s", pcap_datalink_val_to_name(dlt));
	return h;
}

static pcap_t *open_handle(const struct options *opt)
{
	int dlt = opt->dlt;
	pcap_t *h;

	if (opt->any || opt->nr_ifaces)
		return open_live(opt, opt->nr_ifaces == 1 ? opt->ifaces[0] :
							    "any");
	if (dlt < 0) {
		fputs("Warning: assuming Ethernet\n", stderr);
		dlt = DLT_EN10MB;
	}
	h = pcap_open_dead(dlt, snaplen(opt));
	if (!h)
		die("no memory for the filter");
	return h;
}

void program_dump(const struct options *opt)
{
	pcap_t *h = open_handle(opt);
	struct bpf_program prog;

	if (pcap_compile(h, &prog, opt->filter ? opt->filter : "",
			 !opt->no_optimize, 0))
		die("filter \"%s\": %s", opt->filter ? opt->filter : "",
		    pcap_geterr(h));
	bpf_dump(&prog, opt->dump);
	pcap_freecode(&prog);
	pcap_close(h);
}
