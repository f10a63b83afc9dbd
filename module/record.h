/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a packet becomes in the file: its place, its header, its bytes.
 *
 * What most packets need is inline, for the hook; record.c has the rest.
 */
#ifndef PTAP_RECORD_H
#define PTAP_RECORD_H

#include <linux/if_vlan.h>
#include <linux/skbuff.h>
#include <linux/timekeeping.h>
#include <linux/types.h>
#include "clock.h"
#include "compat.h"
#include "iface.h"
#include "merge.h"
#include "session.h"

#define PTAP_EPB_TYPE		6	/* pcapng Enhanced Packet Block */


/**
 * enum ptap_tag - how the file's bytes differ from the packet's: mostly by a
 * VLAN tag that the device took out, and its way back
 * @PTAP_TAG_NONE: not at all, or there is no place for the tag
 * @PTAP_TAG_ETHER: TPID and TCI behind the two addresses
 * @PTAP_TAG_SLL: the cooked header's protocol becomes the TPID; TCI and the
 *	protocol stand before the packet
 * @PTAP_TAG_CAN: no tag; a CAN frame's identifier is big-endian in the file
 */
enum ptap_tag {
	PTAP_TAG_NONE,
	PTAP_TAG_ETHER,
	PTAP_TAG_SLL,
	PTAP_TAG_CAN,
};

#define PTAP_SLL_LEN		16
#define PTAP_SLL2_LEN		20

#define PTAP_LINKTYPE_NETLINK	253	/* with LINUX_SLL's header */

/**
 * struct ptap_record - a packet on its way into the ring
 * @skb: the packet, its data at the first byte to capture
 * @iface: its interface
 * @cooked_len: bytes of a cooked header before the packet, 0, 16 or 20
 * @tag: how the bytes change, a VLAN tag going back into them say
 * @mark: PTAP_MARK_* of the program that accepted it, or 0
 * @len: original length on the file, cooked header and tag included
 * @caplen: captured bytes of @len
 * @data_off: bytes of the record before the captured bytes
 * @size: bytes of the whole record
 */
struct ptap_record {
	struct sk_buff *skb;
	const struct ptap_iface *iface;
	u32 cooked_len;
	enum ptap_tag tag;
	u32 mark;
	u32 len;
	u32 caplen;
	u32 data_off;
	u32 size;
};

void ptap_record_plan(const struct ptap_config *cfg, struct ptap_record *rec,
		      u32 limit);
void ptap_record_write(const struct ptap_config *cfg, struct ptap_clock *clock,
		       const struct ptap_record *rec, u8 *dst);
int ptap_record_copy(const struct sk_buff *skb, u8 *dst, u32 len,
		     enum ptap_tag tag);
u32 ptap_record_size_max(const struct ptap_config *cfg);

static inline void ptap_put32(u8 *dst, u32 v)
{
	put_unaligned(v, (u32 *)dst);
}

/*
 * Most packets: the session wants them as they are, and what is captured of
 * them lies in one piece.  Plans such a record, or leaves it to
 * ptap_record_plan().
 */
static inline bool ptap_record_plan_plain(const struct ptap_config *cfg,
					  struct ptap_record *rec, u32 limit)
{
	const struct sk_buff *skb = rec->skb;

	rec->len = skb->len;
	rec->caplen = min3(skb->len, cfg->snaplen, limit);
	if (unlikely(cfg->meta || rec->iface->cooked_len || rec->iface->tag ||
		     rec->mark || skb_vlan_tag_present(skb) ||
		     rec->caplen > skb_headlen(skb)))
		return false;
	rec->cooked_len = 0;
	rec->tag = PTAP_TAG_NONE;
	if (cfg->format == PTAP_FORMAT_PCAPNG) {
		rec->data_off = PTAP_EPB_HEAD_LEN;
		rec->size = PTAP_EPB_MIN_LEN + ALIGN(rec->caplen, 4);
	} else {
		rec->data_off = PTAP_PCAP_RECORD_LEN;
		rec->size = PTAP_PCAP_RECORD_LEN + rec->caplen;
	}
	return true;
}

/* An Enhanced Packet Block but for its packet and its options. */
static inline void ptap_record_epb(const struct ptap_config *cfg,
				   struct ptap_clock *clock,
				   const struct ptap_record *rec, u8 *dst)
{
	u64 now;

	if (likely(cfg->clock == PTAP_CLOCK_HOST))
		now = ktime_get_real_ns();
	else if (cfg->clock == PTAP_CLOCK_TSC)
		now = ptap_clock_ns(clock);
	else
		now = ptap_clock_adapter_ns(rec->skb);
	ptap_put32(dst, PTAP_EPB_TYPE);
	ptap_put32(dst + 4, rec->size);
	ptap_put32(dst + 8, rec->iface->id);
	ptap_put32(dst + 12, now >> 32);
	ptap_put32(dst + 16, now);
	ptap_put32(dst + 20, rec->caplen);
	ptap_put32(dst + 24, rec->len);
	/* At most 3 bytes of padding; the packet's bytes come over the rest. */
	if (rec->caplen & 3)
		ptap_put32(dst + rec->data_off + ALIGN(rec->caplen, 4) - 4, 0);
	ptap_put32(dst + rec->size - 4, rec->size);
}

static inline void ptap_record_pcap(const struct ptap_config *cfg,
				    struct ptap_clock *clock,
				    const struct ptap_record *rec, u8 *dst)
{
	struct timespec64 now;
	u32 fraction;

	if (likely(cfg->clock == PTAP_CLOCK_HOST))
		ktime_get_real_ts64(&now);
	else if (cfg->clock == PTAP_CLOCK_TSC)
		ptap_clock_ts(clock, &now);
	else
		now = ns_to_timespec64(ptap_clock_adapter_ns(rec->skb));
	fraction = now.tv_nsec;
	if (cfg->format == PTAP_FORMAT_PCAP_USEC)
		fraction /= NSEC_PER_USEC;
	ptap_put32(dst, now.tv_sec);
	ptap_put32(dst + 4, fraction);
	ptap_put32(dst + 8, rec->caplen);
	ptap_put32(dst + 12, rec->len);
}

/**
 * ptap_record_head - write what surrounds the packet: all of a plain record's
 * @cfg: configuration
 * @clock: of this CPU's ring
 * @rec: planned
 * @dst: @rec->size bytes in the ring
 *
 * Reads the clock, so that times ascend in the ring; those of an adapter need
 * not.
 *
 * Context: hook.
 */
static inline void ptap_record_head(const struct ptap_config *cfg,
				    struct ptap_clock *clock,
				    const struct ptap_record *rec, u8 *dst)
{
	if (cfg->format == PTAP_FORMAT_PCAPNG)
		ptap_record_epb(cfg, clock, rec, dst);
	else
		ptap_record_pcap(cfg, clock, rec, dst);
}

/* What ptap_record_copy() has to provide; the rest is the cooked header. */
static inline u32 ptap_record_copy_len(const struct ptap_record *rec)
{
	return rec->caplen - min(rec->caplen, rec->cooked_len);
}

#endif /* PTAP_RECORD_H */
