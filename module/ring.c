// SPDX-License-Identifier: GPL-2.0
/*
 * Memory of a ring, and the copying of deferred packets into it.
 *
 * Everything here runs in process context.  The producer's side is in hook.c,
 * its protocol in ring_proto.h.
 */
#include <linux/cpumask.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/topology.h>
#include <linux/vmalloc.h>
#include "ring.h"
#include "trace.h"

#define PTAP_PAGE_GFP	(GFP_KERNEL_ACCOUNT | __GFP_ZERO | __GFP_NOWARN | \
			 __GFP_RETRY_MAYFAIL)

static int ptap_ring_alloc_data(struct ptap_ring *r, u64 size, int node)
{
	u32 nr = size >> PAGE_SHIFT;
	struct page *page;
	u32 i;

	/* The second half repeats the first: the mapping is twice in a row. */
	r->pages = kvcalloc(2 * nr, sizeof(*r->pages),
			    GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!r->pages)
		return -ENOMEM;
	for (i = 0; i < nr; i++) {
		page = alloc_pages_node(node, PTAP_PAGE_GFP, 0);
		if (!page)
			return -ENOMEM;
		r->pages[i] = page;
		r->pages[i + nr] = page;
		r->nr_pages++;
	}
	r->data = vmap(r->pages, 2 * nr, VM_MAP, PAGE_KERNEL);
	return r->data ? 0 : -ENOMEM;
}

/* Where the first record goes, before anybody looks. */
static void ptap_ring_begin(struct ptap_ring *r, u64 pos)
{
	r->prod.pos = pos;
	r->prod.tail_seen = pos;
	r->ctl->head = pos;
	r->ctl->pending = pos;
	WRITE_ONCE(r->con->tail, pos);
}

/**
 * ptap_ring_create - allocate a ring
 * @index: its number, which is that of its CPU
 * @size: data bytes, a power of two
 * @format: enum ptap_format of its records
 * @defer: packets may be deferred
 *
 * Context: process.
 * Return: the ring, or ERR_PTR(-ENOMEM).
 */
struct ptap_ring *ptap_ring_create(u32 index, u64 size, u32 format, bool defer)
{
	int node = cpu_possible(index) ? cpu_to_node(index) : NUMA_NO_NODE;
	struct ptap_ring *r;

	r = kzalloc_node(sizeof(*r), GFP_KERNEL_ACCOUNT, node);
	if (!r)
		return ERR_PTR(-ENOMEM);
	mutex_init(&r->drain_lock);
	r->prod.size = size;
	r->ctl = (void *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
	r->con = (void *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
	if (!r->ctl || !r->con || ptap_ring_alloc_data(r, size, node))
		goto nomem;
	if (defer) {
		r->deferred = kvcalloc(PTAP_DEFER_MAX, sizeof(*r->deferred),
				       GFP_KERNEL_ACCOUNT);
		if (!r->deferred)
			goto nomem;
	}
	r->ctl->size = sizeof(*r->ctl);
	r->ctl->abi = PTAP_ABI;
	r->ctl->ring = index;
	r->ctl->format = format;
	r->ctl->data_size = size;
	ptap_ring_begin(r, ptap_ring_first(format));
	return r;

nomem:
	ptap_ring_destroy(r);
	return ERR_PTR(-ENOMEM);
}

/* Clones that nobody drained. */
static void ptap_ring_purge(struct ptap_ring *r)
{
	u32 i;

	if (!r->deferred)
		return;
	for (i = r->deferq.done; i != r->deferq.queued; i++)
		consume_skb(r->deferred[i & (PTAP_DEFER_MAX - 1)].skb);
	kvfree(r->deferred);
}

/**
 * ptap_ring_destroy - free a ring, also a half-made one
 * @r: the ring
 *
 * No hook, drainer or mapping of it may be left: hooks are removed and a grace
 * period has passed, and a mapping keeps the file open.  Pages that a user
 * pinned live on until they are unpinned; nobody writes to them any more.
 *
 * Context: process.
 */
void ptap_ring_destroy(struct ptap_ring *r)
{
	u32 i;

	ptap_ring_purge(r);
	vunmap(r->data);
	for (i = 0; i < r->nr_pages; i++)
		put_page(r->pages[i]);
	kvfree(r->pages);
	if (r->con)
		put_page(virt_to_page(r->con));
	if (r->ctl)
		put_page(virt_to_page(r->ctl));
	kfree(r);
}

static void ptap_ring_fill(struct ptap_ring *r, struct ptap_deferred *d)
{
	u8 *dst = ptap_ring_at(r, d->pos);

	if (unlikely(ptap_record_copy(d->skb, dst, d->len, d->tag))) {
		/* The record is promised: it stays, without old ring bytes. */
		memset(dst, 0, d->len);
		WRITE_ONCE(r->fill_faults, r->fill_faults + 1);
	}
	WRITE_ONCE(r->deferred_done_bytes,
		   r->deferred_done_bytes + d->skb->truesize);
	consume_skb(d->skb);
	d->skb = NULL;
}

/**
 * ptap_ring_drain - copy all deferred packets into their records and publish
 * @r: the ring
 *
 * Goes on as long as new ones come, but not for ever: a whole queue's worth at
 * most, plus what came while that was done.
 *
 * Context: process; takes r->drain_lock.
 * Return: number of records filled in.
 */
u64 ptap_ring_drain(struct ptap_ring *r)
{
	u32 queued, done, rounds = 0;
	struct ptap_deferred *d;
	u64 filled = 0;

	if (!r->deferred)
		return 0;

	mutex_lock(&r->drain_lock);
	done = r->deferq.done;
	do {
		queued = ptap_drain_queued(&r->deferq);
		while (done != queued) {
			d = &r->deferred[done++ & (PTAP_DEFER_MAX - 1)];
			ptap_ring_fill(r, d);
			filled++;
			ptap_drain_filled(r->ctl, &r->deferq, done, d->end);
		}
		cond_resched();
	} while (!ptap_drain_settle(r->ctl, &r->deferq, done) && ++rounds < 64);
	mutex_unlock(&r->drain_lock);
	if (filled)
		trace_ptap_drain(r, filled);
	return filled;
}
