/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Packets for filters to tell apart: IPv4 and IPv6 with TCP, UDP and ICMP, with
 * options, fragments and truncations, ARP and others, from several interfaces
 * of several kinds, in all directions.
 *
 * Random, but the same in each run; addresses, ports and lengths come from
 * small sets, so that each is hit and missed.
 */
#ifndef PTAP_UNIT_LIB_PACKETS_H
#define PTAP_UNIT_LIB_PACKETS_H

#include "lib_bpf.h"

static u64 packets_random = 1;

static inline u32 rnd(u32 n)
{
	packets_random = packets_random * 6364136223846793005ULL +
			 1442695040888963407ULL;
	return (packets_random >> 33) % n;
}

static inline void put_be16(u8 *p, u32 v)
{
	p[0] = v >> 8;
	p[1] = v;
}

static inline u32 packet_port(void)
{
	static const u16 ports[] = { 22, 53, 80, 443, 1000, 1500, 2000, 2001 };

	return ports[rnd(sizeof(ports) / sizeof(*ports))];
}

/* TCP, UDP, ICMP, ICMPv6, SCTP or nothing of these, at @p. */
static inline void packet_transport(u8 *p, u32 protocol, u32 len)
{
	put_be16(p, packet_port());
	put_be16(p + 2, packet_port());
	if (protocol == 6) {
		p[12] = 0x50;
		p[13] = 1 << rnd(5);
	} else if (protocol == 17) {
		put_be16(p + 4, len);
	} else if (protocol == 1) {
		p[0] = rnd(2) * 8;
	} else if (protocol == 58) {
		p[0] = 128 + rnd(10);
	}
}

static inline void packet_ip4(struct bpf_packet *p)
{
	static const u8 protocols[] = { 6, 17, 1, 6, 17, 132, 47 };
	u32 header = 20 + 4 * rnd(3) * rnd(2);
	u8 *d = p->data;

	p->protocol = 0x0800;
	d[0] = 0x40 | header / 4;
	d[1] = rnd(4);
	put_be16(d + 2, p->len - rnd(2) * rnd(8));
	put_be16(d + 6, rnd(3) ? 0x4000 * rnd(2) : 0x2000 * rnd(2) | rnd(99));
	d[8] = rnd(2) ? 64 : 1 + rnd(64);
	d[9] = protocols[rnd(sizeof(protocols))];
	memcpy(d + 12, (u8[]){ 10, 0, rnd(2), 1 + rnd(3) }, 4);
	memcpy(d + 16, (u8[]){ rnd(3) ? 10 : 224, 0, 0, 1 + rnd(3) }, 4);
	packet_transport(d + header, d[9], p->len - header);
}

static inline void packet_ip6(struct bpf_packet *p)
{
	static const u8 protocols[] = { 6, 17, 58, 0, 44 };
	u8 *d = p->data;

	p->protocol = 0x86dd;
	memset(d, 0, 40);
	d[0] = 0x60;
	put_be16(d + 4, p->len - 40);
	d[6] = protocols[rnd(sizeof(protocols))];
	d[7] = 64;
	memcpy(d + 8, (u8[]){ rnd(2) ? 0x20 : 0xfe, 1, 0x0d, 0xb8 }, 4);
	d[23] = 1 + rnd(3);
	memcpy(d + 24, (u8[]){ rnd(2) ? 0xff : 0xfe, rnd(2) ? 0x80 : 2 }, 2);
	d[39] = 1 + rnd(3);
	packet_transport(d + 40, d[6], p->len - 40);
}

static inline void packet_other(struct bpf_packet *p)
{
	static const u16 protocols[] = { 0x0806, 0x88cc, 0x8864, 0x8863, 4, 1 };

	p->protocol = protocols[rnd(sizeof(protocols) / sizeof(*protocols))];
	if (p->protocol == 0x0806) {
		memcpy(p->data, "\0\1\x08\0\6\4\0\1", 8);
		memcpy(p->data + 14, (u8[]){ 10, 0, 0, 1 + rnd(3) }, 4);
		memcpy(p->data + 24, (u8[]){ 10, 0, 0, 1 + rnd(3) }, 4);
	}
}

static inline void packet_make(struct bpf_packet *p)
{
	static const u16 hatypes[] = { 1, 1, 772, 65534 };
	u32 i;

	memset(p, 0, sizeof(*p));
	for (i = 0; i < sizeof(p->data); i++)
		p->data[i] = rnd(3) ? rnd(256) : 0;
	p->ifindex = 1 + rnd(4) + (rnd(20) ? 0 : 0x12345678);
	p->hatype = hatypes[rnd(4)];
	p->pkttype = rnd(5);
	p->len = rnd(2) ? 70 + rnd(20) : 64 + rnd(BPF_PACKET_MAX - 64);
	switch (rnd(5)) {
	case 0:
	case 1:
		packet_ip4(p);
		break;
	case 2:
	case 3:
		packet_ip6(p);
		break;
	default:
		packet_other(p);
	}
	/* Cut anywhere: loads go behind the end. */
	if (!rnd(4))
		p->len = rnd(p->len + 1);
}

#endif /* PTAP_UNIT_LIB_PACKETS_H */
