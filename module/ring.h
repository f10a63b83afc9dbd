/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A ring: memory, positions, deferred packets and counters of one CPU of one
 * session.  The protocol between its parties is in ring_proto.h.
 */
#ifndef PTAP_RING_H
#define PTAP_RING_H

#include <linux/cache.h>
#include <linux/mutex.h>
#include <linux/skbuff.h>
#include "clock.h"
#include "limits.h"
#include "merge.h"
#include "record.h"
#include "ring_proto.h"

struct ptap_iface;
struct ptap_session;

/**
 * struct ptap_deferred - a packet that waits to be copied into its record
 * @skb: clone, data at the first captured byte
 * @pos: position of the packet's bytes in the ring
 * @end: position of the end of its record
 * @len: bytes to copy, a VLAN tag included
 * @tag: how the VLAN tag of @skb goes back into the bytes
 */
struct ptap_deferred {
	struct sk_buff *skb;
	u64 pos;
	u64 end;
	u32 len;
	enum ptap_tag tag;
};

/**
 * struct ptap_counters - what the producer counts; plain, one writer
 * @nested is written by a packet from a hard interrupt, everything else by the
 * packet that it interrupted.
 */
struct ptap_counters {
	u64 seen;
	u64 captured;
	u64 captured_bytes;
	u64 filtered;
	u64 cloned;
	u64 clone_fallback;
	u64 wakeups;
	u64 dropped[PTAP_DROP_NR];
	u64 nested;
};

#define PTAP_IFACE_CACHE	8U	/* power of two */

/**
 * struct ptap_ring - one CPU's ring
 * @prod: the producer's positions
 * @ctl: control page, mapped read-only to the user
 * @con: consumer page, written by the user: its values are not to be trusted
 * @data: @prod.size bytes, mapped twice in a row
 * @deferred: entries of @deferq, PTAP_DEFER_MAX, or NULL if nothing is deferred
 * @iface_cache: interfaces met last, by their index
 * @clock: for PTAP_SETUP_CLOCK_TSC; producer
 * @count: counters
 * @deferred_queued_bytes: truesize of all clones queued; producer
 * @deferred_done_bytes: truesize of all clones freed; drainer
 * @flush_pos: what lies before is old enough to wake a sleeper; flush timer
 * @fill_faults: written by the drainer
 * @consumed: records given out by read()
 * @consumed_bytes: their bytes
 * @high_water: bytes in the ring, at most, when read() gave room back
 * @drain_lock: held by the drainer
 * @pages: data pages, @nr_pages
 * @nr_pages: number of @pages
 * @owner: process that opened the session, for tracepoints
 */
struct ptap_ring {
	struct ptap_prod prod;
	struct ptap_ring_control *ctl;
	struct ptap_ring_consumer *con;
	u8 *data;
	struct ptap_deferred *deferred;
	struct ptap_clock clock;
	struct ptap_counters count;
	u64 deferred_queued_bytes;
	struct ptap_iface *iface_cache[PTAP_IFACE_CACHE];

	struct ptap_deferq deferq ____cacheline_aligned_in_smp;
	u64 deferred_done_bytes;
	u64 flush_pos;
	u64 fill_faults;
	u64 consumed;
	u64 consumed_bytes;
	u64 high_water;
	struct mutex drain_lock;
	struct page **pages;
	u32 nr_pages;
	u32 owner;
};

struct ptap_ring *ptap_ring_create(u32 index, u64 size, u32 format, bool defer);
void ptap_ring_destroy(struct ptap_ring *r);
u64 ptap_ring_drain(struct ptap_ring *r);

/* Position of the first record: see struct ptap_ring_consumer. */
static inline u64 ptap_ring_first(u32 format)
{
	return format == PTAP_FORMAT_PCAPNG ? 0 : PTAP_PCAP_HEADER_LEN;
}

static inline u8 *ptap_ring_at(const struct ptap_ring *r, u64 pos)
{
	return r->data + (pos & (r->prod.size - 1));
}

/* Where a ring remembers the interface that it met last with such an index. */
static inline struct ptap_iface **
ptap_ring_iface(struct ptap_ring *r, const struct net_device *dev)
{
	return &r->iface_cache[dev->ifindex & (PTAP_IFACE_CACHE - 1)];
}

#endif /* PTAP_RING_H */
