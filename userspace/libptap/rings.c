// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * rings.c - spans of records from a set of rings, merged by time.
 *
 * ptap_rings_look() learns what is readable, ptap_rings_peek() gives it out in
 * the order of time, ptap_rings_release() gives the memory back to the kernel.
 * The merge itself is module/merge.h, which read() in the kernel uses as well;
 * the ordering contract is that of struct ptap_ring_control in <linux/ptap.h>.
 *
 * No device and no system call here: tests run it on plain memory (source.h).
 */
#include <errno.h>
#include <stdlib.h>
#include "source.h"

/**
 * ptap_rings_init - start with the first byte of each ring
 * @r: set
 * @maps: the rings; must outlive @r
 * @nr: their number, not 0; all have the same format
 * @ops: see there
 * @ctx: passed to @ops
 *
 * Return: 0 or -ENOMEM.
 */
int ptap_rings_init(struct ptap_rings *r, const struct ptap_ring_map *maps,
		    u32 nr, const struct ptap_rings_ops *ops, void *ctx)
{
	u32 i;

	*r = (struct ptap_rings){
		.ops = ops,
		.ctx = ctx,
		.format = maps[0].ctl->format,
		.nr = nr,
		.maps = maps,
		.cursors = calloc(nr, sizeof(*r->cursors)),
		.use = calloc(nr, sizeof(*r->use)),
	};
	if (!r->cursors || !r->use) {
		ptap_rings_exit(r);
		return -ENOMEM;
	}
	for (i = 0; i < nr; i++) {
		r->cursors[i].data = maps[i].data;
		r->cursors[i].mask = maps[i].ctl->data_size - 1;
		r->use[i].tail = maps[i].con->tail;
		r->cursors[i].pos = r->use[i].tail;
		r->cursors[i].end = r->use[i].tail;
	}
	return 0;
}

void ptap_rings_exit(struct ptap_rings *r)
{
	free(r->cursors);
	free(r->use);
	r->cursors = NULL;
	r->use = NULL;
	r->nr = 0;
}

static void ptap_rings_look_one(struct ptap_rings *r, u32 i, u64 horizon)
{
	const struct ptap_ring_control *ctl = r->maps[i].ctl;
	struct ptap_cursor *c = &r->cursors[i];
	u32 nr_ifaces;

	/* Contract (3): the clock was read before, head is loaded after. */
	ptap_cursor_bind(c, !r->ended && ptap_cons_busy(ctl), horizon);
	if (ptap_pos_after(READ_ONCE(ctl->pending), ptap_cons_head(ctl)))
		r->ops->drain(r->ctx, i);
	c->end = ptap_cons_head(ctl);
	nr_ifaces = READ_ONCE(ctl->nr_ifaces);
	if (nr_ifaces > r->nr_ifaces)
		r->nr_ifaces = nr_ifaces;
	ptap_cursor_look(c, r->format);
}

/**
 * ptap_rings_look - learn what is readable now, and how far idle rings are
 *	known to stay behind
 * @r: rings
 */
void ptap_rings_look(struct ptap_rings *r)
{
	u64 now = r->ended ? U64_MAX : r->ops->now_ns(r->ctx);
	u64 horizon = r->ended ? U64_MAX : now - PTAP_HOLDBACK_NS;
	u64 newest;
	u32 i;

	for (i = 0; i < r->nr; i++)
		ptap_rings_look_one(r, i, horizon);
	newest = ptap_merge_newest(r->cursors, r->nr);
	/* The second look at the clock: newest may be newer than the first. */
	if (!r->ended && ptap_merge_set_back(newest, now) &&
	    ptap_merge_set_back(newest, r->ops->now_ns(r->ctx)))
		ptap_merge_unbind(r->cursors, r->nr, horizon);
}

/* Runs of the same ring follow each other in memory, so they make one span. */
static void ptap_batch_add(struct ptap_batch *b, bool again, const u8 *at,
			   u64 len, u64 records)
{
	if (again)
		b->iov[b->nr - 1].iov_len += len;
	else
		b->iov[b->nr++] = (struct iovec){ (void *)at, len };
	b->bytes += len;
	b->records += records;
}

/**
 * ptap_rings_peek - give out what may go out, in the order of time
 * @r: rings; ptap_rings_look() has looked
 * @b: room and limits; @b->max_bytes must be enough for the largest record
 *
 * The spans are valid until ptap_rings_release().
 */
void ptap_rings_peek(struct ptap_rings *r, struct ptap_batch *b)
{
	struct ptap_cursor *c;
	struct ptap_run run = { 0 };
	u32 last = UINT32_MAX;
	u64 len, nr;
	bool again;

	b->nr = 0;
	b->bytes = 0;
	b->records = 0;
	b->cut = false;
	while (ptap_merge_next(r->cursors, r->nr, &run)) {
		again = run.ring == last;
		c = &r->cursors[run.ring];
		len = 0;
		if (again || b->nr < b->nr_iov)
			len = ptap_cursor_gallop(c, r->format, run.limit,
						 b->max_bytes - b->bytes,
						 b->max_records - b->records,
						 &nr);
		if (!len) {
			b->cut = true;
			return;
		}
		ptap_batch_add(b, again, ptap_cursor_at(c, c->pos), len, nr);
		c->pos += len;
		r->use[run.ring].held += nr;
		last = run.ring;
	}
}

/**
 * ptap_rings_release - give the memory of everything that was given out back
 * @r: rings
 */
void ptap_rings_release(struct ptap_rings *r)
{
	struct ptap_ring_use *use;
	u64 used;
	u32 i;

	for (i = 0; i < r->nr; i++) {
		use = &r->use[i];
		if (use->tail == r->cursors[i].pos)
			continue;
		used = ptap_cons_end(r->maps[i].ctl) - use->tail;
		if (used > use->high_water)
			use->high_water = used;
		use->tail = r->cursors[i].pos;
		use->records += use->held;
		use->held = 0;
		ptap_cons_release(r->maps[i].con, use->tail);
	}
}
