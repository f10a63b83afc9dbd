/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * A ring to test the protocol with: the hook's use of it (module/hook.c) and
 * the drainer's (module/ring.c), statement by statement, with packets replaced
 * by a number.  When those change, this has to follow.
 *
 * What a record consists of and what a lock is, is up to each test: it defines
 * the functions declared static below.  Memory comes from the test, too.
 */
#ifndef PTAP_UNIT_RING_BED_H
#define PTAP_UNIT_RING_BED_H

#include "ring_proto.h"

#define BED_DEFER_MAX	4096U

/* As struct ptap_deferred: a packet that waits for being copied. */
struct bed_deferred {
	u64 seq;
	u64 rec;	/* position of its record */
	u64 end;
};

/* As struct ptap_counters. */
struct bed_counters {
	u64 seen;
	u64 captured;
	u64 cloned;
	u64 clone_fallback;
	u64 full;
	u64 bad_consumer;
	u64 fault;
	u64 nested;
};

struct bed {
	struct ptap_prod prod;
	struct ptap_ring_control *ctl;
	struct ptap_ring_consumer *con;
	u8 *data;
	struct bed_counters count;
	u32 defer_max;			/* power of two */
	/* Called between the writing of a record and its commit, or NULL. */
	void (*window)(struct bed *b);
	struct ptap_deferq deferq __attribute__((aligned(64)));
	struct bed_deferred deferred[BED_DEFER_MAX];
};

struct bed_packet {
	u32 size;	/* of its record */
	bool defer;	/* it is above copybreak */
	bool fault;	/* its bytes cannot be read */
};

static void bed_lock(struct bed *b);
static void bed_unlock(struct bed *b);
/* Everything but the packet's bytes, which are poisoned. */
static void bed_write_head(struct bed *b, u64 seq, u64 pos, u32 size);
/* The packet's bytes, by the producer or by the drainer. */
static void bed_write_body(struct bed *b, u64 seq, u64 pos, u32 size);

static inline u8 *bed_at(const struct bed *b, u64 pos)
{
	return b->data + (pos & (b->prod.size - 1));
}

/* All positions begin at @start, those of the queue at @queue. */
static inline void bed_reset(struct bed *b, u64 size, u64 start, u32 queue)
{
	b->prod = (struct ptap_prod){
		.pos = start, .tail_seen = start, .size = size,
		.queued = queue, .done_seen = queue,
	};
	b->deferq.queued = queue;
	b->deferq.done = queue;
	b->ctl->head = start;
	b->ctl->pending = start;
	b->ctl->busy = 0;
	b->con->tail = start;
	b->count = (struct bed_counters){ 0 };
}

/* Lost packets, but for those that were nested in another. */
static inline u64 bed_dropped(const struct bed *b)
{
	return b->count.full + b->count.bad_consumer + b->count.fault;
}

/* ptap_hook_defer() */
static inline bool bed_defer(struct bed *b, u64 seq, u32 size)
{
	struct ptap_prod *p = &b->prod;
	struct bed_deferred *d;

	if (ptap_prod_deferred(p, &b->deferq) >= b->defer_max)
		return false;
	d = &b->deferred[p->queued & (b->defer_max - 1)];
	d->seq = seq;
	d->rec = p->pos;
	d->end = p->pos + size;
	ptap_prod_defer(p, &b->deferq);
	b->count.cloned++;
	return true;
}

/* ptap_hook_store() */
static inline void bed_store(struct bed *b, const struct bed_packet *pkt)
{
	u64 seq = b->count.seen - 1;

	switch (ptap_prod_reserve(&b->prod, b->con, pkt->size)) {
	case PTAP_RESERVE_OK:
		break;
	case PTAP_RESERVE_FULL:
		b->count.full++;
		return;
	case PTAP_RESERVE_BAD_CONSUMER:
		b->count.bad_consumer++;
		return;
	}
	bed_write_head(b, seq, b->prod.pos, pkt->size);
	if (!pkt->defer || !bed_defer(b, seq, pkt->size)) {
		if (pkt->fault) {
			b->count.fault++;
			return;
		}
		bed_write_body(b, seq, b->prod.pos, pkt->size);
		if (pkt->defer)
			b->count.clone_fallback++;
	}
	if (b->window)
		b->window(b);
	ptap_prod_commit(&b->prod, b->ctl, &b->deferq, pkt->size);
	b->count.captured++;
}

/* ptap_hook_rcv() */
static inline void bed_hook(struct bed *b, const struct bed_packet *pkt)
{
	if (likely(ptap_prod_enter(b->ctl))) {
		b->count.seen++;
		bed_store(b, pkt);
		ptap_prod_leave(b->ctl);
	} else {
		b->count.nested++;
	}
}

/* ptap_ring_fill() */
static inline void bed_fill(struct bed *b, const struct bed_deferred *d)
{
	bed_write_body(b, d->seq, d->rec, d->end - d->rec);
}

/* ptap_ring_drain() */
static inline u64 bed_drain(struct bed *b)
{
	u32 queued, done, rounds = 0;
	struct bed_deferred *d;
	u64 filled = 0;

	bed_lock(b);
	done = b->deferq.done;
	do {
		queued = ptap_drain_queued(&b->deferq);
		while (done != queued) {
			d = &b->deferred[done++ & (b->defer_max - 1)];
			bed_fill(b, d);
			filled++;
			ptap_drain_filled(b->ctl, &b->deferq, done, d->end);
		}
	} while (!ptap_drain_settle(b->ctl, &b->deferq, done) && ++rounds < 64);
	bed_unlock(b);
	return filled;
}

#endif /* PTAP_UNIT_RING_BED_H */
