// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * ifaces.c - the interfaces that can be captured, and which one is meant.
 *
 * The list and its order are libpcap's, so that -D, its numbers and the default
 * are those of tcpdump; what is no network interface is left out.
 */
#include <net/if.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "tapdump.h"

#define LINKTYPE_RAW	101

static pcap_if_t *all_devices(void)
{
	char errbuf[PCAP_ERRBUF_SIZE];
	pcap_if_t *list;

	if (pcap_findalldevs(&list, errbuf))
		die("cannot list the interfaces: %s", errbuf);
	return list;
}

static bool is_ours(const pcap_if_t *dev)
{
	return !strcmp(dev->name, "any") || if_nametoindex(dev->name);
}

static const char *connection(const pcap_if_t *dev)
{
	bool wireless = dev->flags & PCAP_IF_WIRELESS;

	switch (dev->flags & PCAP_IF_CONNECTION_STATUS) {
	case PCAP_IF_CONNECTION_STATUS_UNKNOWN:
		return wireless ? "Association status unknown" : NULL;
	case PCAP_IF_CONNECTION_STATUS_CONNECTED:
		return wireless ? "Associated" : "Connected";
	case PCAP_IF_CONNECTION_STATUS_DISCONNECTED:
		return wireless ? "Not associated" : "Disconnected";
	}
	return NULL;
}

static void print_device(unsigned int nr, const pcap_if_t *dev)
{
	const char *words[] = {
		(dev->flags & PCAP_IF_UP) ? "Up" : NULL,
		(dev->flags & PCAP_IF_RUNNING) ? "Running" : NULL,
		(dev->flags & PCAP_IF_LOOPBACK) ? "Loopback" : NULL,
		(dev->flags & PCAP_IF_WIRELESS) ? "Wireless" : NULL,
		connection(dev),
	};
	const char *sep = " [";
	unsigned int i;

	printf("%u.%s", nr, dev->name);
	if (dev->description)
		printf(" (%s)", dev->description);
	for (i = 0; i < sizeof(words) / sizeof(*words); i++) {
		if (!words[i])
			continue;
		printf("%s%s", sep, words[i]);
		sep = ", ";
	}
	puts(sep[0] == ',' ? "]" : " [none]");
}

void ifaces_list(void)
{
	pcap_if_t *list = all_devices(), *dev;
	unsigned int nr = 0;

	for (dev = list; dev; dev = dev->next)
		if (is_ours(dev))
			print_device(++nr, dev);
	pcap_freealldevs(list);
}

/* The device with number @nr in the list, or NULL. */
static char *name_of(unsigned long nr)
{
	pcap_if_t *list = all_devices(), *dev;
	char *name = NULL;

	for (dev = list; dev; dev = dev->next)
		if (is_ours(dev) && !--nr)
			break;
	if (dev) {
		name = strdup(dev->name);
		if (!name)
			die("no memory");
	}
	pcap_freealldevs(list);
	return name;
}

static bool is_number(const char *text)
{
	return text[0] && !text[strspn(text, "0123456789")];
}

/* Without any -i, the first of the list is meant. */
static void choose_default(struct options *opt)
{
	char *name = name_of(1);

	if (!name)
		die("no interface can be captured");
	opt->ifaces = malloc(sizeof(*opt->ifaces));
	if (!opt->ifaces)
		die("no memory");
	opt->ifaces[0] = name;
	opt->nr_ifaces = 1;
}

static void number_to_name(char **iface)
{
	char *name;

	if (!is_number(*iface) || if_nametoindex(*iface))
		return;
	name = name_of(strtoul(*iface, NULL, 10));
	if (!name)
		die("there is no interface %s; tapdump -D lists them", *iface);
	free(*iface);
	*iface = name;
}

/* Numbers become names, and the name "any" becomes @opt->any. */
void ifaces_resolve(struct options *opt)
{
	unsigned int i, nr_any = 0;

	if (!opt->nr_ifaces)
		choose_default(opt);
	for (i = 0; i < opt->nr_ifaces; i++) {
		number_to_name(&opt->ifaces[i]);
		nr_any += !strcmp(opt->ifaces[i], "any");
	}
	if (!nr_any)
		return;
	if (nr_any < opt->nr_ifaces)
		die("-i any is all interfaces; name either it or others");
	opt->any = true;
	while (opt->nr_ifaces)
		free(opt->ifaces[--opt->nr_ifaces]);
	if (opt->linktype && opt->linktype != PTAP_LINKTYPE_LINUX_SLL &&
	    opt->linktype != PTAP_LINKTYPE_LINUX_SLL2)
		die("%s is no link type of any, which has LINUX_SLL2 and LINUX_SLL",
		    pcap_datalink_val_to_name(opt->dlt));
}

/* What libpcap calls a link type of a file; the same number for all but one. */
int ifaces_dlt(uint32_t linktype)
{
	return linktype == LINKTYPE_RAW ? DLT_RAW : (int)linktype;
}

/* The other way round. */
uint32_t ifaces_linktype(int dlt)
{
	return dlt == DLT_RAW ? LINKTYPE_RAW : (uint32_t)dlt;
}

/* The names as they stand in a message. */
void ifaces_print(FILE *to, const struct options *opt)
{
	unsigned int i;

	if (opt->any)
		fputs("any", to);
	for (i = 0; i < opt->nr_ifaces; i++)
		fprintf(to, "%s%s", i ? ", " : "", opt->ifaces[i]);
}
