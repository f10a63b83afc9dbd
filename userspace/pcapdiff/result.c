// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * result.c - from pairs to findings.
 *
 * Counts every packet exactly once: in a pair that is the same or differs in
 * one of three ways, only in A or B, or outside the common window. Order and
 * time stamps are counted on top of that, over the pairs. Decides whether the
 * captures differ; printing is report.c and json.c.
 */
#include <stdlib.h>
#include <string.h>

#include "pcapdiff.h"

struct collector {
	struct result *res;
	struct capture *cap;
	const struct match *match;
	const struct options *opt;
	uint64_t nr_alloc;
};

static struct difference *difference_add(struct collector *c,
					 enum difference_kind kind,
					 uint32_t index_a, uint32_t index_b)
{
	struct result *res = c->res;
	struct difference *diff;

	res->nr[kind]++;
	if (res->nr_diffs == c->nr_alloc) {
		c->nr_alloc = c->nr_alloc ? 2 * c->nr_alloc : 256;
		res->diffs = grow_array(res->diffs, c->nr_alloc,
					sizeof(*res->diffs));
	}
	diff = &res->diffs[res->nr_diffs++];
	memset(diff, 0, sizeof(*diff));
	diff->kind = kind;
	diff->index[SIDE_A] = index_a;
	diff->index[SIDE_B] = index_b;
	if (index_a != NO_MATE)
		diff->when_ns = c->cap[SIDE_A].packets[index_a].ts_ns;
	else
		diff->when_ns = c->cap[SIDE_B].packets[index_b].ts_ns -
				c->match->offset_ns;
	return diff;
}

static int difference_cmp(const void *a, const void *b)
{
	const struct difference *x = a;
	const struct difference *y = b;

	if (x->when_ns != y->when_ns)
		return x->when_ns < y->when_ns ? -1 : 1;
	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	if (x->index[SIDE_A] != y->index[SIDE_A])
		return x->index[SIDE_A] < y->index[SIDE_A] ? -1 : 1;
	return (x->index[SIDE_B] > y->index[SIDE_B]) -
	       (x->index[SIDE_B] < y->index[SIDE_B]);
}

/*
 * The common window, in A's clock: from the later first packet to the earlier
 * last one. Time stamps jitter, so it always holds every pair.
 */
static void result_window(struct collector *c)
{
	const struct capture *a = &c->cap[SIDE_A], *b = &c->cap[SIDE_B];
	int64_t offset_ns = c->match->offset_ns;
	struct result *res = c->res;
	int64_t lo_ns, hi_ns, ts_ns;
	unsigned int side;
	uint32_t i;

	if (!a->nr || !b->nr)
		return;
	res->window_ok = true;
	lo_ns = a->first_ns > b->first_ns - offset_ns ?
		a->first_ns : b->first_ns - offset_ns;
	hi_ns = a->last_ns < b->last_ns - offset_ns ?
		a->last_ns : b->last_ns - offset_ns;
	for (side = 0; side < NR_SIDES; side++) {
		for (i = 0; i < c->cap[side].nr; i++) {
			if (c->cap[side].packets[i].mate == NO_MATE)
				continue;
			ts_ns = c->cap[side].packets[i].ts_ns;
			if (side == SIDE_B)
				ts_ns -= offset_ns;
			if (ts_ns < lo_ns)
				lo_ns = ts_ns;
			if (ts_ns > hi_ns)
				hi_ns = ts_ns;
		}
	}
	res->window_lo_ns = lo_ns - c->opt->slack_ns;
	res->window_hi_ns = hi_ns + c->opt->slack_ns;
}

static void result_alone(struct collector *c)
{
	struct result *res = c->res;
	const struct packet *pkt;
	unsigned int side;
	int64_t ts_ns;
	uint32_t i;

	for (side = 0; side < NR_SIDES; side++) {
		for (i = 0; i < c->cap[side].nr; i++) {
			pkt = &c->cap[side].packets[i];
			if (pkt->mate != NO_MATE)
				continue;
			ts_ns = pkt->ts_ns;
			if (side == SIDE_B)
				ts_ns -= c->match->offset_ns;
			if (res->window_ok && !c->opt->strict &&
			    (ts_ns < res->window_lo_ns ||
			     ts_ns > res->window_hi_ns))
				res->nr_outside[side]++;
			else if (side == SIDE_A)
				difference_add(c, DIFF_ONLY_A, i, NO_MATE);
			else
				difference_add(c, DIFF_ONLY_B, NO_MATE, i);
		}
	}
}

static void result_content(struct collector *c)
{
	const struct capture *a = &c->cap[SIDE_A];
	uint32_t i, mate, off, nr_bytes;
	unsigned int how;

	for (i = 0; i < a->nr; i++) {
		mate = a->packets[i].mate;
		if (mate == NO_MATE)
			continue;
		how = content_compare(&a->packets[i],
				      &c->cap[SIDE_B].packets[mate],
				      &off, &nr_bytes);
		if (how & CONTENT_BYTES)
			difference_add(c, DIFF_BYTES, i, mate);
		else if (how & CONTENT_LEN)
			difference_add(c, DIFF_LEN, i, mate);
		else if (how & CONTENT_CAPLEN)
			difference_add(c, DIFF_CAPLEN, i, mate);
		else
			c->res->nr_same++;
	}
}

