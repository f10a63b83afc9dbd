// SPDX-License-Identifier: GPL-2.0
/*
 * Records: a packet in the form that stands in the capture file.
 *
 * ptap_record_plan() decides sizes, ptap_record_write() writes all of a record
 * but the packet's bytes and the options (meta.c), ptap_record_copy() the
 * bytes.  The hook calls them in this order, or leaves the last to the drainer
 * (ring.c).
 *
 * Formats: draft-ietf-opsawg-pcap (section 5), draft-ietf-opsawg-pcapng
 * (section 4.3), LINKTYPE_LINUX_SLL and LINKTYPE_LINUX_SLL2 of the tcpdump
 * group's list.  Everything but the cooked headers is in host byte order.
 */
#include <linux/if_arp.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/if_vlan.h>
#include <linux/netdevice.h>
#include <linux/timekeeping.h>
#include "clock.h"
#include "compat.h"
#include "copy.h"
#include "iface.h"
#include "limits.h"
#include "merge.h"
#include "record.h"
#include "session.h"

#define PTAP_SLL_ADDR_LEN	8

struct ptap_sll {
	__be16 pkttype;
	__be16 hatype;
	__be16 halen;
	u8 addr[PTAP_SLL_ADDR_LEN];
	__be16 protocol;
} __packed;

struct ptap_sll2 {
	__be16 protocol;
	__be16 reserved;
	__be32 ifindex;
	__be16 hatype;
	u8 pkttype;
	u8 halen;
	u8 addr[PTAP_SLL_ADDR_LEN];
} __packed;

static_assert(sizeof(struct ptap_sll) == PTAP_SLL_LEN);
static_assert(sizeof(struct ptap_sll2) == PTAP_SLL2_LEN);

/* Largest record that a configuration can produce. */
u32 ptap_record_size_max(const struct ptap_config *cfg)
{
	return cfg->snaplen + PTAP_RECORD_OVERHEAD;
}

/*
 * A VLAN tag that the device took out.  LINUX_SLL2 has no place for it, as
 * libpcap does it.
 */
static void ptap_record_plan_tag(struct ptap_record *rec)
{
	if (rec->cooked_len == PTAP_SLL_LEN)
		rec->tag = PTAP_TAG_SLL;
	else if (!rec->cooked_len && rec->iface->linktype == 1 &&
		 skb_headlen(rec->skb) >= 2 * ETH_ALEN)
		rec->tag = PTAP_TAG_ETHER;
	else
		return;
	rec->len += VLAN_HLEN;
}

/* The reader judges the packet again: it sees what the filter saw. */
static u32 ptap_record_plan_mark(const struct ptap_config *cfg,
				 struct ptap_record *rec)
{
	rec->mark |= (u32)rec->skb->pkt_type << 27;
	if (rec->tag == PTAP_TAG_ETHER || rec->tag == PTAP_TAG_SLL)
		rec->mark |= PTAP_MARK_VLAN;
	rec->len = PTAP_MARK_LEN(rec->len) | rec->mark;
	return min_t(u64, PTAP_SNAPLEN_MAX,
		     cfg->ring_size / 2 - PTAP_RECORD_OVERHEAD);
}

/**
 * ptap_record_plan - decide what of a packet is captured, and how long it gets
 * @cfg: configuration
 * @rec: @skb and @iface are set; everything else is set here
 * @limit: number of bytes that the filter wants, not 0
 *
 * Without options: who adds them adds their length.
 *
 * Context: hook.
 */
