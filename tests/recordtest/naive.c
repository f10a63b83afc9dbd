// SPDX-License-Identifier: GPL-2.0
/*
 * Records as the formats' documents have them, made byte by byte from a flat
 * copy of the packet.
 */
#include <linux/if_vlan.h>
#include "recordtest.h"

struct writer {
	u8 *dst;
	u32 len;	/* bytes so far */
	u32 room;	/* what is behind is left out */
};

static void put(struct writer *w, u8 byte)
{
	if (w->len < w->room)
		w->dst[w->len] = byte;
	w->len++;
}

static void put_be16(struct writer *w, u16 v)
{
	put(w, v >> 8);
	put(w, v);
}

/* In the machine's order. */
static void put_u32(struct writer *w, u32 v)
{
	const u8 *b = (const u8 *)&v;
	int i;

	for (i = 0; i < 4; i++)
		put(w, b[i]);
}

static void put_bytes(struct writer *w, const u8 *bytes, u32 from, u32 to)
{
	for (; from < to; from++)
		put(w, bytes[from]);
}

static void put_addr(struct writer *w, const struct test_packet *p)
{
	u8 addr[8] = { 0 };

	if (p->has_addr)
		memcpy(addr, test_addr, sizeof(test_addr));
	put_bytes(w, addr, 0, sizeof(addr));
}

/* LINKTYPE_LINUX_SLL */
static void put_sll(struct writer *w, const struct ptap_iface *iface,
		    const struct test_packet *p, bool tagged)
{
	const struct sk_buff *skb = p->skb;

	put_be16(w, skb->pkt_type);
	put_be16(w, iface->arphrd);
	put_be16(w, p->has_addr ? 6 : 0);
	put_addr(w, p);
	put_be16(w, ntohs(tagged ? skb->vlan_proto : skb->protocol));
	if (tagged) {
		put_be16(w, skb_vlan_tag_get(skb));
		put_be16(w, ntohs(skb->protocol));
	}
}

/* LINKTYPE_LINUX_SLL2 */
static void put_sll2(struct writer *w, const struct ptap_iface *iface,
		     const struct test_packet *p)
{
	put_be16(w, ntohs(p->skb->protocol));
	put_be16(w, 0);
	put_be16(w, iface->ifindex >> 16);
	put_be16(w, iface->ifindex);
	put_be16(w, iface->arphrd);
	put(w, p->skb->pkt_type);
	put(w, p->has_addr ? 6 : 0);
	put_addr(w, p);
}

/* The bytes as the file is to have them, readable or not. */
static void put_packet(struct writer *w, const struct ptap_iface *iface,
		       const struct test_packet *p)
{
	const struct sk_buff *skb = p->skb;
	bool tagged = skb_vlan_tag_present(skb);
	u32 from = 0;

	if (iface->cooked_len == PTAP_SLL_LEN) {
		put_sll(w, iface, p, tagged);
	} else if (iface->cooked_len == PTAP_SLL2_LEN) {
		put_sll2(w, iface, p);
	} else if (iface->tag == PTAP_TAG_CAN && p->readable >= 4) {
		u32 id;

		memcpy(&id, p->flat, sizeof(id));
		put_be16(w, id >> 16);
		put_be16(w, id);
		from = sizeof(id);
	} else if (iface->linktype == 1 && tagged && skb_headlen(skb) >= 12) {
		put_bytes(w, p->flat, 0, 12);
		put_be16(w, ntohs(skb->vlan_proto));
		put_be16(w, skb_vlan_tag_get(skb));
		from = 12;
	}
	put_bytes(w, p->flat, from, p->len);
}

/* How long it gets, and how many bytes more than the packet has. */
static u32 packet_len(const struct ptap_iface *iface,
		      const struct test_packet *p)
{
	struct writer w = { .room = 0 };

	put_packet(&w, iface, p);
	return w.len;
}

/**
 * naive_record - the whole record, but for its time, which is 0
 * @cfg: configuration
 * @iface: interface
 * @p: packet
 * @limit: bytes that the filter wants
 * @dst: where to
 *
 * Return: bytes of the record.
 */
u32 naive_record(const struct ptap_config *cfg, const struct ptap_iface *iface,
		 const struct test_packet *p, u32 limit, u8 *dst)
{
	u32 len = packet_len(iface, p);
	u32 caplen = min3(p->readable + (len - p->len), cfg->snaplen, limit);
	u32 size = 32 + (caplen + 3) / 4 * 4;	/* of a block */
	struct writer w = { .dst = dst, .room = U32_MAX };

	if (cfg->format == PTAP_FORMAT_PCAPNG) {
		put_u32(&w, 6);
		put_u32(&w, size);
		put_u32(&w, iface->id);
	}
	put_u32(&w, 0);
	put_u32(&w, 0);
	put_u32(&w, caplen);
	put_u32(&w, len);
	w.room = w.len + caplen;
	put_packet(&w, iface, p);
	w.len = w.room;
	w.room = U32_MAX;
	if (cfg->format == PTAP_FORMAT_PCAPNG) {
		while (w.len < size - 4)
			put(&w, 0);
		put_u32(&w, size);
	}
	return w.len;
}
