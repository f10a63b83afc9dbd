// SPDX-License-Identifier: GPL-2.0
/*
 * Options behind a packet's bytes, and the counters of each interface.
 *
 * The options' length is asked for when a record is planned, their bytes when
 * it is written: both within one call of the hook, between which nothing that
 * they depend on changes.  An interface has a set of counters for each ring,
 * with one writer, the hook on that CPU; the readers add them up.
 *
 * Format: draft-ietf-opsawg-pcapng, section 4.3.
 */
#include <linux/if_packet.h>
#include <linux/skbuff.h>
#include <linux/slab.h>
#include "compat.h"
#include "iface.h"
#include "meta.h"
#include "record.h"
#include "ring.h"
#include "session.h"

#define PTAP_OPT_END		0
#define PTAP_EPB_FLAGS		2
#define PTAP_EPB_HASH		3
#define PTAP_EPB_DROPCOUNT	4
#define PTAP_EPB_PACKETID	5
#define PTAP_EPB_QUEUE		6

#define PTAP_HASH_TOEPLITZ	5	/* as network cards compute it */

#define PTAP_OPT_HEAD_LEN	4
#define PTAP_OPT32_LEN		(PTAP_OPT_HEAD_LEN + sizeof(u32))
#define PTAP_OPT64_LEN		(PTAP_OPT_HEAD_LEN + sizeof(u64))
#define PTAP_OPT_HASH_LEN	(PTAP_OPT_HEAD_LEN + 8)	/* 1 + 4, padded */

static_assert(PTAP_EPB_OPTIONS_MAX ==
	      2 * PTAP_OPT32_LEN + 2 * PTAP_OPT64_LEN + PTAP_OPT_HASH_LEN +
	      PTAP_OPT_HEAD_LEN);

/**
 * struct ptap_iface_counters - of one interface in one ring; one writer
 * @captured: records written
 * @filtered: packets that the filter did not want
 * @dropped: packets lost
 * @told: so many of these are in a record's epb_dropcount
 */
struct ptap_iface_counters {
	u64 captured;
	u64 filtered;
	u64 dropped;
	u64 told;
} ____cacheline_aligned_in_smp;

/* An interface that appears while packets come: no sleep. */
int ptap_meta_alloc(const struct ptap_config *cfg, struct ptap_iface *i)
{
	if (!(cfg->meta & (PTAP_META_DROPCOUNT | PTAP_META_COUNTS)))
		return 0;
	i->counts = kcalloc(nr_cpu_ids, sizeof(*i->counts),
			    GFP_ATOMIC | __GFP_NOWARN);
	return i->counts ? 0 : -ENOMEM;
}

void ptap_meta_free(struct ptap_iface *i)
{
	kfree(i->counts);
}

static struct ptap_iface_counters *
ptap_meta_counts(const struct ptap_ring *r, const struct ptap_iface *i)
{
	return &i->counts[r->ctl->ring];
}

void ptap_meta_dropped(const struct ptap_ring *r, const struct ptap_iface *i)
{
	struct ptap_iface_counters *c = ptap_meta_counts(r, i);

	WRITE_ONCE(c->dropped, c->dropped + 1);
}

void ptap_meta_filtered(const struct ptap_ring *r, const struct ptap_iface *i)
{
	struct ptap_iface_counters *c = ptap_meta_counts(r, i);

	WRITE_ONCE(c->filtered, c->filtered + 1);
}

/**
 * ptap_meta_captured - a record is complete and will be committed
 * @r: ring of this CPU
 * @rec: the record
 *
 * What it says of lost packets has been told with it.
 *
 * Context: hook.
 */
void ptap_meta_captured(const struct ptap_ring *r,
			const struct ptap_record *rec)
{
	struct ptap_iface_counters *c;

	if (!rec->iface->counts)
		return;
	c = ptap_meta_counts(r, rec->iface);
	c->told = c->dropped;
	WRITE_ONCE(c->captured, c->captured + 1);
}

void ptap_meta_sum(const struct ptap_iface *i, struct ptap_iface_info *info)
{
	u32 cpu;

	for (cpu = 0; i->counts && cpu < nr_cpu_ids; cpu++) {
		info->captured += READ_ONCE(i->counts[cpu].captured);
		info->filtered += READ_ONCE(i->counts[cpu].filtered);
		info->dropped += READ_ONCE(i->counts[cpu].dropped);
	}
}

/* Lost on this interface and CPU since the last record. */
static u64 ptap_meta_lost(const struct ptap_config *cfg,
			  const struct ptap_ring *r,
			  const struct ptap_record *rec)
{
	const struct ptap_iface_counters *c;

	if (!(cfg->meta & PTAP_META_DROPCOUNT))
		return 0;
	c = ptap_meta_counts(r, rec->iface);
	return c->dropped - c->told;
}

/* A hash that the stack made itself is no network card's. */
static u32 ptap_meta_hash(const struct ptap_config *cfg,
			  const struct sk_buff *skb)
{
	if (!(cfg->meta & PTAP_META_HASH) || skb->sw_hash)
		return 0;
	return skb_get_hash_raw(skb);
}