void ptap_record_plan(const struct ptap_config *cfg, struct ptap_record *rec,
		      u32 limit)
{
	const struct sk_buff *skb = rec->skb;
	u32 readable = ptap_skb_readable(skb);

	rec->cooked_len = rec->iface->cooked_len;
	rec->tag = rec->iface->tag;
	rec->len = skb->len + rec->cooked_len;
	if (skb_vlan_tag_present(skb))
		ptap_record_plan_tag(rec);
	rec->caplen = readable + (rec->len - skb->len);
	if (unlikely(rec->mark))
		rec->caplen = min(rec->caplen, ptap_record_plan_mark(cfg, rec));
	else
		rec->caplen = min3(rec->caplen, cfg->snaplen, limit);

	if (cfg->format == PTAP_FORMAT_PCAPNG) {
		rec->data_off = PTAP_EPB_HEAD_LEN;
		rec->size = PTAP_EPB_MIN_LEN + ALIGN(rec->caplen, 4);
	} else {
		rec->data_off = PTAP_PCAP_RECORD_LEN;
		rec->size = PTAP_PCAP_RECORD_LEN + rec->caplen;
	}
}

/*
 * The sender's address, as the device finds it in a header: its parser looks
 * at neither whether there is one nor where the packet ends.
 */
static u8 ptap_record_address(const struct sk_buff *skb, u8 *addr)
{
	int need = skb->dev->type == ARPHRD_ETHER ? ETH_HLEN :
						    skb->dev->hard_header_len;

	if (unlikely(!skb_mac_header_was_set(skb) ||
		     skb_tail_pointer(skb) - skb_mac_header(skb) < need))
		return 0;
	return dev_parse_header(skb, addr);
}

/* LINUX_SLL carries a tag as Ethernet does: its protocol field is the TPID. */
static void ptap_record_sll(const struct ptap_record *rec, struct ptap_sll *h)
{
	const struct sk_buff *skb = rec->skb;

	memset(h, 0, sizeof(*h));
	h->pkttype = htons(skb->pkt_type);
	h->hatype = htons(rec->iface->arphrd);
	h->halen = htons(ptap_record_address(skb, h->addr));
	h->protocol = rec->tag == PTAP_TAG_SLL ? skb->vlan_proto :
						 skb->protocol;
}

/* The type of what the record begins with, where the tag is left out. */
static __be16 ptap_record_protocol(const struct sk_buff *skb)
{
	if (likely(!eth_type_vlan(skb->protocol)) ||
	    !skb_mac_header_was_set(skb) ||
	    skb->data - skb_mac_header(skb) < ETH_HLEN + VLAN_HLEN)
		return skb->protocol;
	return get_unaligned((const __be16 *)(skb->data - sizeof(__be16)));
}

static void ptap_record_sll2(const struct ptap_record *rec, struct ptap_sll2 *h)
{
	const struct sk_buff *skb = rec->skb;

	memset(h, 0, sizeof(*h));
	h->protocol = ptap_record_protocol(skb);
	h->ifindex = htonl(rec->iface->ifindex);
	h->hatype = htons(rec->iface->arphrd);
	h->pkttype = skb->pkt_type;
	h->halen = ptap_record_address(skb, h->addr);
}

static void ptap_record_cooked(const struct ptap_record *rec, u8 *dst)
{
	u8 addr_room[PTAP_SLL2_LEN + MAX_ADDR_LEN];

	/* dev_parse_header() writes as many bytes as an address has. */
	if (rec->cooked_len == PTAP_SLL2_LEN)
		ptap_record_sll2(rec, (struct ptap_sll2 *)addr_room);
	else
		ptap_record_sll(rec, (struct ptap_sll *)addr_room);
	memcpy(dst, addr_room, min(rec->cooked_len, rec->caplen));
}

/**
 * ptap_record_write - write a record but for the packet's bytes and options
 * @cfg: configuration
 * @clock: of this CPU's ring
 * @rec: planned by ptap_record_plan()
 * @dst: @rec->size bytes in the ring
 *
 * Context: hook.
 */
void ptap_record_write(const struct ptap_config *cfg, struct ptap_clock *clock,
		       const struct ptap_record *rec, u8 *dst)
{
	ptap_record_head(cfg, clock, rec, dst);
	if (rec->cooked_len)
		ptap_record_cooked(rec, dst + rec->data_off);
}