static void result_times(struct collector *c)
{
	const struct capture *a = &c->cap[SIDE_A], *b = &c->cap[SIDE_B];
	int64_t bound_ns = c->opt->max_skew_ns;
	struct result *res = c->res;
	int64_t *delta_ns, ns;
	uint32_t i, mate, nr = 0;
	double sum = 0;

	/* a file in microseconds may have cut off up to 999 ns */
	res->precision_ns = a->micro != b->micro ? NSEC_PER_USEC - 1 : 0;
	delta_ns = alloc_array(res->nr_pairs, sizeof(*delta_ns));
	for (i = 0; i < a->nr; i++) {
		mate = a->packets[i].mate;
		if (mate == NO_MATE)
			continue;
		ns = b->packets[mate].ts_ns - a->packets[i].ts_ns;
		delta_ns[nr++] = ns;
		sum += (double)ns;
		if (bound_ns >= 0 &&
		    llabs(ns) > bound_ns + res->precision_ns)
			difference_add(c, DIFF_TIME, i, mate);
	}
	if (nr) {
		res->median_ns = median_ns(delta_ns, nr);
		res->min_ns = delta_ns[0];
		res->max_ns = delta_ns[nr - 1];
		res->mean_ns = sum / nr;
	}
	free(delta_ns);
}

/*
 * List the pairs out of order, with the distance from the place that each has
 * among the pairs in A to the place that it has in B.
 */
static void result_order(struct collector *c)
{
	const struct capture *a = &c->cap[SIDE_A], *b = &c->cap[SIDE_B];
	uint32_t *at_a, *place_b, i, place;
	const struct packet *pkt, *there;
	struct difference *diff;
	int64_t away_ns;

	at_a = alloc_array(c->res->nr_pairs, sizeof(*at_a));
	place_b = alloc_array(b->nr, sizeof(*place_b));
	for (i = 0, place = 0; i < a->nr; i++)
		if (a->packets[i].mate != NO_MATE)
			at_a[place++] = i;
	for (i = 0, place = 0; i < b->nr; i++)
		if (b->packets[i].mate != NO_MATE)
			place_b[i] = place++;
	for (place = 0; place < c->res->nr_pairs; place++) {
		pkt = &a->packets[at_a[place]];
		if (!pkt->moved)
			continue;
		there = &a->packets[at_a[place_b[pkt->mate]]];
		away_ns = llabs(there->ts_ns - pkt->ts_ns);
		if (c->opt->order_slack_ns &&
		    away_ns <= c->opt->order_slack_ns) {
			c->res->nr_near++;
			continue;
		}
		diff = difference_add(c, DIFF_ORDER, at_a[place], pkt->mate);
		diff->places = (int64_t)place_b[pkt->mate] - place;
		diff->away_ns = away_ns;
	}
	free(at_a);
	free(place_b);
}

static bool result_differs(const struct result *res,
			   const struct capture cap[NR_SIDES],
			   const struct options *opt)
{
	unsigned int i;

	for (i = 0; i < NR_DIFF_KINDS; i++)
		if (res->nr[i] && !(i == DIFF_ORDER && opt->ignore_order))
			return true;
	for (i = 0; i < NR_SIDES; i++)
		if (cap[i].torn || (opt->must_sort[i] && cap[i].nr_back))
			return true;
	return res->nothing_common;
}

/**
 * result_collect() - count and list all differences
 * @res: filled in; result_free() gives its memory back
 * @cap: both captures, paired and with order_mark() done
 * @match: from match_captures()
 * @opt: strictness, slack and the bound on time
 */
void result_collect(struct result *res, struct capture cap[NR_SIDES],
		    const struct match *match, const struct options *opt)
{
	struct collector c = {
		.res = res, .cap = cap, .match = match, .opt = opt,
	};

	memset(res, 0, sizeof(*res));
	res->nr_pairs = match->nr_pairs;
	res->nothing_common = cap[SIDE_A].nr && cap[SIDE_B].nr &&
			      !match->nr_pairs;
	result_window(&c);
	result_alone(&c);
	result_content(&c);
	result_times(&c);
	result_order(&c);
	if (res->nr_diffs)
		qsort(res->diffs, res->nr_diffs, sizeof(*res->diffs),
		      difference_cmp);
	res->different = result_differs(res, cap, opt);
}

/**
 * result_free() - give back what result_collect() allocated
 * @res: the result; its list may not be used any more
 */
void result_free(struct result *res)
{
	free(res->diffs);
	res->diffs = NULL;
	res->nr_diffs = 0;
}
