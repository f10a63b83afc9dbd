// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * answers.c - what Wireshark asks before it captures: interfaces, link types,
 * the options of the dialog, whether a filter is one.
 *
 * Needs neither the module nor the right to capture, so that the interfaces are
 * in the list in any case and a capture can say what is missing.
 */
#include <net/if.h>
#include <linux/if_arp.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <string.h>
#include "extcap.h"

static const struct {
	unsigned short arphrd;
	int dlt;
} dlts[] = {
	{ ARPHRD_ETHER, DLT_EN10MB },
	{ ARPHRD_LOOPBACK, DLT_EN10MB },
	{ ARPHRD_METRICOM, DLT_EN10MB },
	{ ARPHRD_NONE, DLT_RAW },
	{ ARPHRD_TUNNEL, DLT_RAW },
	{ ARPHRD_SIT, DLT_RAW },
	{ ARPHRD_SLIP, DLT_RAW },
	{ ARPHRD_CSLIP, DLT_RAW },
	{ ARPHRD_SLIP6, DLT_RAW },
	{ ARPHRD_CSLIP6, DLT_RAW },
	{ ARPHRD_ADAPT, DLT_RAW },
	{ ARPHRD_RAWHDLC, DLT_RAW },
	{ ARPHRD_DLCI, DLT_RAW },
	{ ARPHRD_CAN, DLT_CAN_SOCKETCAN },
	{ ARPHRD_NETLINK, DLT_NETLINK },
	{ ARPHRD_IEEE80211, DLT_IEEE802_11 },
	{ ARPHRD_IEEE80211_PRISM, DLT_PRISM_HEADER },
	{ ARPHRD_IEEE80211_RADIOTAP, DLT_IEEE802_11_RADIO },
	{ ARPHRD_IEEE802154, DLT_IEEE802_15_4_NOFCS },
	{ ARPHRD_IEEE802, DLT_IEEE802 },
	{ ARPHRD_IEEE802_TR, DLT_IEEE802 },
	{ ARPHRD_AX25, DLT_AX25_KISS },
	{ ARPHRD_ARCNET, DLT_ARCNET_LINUX },
	{ ARPHRD_FDDI, DLT_FDDI },
	{ ARPHRD_HDLC, DLT_C_HDLC },
	{ ARPHRD_FRAD, DLT_FRELAY },
	{ ARPHRD_LOCALTLK, DLT_LTALK },
	{ ARPHRD_VSOCKMON, DLT_VSOCK },
};

void answer_interfaces(void)
{
	struct if_nameindex *list = if_nameindex(), *i;

	printf("extcap {version=%s}{display=ptap}\n", ptap_version());
	printf("interface {value=" EXTCAP_PREFIX EXTCAP_ANY
	       "}{display=ptap: all interfaces}\n");
	for (i = list; i && i->if_index; i++)
		printf("interface {value=" EXTCAP_PREFIX
		       "%s}{display=ptap: %s}\n", i->if_name, i->if_name);
	if (list)
		if_freenameindex(list);
	printf("control {number=%d}{type=string}{display=Capture filter}"
	       "{tooltip=What is captured from now on; nothing: everything}"
	       "{placeholder=capture everything}\n", CONTROL_FILTER);
	printf("control {number=%d}{type=button}{role=logger}{display=Log}"
	       "{tooltip=What ptap says about this capture}\n", CONTROL_LOG);
}

/* As ptap_iface_linktype() of the module: what it does not know is cooked. */
static int dlt_of(const char *iface)
{
	char path[64 + IF_NAMESIZE];
	unsigned int type = ARPHRD_ETHER;
	size_t i;
	FILE *f;

	snprintf(path, sizeof(path), "/sys/class/net/%.*s/type",
		 IF_NAMESIZE - 1, iface);
	f = fopen(path, "re");
	if (f) {
		if (fscanf(f, "%u", &type) != 1)
			type = ARPHRD_ETHER;
		fclose(f);
	}
	for (i = 0; i < sizeof(dlts) / sizeof(*dlts); i++)
		if (dlts[i].arphrd == type)
			return dlts[i].dlt;
	return DLT_LINUX_SLL;
}

void answer_dlts(const struct extcap *x)
{
	int dlt = dlt_of(x->iface);

	printf("dlt {number=%d}{name=%s}{display=%s}\n", dlt,
	       pcap_datalink_val_to_name(dlt),
	       pcap_datalink_val_to_description(dlt));
}

void answer_config(void)
{
	puts("arg {number=0}{call=--snaplen}{display=Snapshot length}"
	     "{tooltip=Bytes of a packet that are captured at most}"
	     "{type=integer}{range=1,262144}{default=262144}{group=Capture}");
	puts("arg {number=1}{call=--direction}{display=Direction}"
	     "{type=selector}{group=Capture}");
	puts("value {arg=1}{value=inout}{display=In and out}{default=true}");
	puts("value {arg=1}{value=in}{display=In}{default=false}");
	puts("value {arg=1}{value=out}{display=Out}{default=false}");
	puts("arg {number=2}{call=--promisc}{display=Promiscuous mode}"
	     "{type=boolean}{default=true}{group=Capture}");
	puts("arg {number=3}{call=--meta}{display=Direction of each packet}"
	     "{tooltip=In the packet's flags, shown as frame.packet_flags_direction}"
	     "{type=boolean}{default=false}{group=Capture}");
	puts("arg {number=4}{call=--buffer}{display=Ring of each CPU in KiB}"
	     "{tooltip=Rounded up to a power of two}"
	     "{type=integer}{range=64,1048576}{default=4096}{group=Advanced}");
	puts("arg {number=5}{call=--clock}{display=Time stamps}"
	     "{tooltip=The CPU's time stamp counter is cheaper}"
	     "{type=selector}{group=Advanced}");
	puts("value {arg=5}{value=host}{display=Kernel clock}{default=true}");
	puts("value {arg=5}{value=tsc}{display=CPU's counter}{default=false}");
}

/* Wireshark takes anything on standard output for what is wrong. */
int answer_filter(const struct extcap *x)
{
	pcap_t *h = pcap_open_dead(dlt_of(x->iface), PTAP_SNAPLEN_MAX);
	struct bpf_program prog;
	int bad;

	if (!h)
		return 1;
	bad = pcap_compile(h, &prog, x->filter, 1, PCAP_NETMASK_UNKNOWN);
	if (bad)
		puts(pcap_geterr(h));
	else
		pcap_freecode(&prog);
	pcap_close(h);
	return 0;
}