/* skb_copy_bits() forwards, of a packet that has pages and no other packets. */
static int ptap_copy_pages(const struct sk_buff *skb, u32 off, u8 *dst, u32 len)
{
	u32 head = skb_headlen(skb);
	const skb_frag_t *frag;
	u32 i, n;

	if (off < head) {
		n = min(len, head - off);
		ptap_copy(dst, skb->data + off, n);
		dst += n;
		len -= n;
		off = head;
	}
	off -= head;
	for (i = 0; len && i < skb_shinfo(skb)->nr_frags; i++) {
		frag = &skb_shinfo(skb)->frags[i];
		if (off >= skb_frag_size(frag)) {
			off -= skb_frag_size(frag);
			continue;
		}
		/* All memory is mapped: compat.h wants a 64-bit kernel. */
		n = min(len, skb_frag_size(frag) - off);
		ptap_copy(dst, skb_frag_address(frag) + off, n);
		dst += n;
		len -= n;
		off = 0;
	}
	return len ? -EFAULT : 0;
}

static int ptap_copy_plain(const struct sk_buff *skb, u32 off, u8 *dst, u32 len)
{
	if (likely(off + len <= skb_headlen(skb))) {
		ptap_copy(dst, skb->data + off, len);
		return 0;
	}
	if (skb_has_frag_list(skb) || ptap_skb_readable(skb) < skb->len)
		return skb_copy_bits(skb, off, dst, len);
	return ptap_copy_pages(skb, off, dst, len);
}

static int ptap_copy_tagged(const struct sk_buff *skb, u8 *dst, u32 len,
			    enum ptap_tag tag)
{
	u32 head = tag == PTAP_TAG_ETHER ? 2 * ETH_ALEN : 0;
	__be16 words[2];

	if (tag == PTAP_TAG_ETHER) {
		words[0] = skb->vlan_proto;
		words[1] = htons(skb_vlan_tag_get(skb));
	} else {
		words[0] = htons(skb_vlan_tag_get(skb));
		words[1] = skb->protocol;
	}
	ptap_copy_words(dst, skb->data, min(len, head));
	if (len <= head)
		return 0;
	memcpy(dst + head, words, min_t(u32, len - head, sizeof(words)));
	if (len <= head + sizeof(words))
		return 0;
	return ptap_copy_plain(skb, head, dst + head + sizeof(words),
			       len - head - sizeof(words));
}

/* libpcap turns the identifier, which the kernel has in host byte order. */
static int ptap_copy_can(const struct sk_buff *skb, u8 *dst, u32 len)
{
	u32 id;
	int err;

	if (ptap_skb_readable(skb) < sizeof(id))
		return ptap_copy_plain(skb, 0, dst, len);
	err = skb_copy_bits(skb, 0, &id, sizeof(id));
	if (err)
		return err;
	id = (__force u32)cpu_to_be32(id);
	memcpy(dst, &id, min_t(u32, len, sizeof(id)));
	if (len <= sizeof(id))
		return 0;
	return ptap_copy_plain(skb, sizeof(id), dst + sizeof(id),
			       len - sizeof(id));
}

/**
 * ptap_record_copy - copy a packet's bytes
 * @skb: the packet, its data at the first byte to capture
 * @dst: where to
 * @len: bytes to write, the tag included
 * @tag: how the bytes change, if they do
 *
 * Context: hook, or process for a clone.
 * Return: 0, or -EFAULT if the packet's fragments do not hold what they say.
 */
int ptap_record_copy(const struct sk_buff *skb, u8 *dst, u32 len,
		     enum ptap_tag tag)
{
	if (!len)
		return 0;
	if (likely(tag == PTAP_TAG_NONE))
		return ptap_copy_plain(skb, 0, dst, len);
	if (tag == PTAP_TAG_CAN)
		return ptap_copy_can(skb, dst, len);
	return ptap_copy_tagged(skb, dst, len, tag);
}
