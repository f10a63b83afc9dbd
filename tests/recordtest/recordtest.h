/* SPDX-License-Identifier: GPL-2.0 */
/*
 * recordtest: records of packets that are made for it, byte for byte.
 *
 * Packets of every form that an skb can have (packets.c) become records twice:
 * by module/record.c, which is compiled in, and by a builder that knows nothing
 * but a flat copy of the packet's bytes (naive.c).  main.c goes through all
 * combinations and compares.
 */
#ifndef RECORDTEST_H
#define RECORDTEST_H

#include <linux/skbuff.h>
#include "record.h"

#define TEST_MAC_LEN	14	/* bytes of a link layer header */
#define TEST_LEN_MAX	65535

/* How a packet's bytes lie in memory. */
enum test_layout {
	TEST_LINEAR,
	TEST_FRAGS,
	TEST_FRAG_LIST,
	TEST_FRAGS_AND_LIST,
	TEST_UNREADABLE,
	NR_TEST_LAYOUTS,
};

/* What stands before the first byte to capture. */
enum test_mac {
	TEST_MAC_ETHER,		/* a whole Ethernet header */
	TEST_MAC_NONE,		/* no link layer header was set */
	TEST_MAC_SHORT,		/* the packet ends within it */
	NR_TEST_MACS,
};

/**
 * struct test_packet - a packet, and what is known of it
 * @skb: itself
 * @flat: its bytes
 * @len: their number
 * @readable: so many can be read
 * @has_addr: its link layer header has a sender's address, @test_addr
 */
struct test_packet {
	struct sk_buff *skb;
	const u8 *flat;
	u32 len;
	u32 readable;
	bool has_addr;
};

extern const u8 test_addr[6];

int test_packets_init(void);
void test_packets_exit(void);
int test_packet_make(struct test_packet *p, enum test_layout layout,
		     enum test_mac mac, u32 len, u32 head);
u32 naive_record(const struct ptap_config *cfg, const struct ptap_iface *iface,
		 const struct test_packet *p, u32 limit, u8 *dst);

#endif /* RECORDTEST_H */
