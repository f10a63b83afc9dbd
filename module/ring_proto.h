/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The ring protocol: who may write which position, and in which order.
 *
 * One ring has one producer (the hook on its CPU, BH off), one consumer (the
 * reader, which may be hostile) and one drainer (process context, under the
 * ring's drain_lock), which copies packets that the hook only cloned.  Nothing
 * here takes a lock, and the producer executes no locked operation and no
 * fence.  This file has no other dependency than the atomic accessors, so that
 * tests/unit compiles and stresses it in user space, and libptap uses its
 * consumer side.  tests/model/ring.pml is its model, with the same letters.
 *
 *	producer				consumer
 *
 *	load tail	(A) acquire <---------- store tail	(D) release
 *	write record
 *	store head	(B) release ----------> load head	(C) acquire
 *						read record
 *
 *  A-D keeps a record from being overwritten while it is still being read;
 *  B-C keeps a record from being read before it is written.
 *
 *	producer				drainer
 *
 *	load done	(E) acquire <---------- store done	(H) release
 *	write queue entry
 *	store queued	(F) release ----------> load queued	(G) acquire
 *	write record
 *	store pending	(I) release ----------> load pending	(J) acquire
 *						copy packet into its record
 *						store head	(K) release -> C
 *
 *  E-H keeps a queue entry from being overwritten before it was used; F-G keeps
 *  it from being used before it is written.  I-J makes the records that the
 *  producer wrote behind a deferred one visible to the drainer, which publishes
 *  them (K).
 *
 * Who owns head: the producer while the queue is empty, the drainer while it is
 * not.  Only the producer makes it non-empty (F) and only the drainer empties
 * it (H), so each hands over what it owns.  A producer that does not see (H)
 * yet leaves its record to the drainer (I) although the drainer is gone; that
 * record is published by the next packet or by the next drain, which a reader
 * performs before it sleeps because it sees pending ahead of head.
 */
#ifndef PTAP_RING_PROTO_H
#define PTAP_RING_PROTO_H

#ifdef __KERNEL__
#include <linux/atomic.h>
#include <linux/compiler.h>
#include <linux/types.h>
#include <asm/barrier.h>
#else
#include "atomics.h"
#endif
#include <linux/ptap.h>

/**
 * struct ptap_prod - what the producer knows; never mapped to a user
 * @pos: end of the last reserved record
 * @tail_seen: the consumer's position when it was last looked at
 * @wake_pos: a position from which on the hook must think of sleepers; also
 *	written by the flush timer, to 0
 * @size: data bytes, a power of two
 * @queued: number of deferred packets so far
 * @done_seen: ptap_deferq.done when it was last looked at
 */
struct ptap_prod {
	u64 pos;
	u64 tail_seen;
	u64 wake_pos;
	u64 size;
	u32 queued;
	u32 done_seen;
};

/**
 * struct ptap_deferq - positions of the queue of deferred packets
 * @queued: written by the producer
 * @done: written by the drainer
 *
 * Both run freely; the entries are an array of a power of two of the owner's.
 */
struct ptap_deferq {
	u32 queued;
	u32 done;
};

/* Compare positions by difference: they run freely. */
static inline bool ptap_pos_after(u64 a, u64 b)
{
	return (s64)(a - b) > 0;
}

/* Producer ---------------------------------------------------------------- */

/* False when a packet is being worked on already, in the context below ours. */
static inline bool ptap_prod_enter(struct ptap_ring_control *ctl)
{
	if (unlikely(READ_ONCE(ctl->busy)))
		return false;
	WRITE_ONCE(ctl->busy, 1);
	barrier();
	return true;
}

/* Release, so that who sees the ring idle sees all that was published. */
static inline void ptap_prod_leave(struct ptap_ring_control *ctl)
{
	smp_store_release(&ctl->busy, 0);
}

enum ptap_reserve {
	PTAP_RESERVE_OK,
	PTAP_RESERVE_FULL,
	PTAP_RESERVE_BAD_CONSUMER,
};

/*
 * Is there room for @need bytes at @p->pos?  The consumer's position is looked
 * at only when the remembered one does not do.  It is read once; a value that
 * cannot be is not used for anything.
 */
static inline enum ptap_reserve
ptap_prod_reserve(struct ptap_prod *p, const struct ptap_ring_consumer *con,
		  u64 need)
{
	u64 tail;

	if (likely(p->pos + need - p->tail_seen <= p->size))
		return PTAP_RESERVE_OK;

	tail = smp_load_acquire(&con->tail);		/* (A) pairs with (D) */
	if (unlikely(p->pos - tail > p->size))
		return PTAP_RESERVE_BAD_CONSUMER;
	p->tail_seen = tail;
	if (p->pos + need - tail <= p->size)
		return PTAP_RESERVE_OK;
	return PTAP_RESERVE_FULL;
}

/* Number of deferred packets that are not filled in, as far as we can see. */
static inline u32 ptap_prod_deferred(struct ptap_prod *p,
				     const struct ptap_deferq *q)
{
	if (likely(p->queued == p->done_seen))
		return 0;
	p->done_seen = smp_load_acquire(&q->done);	/* (E) pairs with (H) */
	return p->queued - p->done_seen;
}

/* The entry at p->queued is written; hand it to the drainer. */
static inline void ptap_prod_defer(struct ptap_prod *p, struct ptap_deferq *q)
{
	smp_store_release(&q->queued, ++p->queued);	/* (F) pairs with (G) */
}

/* The record of @need bytes is written, or handed to the drainer. */
static inline void ptap_prod_commit(struct ptap_prod *p,
				    struct ptap_ring_control *ctl,
				    const struct ptap_deferq *q, u64 need)
{
	p->pos += need;
	if (likely(!ptap_prod_deferred(p, q)))
		smp_store_release(&ctl->head, p->pos);	/* (B) pairs with (C) */
	else
		smp_store_release(&ctl->pending, p->pos); /* (I), see (J) */
}

/* Drainer ----------------------------------------------------------------- */

static inline u32 ptap_drain_queued(const struct ptap_deferq *q)
{
	return smp_load_acquire(&q->queued);		/* (G) pairs with (F) */
}

/*
 * Entry number @done - 1 is filled in and its record ends at @end.  If it was
 * the last one, this hands the queue, and head with it, to the producer.
 */
static inline void ptap_drain_filled(struct ptap_ring_control *ctl,
				     struct ptap_deferq *q, u32 done, u64 end)
{
	smp_store_release(&ctl->head, end);		/* (K) pairs with (C) */
	smp_store_release(&q->done, done);		/* (H) pairs with (E) */
}

/*
 * All @done entries that were seen are filled in: publish what the producer
 * wrote behind them and left to us.  Pending has to be loaded before the check
 * that the queue is empty: then it covers no record that is still to be filled
 * in.  False when there are new entries.
 */
static inline bool ptap_drain_settle(struct ptap_ring_control *ctl,
				     const struct ptap_deferq *q, u32 done)
{
	u64 pending = smp_load_acquire(&ctl->pending);	/* (J) pairs with (I) */
	u64 head;

	if (ptap_drain_queued(q) != done)
		return false;
	head = READ_ONCE(ctl->head);
	/* The producer owns head by now; only it can have moved it since. */
	if (ptap_pos_after(pending, head))
		cmpxchg(&ctl->head, head, pending);	/* (K) pairs with (C) */
	return true;
}

/* Consumer ---------------------------------------------------------------- */

static inline u64 ptap_cons_head(const struct ptap_ring_control *ctl)
{
	return smp_load_acquire(&ctl->head);	/* (C) pairs with (B), (K) */
}

static inline bool ptap_cons_busy(const struct ptap_ring_control *ctl)
{
	return smp_load_acquire(&ctl->busy);
}

/* End of what is in the ring, records that wait to be filled in included. */
static inline u64 ptap_cons_end(const struct ptap_ring_control *ctl)
{
	u64 pending = READ_ONCE(ctl->pending);
	u64 head = ptap_cons_head(ctl);

	return ptap_pos_after(pending, head) ? pending : head;
}

static inline void ptap_cons_release(struct ptap_ring_consumer *con, u64 tail)
{
	smp_store_release(&con->tail, tail);		/* (D) pairs with (A) */
}

#endif /* PTAP_RING_PROTO_H */
