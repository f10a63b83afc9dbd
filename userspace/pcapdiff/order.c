// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * order.c - which pairs are out of order.
 *
 * Read in A's order, the pairs' places in B should rise. The longest rising
 * subsequence is the largest set of pairs that agree on the order; the others
 * are the fewest packets that would have to move, and are marked. Patience
 * sorting, O(n log n).
 */
#include <stdlib.h>

#include "pcapdiff.h"

struct order {
	const struct packet *packets;	/* of A */
	uint32_t *tail;		/* [k]: end of the best sequence of k + 1 */
	uint32_t *before;	/* [i]: what precedes i in its sequence */
	uint32_t nr;		/* length of the longest sequence so far */
};

/* The first tail that is not below @mate: where @mate goes. */
static uint32_t order_place(const struct order *ord, uint32_t mate)
{
	uint32_t lo = 0, hi = ord->nr, mid;

	/* nearly always it extends the longest sequence */
	if (hi && ord->packets[ord->tail[hi - 1]].mate < mate)
		return hi;
	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if (ord->packets[ord->tail[mid]].mate < mate)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/**
 * order_mark() - set @moved in both packets of every pair out of order
 * @cap: both captures, paired
 * @nr_pairs: number of pairs
 */
void order_mark(struct capture cap[NR_SIDES], uint32_t nr_pairs)
{
	struct packet *a = cap[SIDE_A].packets;
	struct packet *b = cap[SIDE_B].packets;
	struct order ord = { .packets = a };
	uint32_t i, k;

	ord.tail = alloc_array(nr_pairs, sizeof(*ord.tail));
	ord.before = alloc_array(cap[SIDE_A].nr, sizeof(*ord.before));
	for (i = 0; i < cap[SIDE_A].nr; i++) {
		if (a[i].mate == NO_MATE)
			continue;
		k = order_place(&ord, a[i].mate);
		ord.before[i] = k ? ord.tail[k - 1] : NO_MATE;
		ord.tail[k] = i;
		if (k == ord.nr)
			ord.nr++;
		a[i].moved = true;
		b[a[i].mate].moved = true;
	}
	i = ord.nr ? ord.tail[ord.nr - 1] : NO_MATE;
	while (i != NO_MATE) {
		a[i].moved = false;
		b[a[i].mate].moved = false;
		i = ord.before[i];
	}
	free(ord.tail);
	free(ord.before);
}