static bool ptap_meta_has_queue(const struct ptap_config *cfg,
				const struct sk_buff *skb)
{
	return cfg->meta & PTAP_META_QUEUE &&
	       (skb->pkt_type == PACKET_OUTGOING ||
		skb_rx_queue_recorded(skb));
}

static u32 ptap_meta_queue(const struct sk_buff *skb)
{
	return skb->pkt_type == PACKET_OUTGOING ? skb_get_queue_mapping(skb) :
						  skb_get_rx_queue(skb);
}

/* draft-ietf-opsawg-pcapng, section 4.3.1: Enhanced Packet Block Flags Word */
static u32 ptap_meta_flags(const struct sk_buff *skb)
{
	static const u8 reception[] = {
		[PACKET_HOST] = 1,
		[PACKET_BROADCAST] = 3,
		[PACKET_MULTICAST] = 2,
		[PACKET_OTHERHOST] = 4,
	};
	u32 flags;

	if (skb->pkt_type == PACKET_OUTGOING)
		flags = 2;
	else
		flags = 1;
	if (skb->pkt_type < ARRAY_SIZE(reception))
		flags |= reception[skb->pkt_type] << 2;
	if (skb->ip_summed == CHECKSUM_PARTIAL)
		flags |= BIT(9);
	else if (skb->ip_summed == CHECKSUM_UNNECESSARY)
		flags |= BIT(10);
	if (skb_is_gso(skb))
		flags |= BIT(11);
	return flags;
}

/**
 * ptap_meta_len - bytes of a record's options
 * @cfg: configuration
 * @r: ring of this CPU
 * @rec: the record
 *
 * Context: hook.
 */
u32 ptap_meta_len(const struct ptap_config *cfg, const struct ptap_ring *r,
		  const struct ptap_record *rec)
{
	u32 len = 0;

	if (cfg->meta & PTAP_META_FLAGS)
		len += PTAP_OPT32_LEN;
	if (ptap_meta_lost(cfg, r, rec))
		len += PTAP_OPT64_LEN;
	if (ptap_meta_hash(cfg, rec->skb))
		len += PTAP_OPT_HASH_LEN;
	if (cfg->meta & PTAP_META_PACKETID)
		len += PTAP_OPT64_LEN;
	if (ptap_meta_has_queue(cfg, rec->skb))
		len += PTAP_OPT32_LEN;
	return len ? len + PTAP_OPT_HEAD_LEN : 0;
}

static u8 *ptap_meta_put(u8 *dst, u16 code, const void *data, u16 len)
{
	put_unaligned(code, (u16 *)dst);
	put_unaligned(len, (u16 *)(dst + 2));
	memcpy(dst + PTAP_OPT_HEAD_LEN, data, len);
	return dst + PTAP_OPT_HEAD_LEN + len;
}

static u8 *ptap_meta_put_hash(u8 *dst, u32 hash)
{
	u8 data[8] = { PTAP_HASH_TOEPLITZ };

	put_unaligned_be32(hash, data + 1);
	ptap_meta_put(dst, PTAP_EPB_HASH, data, sizeof(data));
	put_unaligned((u16)(1 + sizeof(hash)), (u16 *)(dst + 2));
	return dst + PTAP_OPT_HASH_LEN;
}

/**
 * ptap_meta_write - write a record's options
 * @cfg: configuration
 * @r: ring of this CPU
 * @rec: the record; nothing was counted since ptap_meta_len()
 * @dst: ptap_meta_len() bytes in the ring
 *
 * The flags stand first, where readers look for them.
 *
 * Context: hook.
 */
void ptap_meta_write(const struct ptap_config *cfg, const struct ptap_ring *r,
		     const struct ptap_record *rec, u8 *dst)
{
	u64 lost = ptap_meta_lost(cfg, r, rec);
	u32 hash = ptap_meta_hash(cfg, rec->skb);
	u8 *start = dst;
	u64 id;
	u32 v;

	if (cfg->meta & PTAP_META_FLAGS) {
		v = ptap_meta_flags(rec->skb);
		dst = ptap_meta_put(dst, PTAP_EPB_FLAGS, &v, sizeof(v));
	}
	if (lost)
		dst = ptap_meta_put(dst, PTAP_EPB_DROPCOUNT, &lost,
				    sizeof(lost));
	if (hash)
		dst = ptap_meta_put_hash(dst, hash);
	if (cfg->meta & PTAP_META_PACKETID) {
		id = PTAP_PACKETID(r->ctl->ring, r->count.captured + 1);
		dst = ptap_meta_put(dst, PTAP_EPB_PACKETID, &id, sizeof(id));
	}
	if (ptap_meta_has_queue(cfg, rec->skb)) {
		v = ptap_meta_queue(rec->skb);
		dst = ptap_meta_put(dst, PTAP_EPB_QUEUE, &v, sizeof(v));
	}
	if (dst != start)
		ptap_meta_put(dst, PTAP_OPT_END, "", 0);
}
