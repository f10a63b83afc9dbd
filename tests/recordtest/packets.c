// SPDX-License-Identifier: GPL-2.0
/* Packets: the same bytes in every form that an skb can have. */
#include <linux/etherdevice.h>
#include <linux/if_ether.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include "recordtest.h"

#define PAGE_ORDER	5	/* 128 KiB: all of a packet in one piece */
#define FRAG_SHIFT	3	/* fragments begin nowhere in particular */

const u8 test_addr[6] = { 0x02, 0x11, 0x22, 0x33, 0x44, 0x55 };

static struct net_device *dev;
static u8 *bytes;

int test_packets_init(void)
{
	u32 i;

	bytes = vmalloc(TEST_LEN_MAX);
	dev = alloc_etherdev(0);
	if (!bytes || !dev)
		return -ENOMEM;
	for (i = 0; i < TEST_LEN_MAX; i++)
		bytes[i] = i * 7 + (i >> 8) + 1;
	return 0;
}

void test_packets_exit(void)
{
	if (dev)
		free_netdev(dev);
	vfree(bytes);
}

/* @len bytes from @off on as @nr fragments of pages, the last has the rest. */
static int add_frags(struct sk_buff *skb, u32 off, u32 len, u32 nr)
{
	u32 i, n;

	for (i = 0; i < nr && len; i++) {
		struct page *page = alloc_pages(GFP_KERNEL | __GFP_COMP,
						PAGE_ORDER);

		if (!page)
			return -ENOMEM;
		n = i + 1 < nr ? max(len / (nr - i), 1U) : len;
		memcpy(page_address(page) + FRAG_SHIFT + i, bytes + off, n);
		skb_add_rx_frag(skb, i, page, FRAG_SHIFT + i, n,
				PAGE_SIZE << PAGE_ORDER);
		off += n;
		len -= n;
	}
	return 0;
}

/* @len bytes from @off on in a packet of a list; half of them in a page. */
static int add_to_list(struct sk_buff *skb, u32 off, u32 len)
{
	struct sk_buff **at = &skb_shinfo(skb)->frag_list, *more;
	u32 head = len / 2;

	more = alloc_skb(head + 1, GFP_KERNEL);
	if (!more)
		return -ENOMEM;
	while (*at)
		at = &(*at)->next;
	*at = more;
	skb_put_data(more, bytes + off, head);
	skb->len += len;
	skb->data_len += len;
	return add_frags(more, off + head, len - head, 1);
}

static int add_list(struct sk_buff *skb, u32 off, u32 len)
{
	u32 n = len / 3;
	int err = 0;

	if (len)
		err = add_to_list(skb, off, n);
	if (len && !err)
		err = add_to_list(skb, off + n, len - n);
	return err;
}

static int add_rest(struct sk_buff *skb, enum test_layout layout, u32 off,
		    u32 len)
{
	int err;

	switch (layout) {
	case TEST_FRAGS:
	case TEST_UNREADABLE:
		return add_frags(skb, off, len, 3);
	case TEST_FRAG_LIST:
		return add_list(skb, off, len);
	case TEST_FRAGS_AND_LIST:
		err = add_frags(skb, off, len / 2, 2);
		if (err)
			return err;
		return add_list(skb, off + len / 2, len - len / 2);
	default:
		return 0;
	}
}

/* The header lies before the packet, as when it has been received. */
static void set_mac(struct test_packet *p, enum test_mac mac)
{
	struct sk_buff *skb = p->skb;
	struct ethhdr *eth = (struct ethhdr *)(skb->data - TEST_MAC_LEN);

	memset(eth, 0xee, sizeof(*eth));
	memcpy(eth->h_source, test_addr, sizeof(test_addr));
	if (mac == TEST_MAC_NONE)
		return;
	if (mac == TEST_MAC_ETHER)
		skb_set_mac_header(skb, -TEST_MAC_LEN);
	else
		skb_set_mac_header(skb, skb_headlen(skb) - TEST_MAC_LEN + 1);
	p->has_addr = mac == TEST_MAC_ETHER;
}

/*
 * A packet of @len bytes, @head of them, or all, in its linear part.  -EINVAL:
 * there is none of this form.
 */
int test_packet_make(struct test_packet *p, enum test_layout layout,
		     enum test_mac mac, u32 len, u32 head)
{
	struct sk_buff *skb;
	int err;

	if (layout == TEST_LINEAR)
		head = len;
#ifndef PTAP_HAVE_SKB_FRAGS_READABLE
	if (layout == TEST_UNREADABLE)
		return -EINVAL;
#endif
	if (head > len || (head == len && layout != TEST_LINEAR))
		return -EINVAL;
	/* Places of headers are numbers of 16 bits. */
	if (mac == TEST_MAC_SHORT && head > U16_MAX / 2)
		return -EINVAL;
	skb = alloc_skb(NET_SKB_PAD + TEST_MAC_LEN + head, GFP_KERNEL);
	if (!skb)
		return -ENOMEM;
	skb_reserve(skb, NET_SKB_PAD + TEST_MAC_LEN);
	skb_put_data(skb, bytes, head);
	skb->dev = dev;
	skb->protocol = htons(ETH_P_IP);
	skb->pkt_type = PACKET_MULTICAST;
	*p = (struct test_packet){
		.skb = skb, .flat = bytes, .len = len, .readable = len,
	};
	set_mac(p, mac);
	err = add_rest(skb, layout, head, len - head);
	if (err || skb->len != len) {
		kfree_skb(skb);
		return err ?: -EIO;
	}
#ifdef PTAP_HAVE_SKB_FRAGS_READABLE
	if (layout == TEST_UNREADABLE) {
		skb->unreadable = 1;
		p->readable = head;
	}
#endif
	return 0;
}
