// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * count.c - packets by protocol, one by one: ptap_packet_next().
 *
 *	count IFACE PACKETS [FILTER]
 *
 *	cc -o count count.c $(pkg-config --cflags --libs ptap)
 */
#include <err.h>
#include <ptap.h>
#include <stdio.h>
#include <stdlib.h>

#define ETHER		1	/* LINKTYPE_ETHERNET */
#define ETHER_HEADER	14U

enum kind { TCP, UDP, ICMP, ARP, OTHER, NR_KINDS };

static const char *const names[NR_KINDS] = {
	"TCP", "UDP", "ICMP", "ARP", "other",
};

static enum kind kind_of_ip(uint8_t protocol)
{
	switch (protocol) {
	case 6:
		return TCP;
	case 17:
		return UDP;
	case 1:
	case 58:
		return ICMP;
	}
	return OTHER;
}

static enum kind kind_of(const struct ptap_packet *pkt)
{
	const uint8_t *p = pkt->data;
	unsigned int type;

	if (pkt->linktype != ETHER || pkt->caplen < ETHER_HEADER)
		return OTHER;
	type = p[12] << 8 | p[13];
	if (type == 0x0806)
		return ARP;
	if (type == 0x0800 && pkt->caplen > ETHER_HEADER + 9)
		return kind_of_ip(p[ETHER_HEADER + 9]);
	if (type == 0x86dd && pkt->caplen > ETHER_HEADER + 6)
		return kind_of_ip(p[ETHER_HEADER + 6]);
	return OTHER;
}

int main(int argc, char **argv)
{
	unsigned long packets[NR_KINDS] = { 0 }, left;
	struct ptap *p = ptap_create();
	struct ptap_config config = { .size = sizeof(config) };
	struct ptap_packet pkt;
	const char *iface;
	int ret = 0, i;

	if (argc < 3 || !p)
		errx(2, "usage: count IFACE PACKETS [FILTER]");
	iface = argv[1];
	left = strtoul(argv[2], NULL, 0);
	config.ifaces = &iface;
	config.nr_ifaces = 1;
	if (ptap_open(p, &config) || ptap_filter_set(p, argv[3]) ||
	    ptap_start(p))
		errx(1, "%s", ptap_error(p));
	fprintf(stderr, "counting\n");

	while (left && ret >= 0) {
		ret = ptap_packet_next(p, &pkt);
		if (ret > 0) {
			packets[kind_of(&pkt)]++;
			left--;
		} else if (!ret) {
			ptap_wait(p, -1, NULL);
		}
	}
	for (i = 0; i < NR_KINDS; i++)
		printf("%s %lu\n", names[i], packets[i]);
	ptap_destroy(p);
	return 0;
}
