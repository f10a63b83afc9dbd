// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * stamps.c - whose time stamps: the host's, or the network adapter's (-j, -J).
 *
 * What an interface has is what libpcap finds out about it, and what is said of
 * one that has it not is what tcpdump says: a warning, and the host's stamps.
 * An adapter has to be told to stamp each packet; it goes on when the capture
 * has ended, as others may want it to.
 */
#include <errno.h>
#include <linux/net_tstamp.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <pcap/pcap.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include "tapdump.h"

void stamps_parse(struct options *opt, const char *name)
{
	opt->stamp_type = pcap_tstamp_type_name_to_val(name);
	if (opt->stamp_type < 0)
		die("invalid time stamp type %s", name);
}

static unsigned int nr_names(const struct options *opt)
{
	return opt->any ? 1 : opt->nr_ifaces;
}

static const char *name_of(const struct options *opt, unsigned int i)
{
	return opt->any ? "any" : opt->ifaces[i];
}

static pcap_t *handle_of(const char *iface)
{
	char errbuf[PCAP_ERRBUF_SIZE];
	pcap_t *h = pcap_create(iface, errbuf);

	if (!h)
		die("%s", errbuf);
	return h;
}

static void list_types(const char *iface, const int *types, int nr)
{
	const char *name;
	int i;

	printf("Time stamp types for %s (use option -j to set):\n", iface);
	for (i = 0; i < nr; i++) {
		name = pcap_tstamp_type_val_to_name(types[i]);
		if (name)
			printf("  %s (%s)\n", name,
			       pcap_tstamp_type_val_to_description(types[i]));
		else
			printf("  %d\n", types[i]);
	}
}

void stamps_list(const struct options *opt)
{
	unsigned int i;
	int *types, nr;
	pcap_t *h;

	for (i = 0; i < nr_names(opt); i++) {
		h = handle_of(name_of(opt, i));
		nr = pcap_list_tstamp_types(h, &types);
		if (nr < 0)
			die("%s", pcap_geterr(h));
		list_types(name_of(opt, i), types, nr);
		pcap_free_tstamp_types(types);
		pcap_close(h);
	}
}

/* Return: 0, or why the adapter does not stamp each packet. */
static int stamp_all(const char *iface)
{
	struct hwtstamp_config config = {
		.tx_type = HWTSTAMP_TX_ON,
		.rx_filter = HWTSTAMP_FILTER_ALL,
	};
	struct ifreq req = { .ifr_data = (void *)&config };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int err = 0;

	if (fd < 0)
		return errno;
	strncpy(req.ifr_name, iface, sizeof(req.ifr_name) - 1);
	if (ioctl(fd, SIOCSHWTSTAMP, &req))
		err = errno;
	close(fd);
	return err;
}

static void use_adapter(struct options *opt, const char *iface)
{
	int err = stamp_all(iface);

	switch (err) {
	case 0:
		/* "adapter" is what the kernel made the host's time of. */
		if (opt->stamp_type == PCAP_TSTAMP_ADAPTER_UNSYNCED)
			opt->clock_adapter = true;
		return;
	case EPERM:
		die("%s: no permission to make the adapter stamp packets: that needs CAP_NET_ADMIN",
		    iface);
	case EOPNOTSUPP:
	case ERANGE:
		complain("WARNING: %s: %s", iface,
			 pcap_statustostr(PCAP_WARNING_TSTAMP_TYPE_NOTSUP));
		return;
	}
	die("%s: cannot make the adapter stamp packets: %s", iface,
	    strerror(err));
}

/* Before the session is set up, and while there are rights. */
void stamps_prepare(struct options *opt)
{
	const char *iface;
	unsigned int i;
	int status;
	pcap_t *h;

	if (opt->stamp_type < 0)
		return;
	for (i = 0; i < nr_names(opt); i++) {
		iface = name_of(opt, i);
		h = handle_of(iface);
		status = pcap_set_tstamp_type(h, opt->stamp_type);
		pcap_close(h);
		if (status < 0)
			die("%s: Can't set time stamp type: %s", iface,
			    pcap_statustostr(status));
		if (status > 0)
			complain("WARNING: When trying to set timestamp type '%s' on %s: %s",
				 pcap_tstamp_type_val_to_name(opt->stamp_type),
				 iface, pcap_statustostr(status));
		else if (opt->stamp_type == PCAP_TSTAMP_ADAPTER ||
			 opt->stamp_type == PCAP_TSTAMP_ADAPTER_UNSYNCED)
			use_adapter(opt, iface);
	}
}
