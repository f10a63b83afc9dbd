// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * lists.c - the link types that can be chosen for an interface (-L).
 */
#include <pcap/pcap.h>
#include "tapdump.h"

static const char *iface_name(const struct options *opt, unsigned int i)
{
	return opt->any ? "any" : opt->ifaces[i];
}

static bool is_cooked(const struct options *opt,
		      const struct ptap_iface_info *i)
{
	return opt->any || i->linktype == DLT_LINUX_SLL;
}

static void print_linktype(int dlt)
{
	const char *name = pcap_datalink_val_to_name(dlt);

	if (name)
		printf("  %s (%s)\n", name,
		       pcap_datalink_val_to_description(dlt));
	else
		printf("  %d\n", dlt);
}

/* Its own, and cooked headers, which every interface can have. */
void lists_linktypes(const struct options *opt, struct ptap *tap)
{
	struct ptap_iface_info iface;
	unsigned int i;

	for (i = 0; opt->any ? !i : i < opt->nr_ifaces; i++) {
		printf("Data link types for %s (use option -y to set):\n",
		       iface_name(opt, i));
		if (!opt->any && ptap_iface_get(tap, i, &iface))
			continue;
		if (!is_cooked(opt, &iface))
			print_linktype(ifaces_dlt(iface.linktype));
		print_linktype(DLT_LINUX_SLL);
		print_linktype(DLT_LINUX_SLL2);
	}
}
