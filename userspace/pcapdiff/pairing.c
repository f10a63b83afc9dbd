// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * pairing.c - pairs the packets of one group by time.
 *
 * A group is a set of packets of both captures that cannot be told apart by
 * what they are paired by, for example ten equal ARP requests in A and nine
 * in B. Which nine of A were they? Those that are closest in time: rounds of
 * growing tolerance, each a merge of two sorted lists. After that the chosen
 * ones of A and B are paired first with first, second with second and so on,
 * which crosses no two pairs and moves no pair out of the tolerance.
 */
#include "pcapdiff.h"

#define FIRST_TOLERANCE_NS	NSEC_PER_USEC
#define NEXT_TOLERANCE		10

/* Groups together, A before B, each by time and then by place in the file. */
int pairing_ref_cmp(const void *a, const void *b)
{
	const struct pairing_ref *x = a;
	const struct pairing_ref *y = b;

	if (x->key != y->key)
		return x->key < y->key ? -1 : 1;
	if (x->side != y->side)
		return x->side < y->side ? -1 : 1;
	if (x->ts_ns != y->ts_ns)
		return x->ts_ns < y->ts_ns ? -1 : 1;
	return (x->index > y->index) - (x->index < y->index);
}

/* Take every two free refs with lo <= b - a <= hi, each at most once. */
static uint32_t pairing_round(struct pairing_ref *a, size_t nr_a,
			      struct pairing_ref *b, size_t nr_b,
			      int64_t lo_ns, int64_t hi_ns)
{
	size_t i = 0, j = 0;
	uint32_t nr = 0;
	int64_t delta_ns;

	while (i < nr_a && j < nr_b) {
		if (a[i].taken) {
			i++;
			continue;
		}
		if (b[j].taken) {
			j++;
			continue;
		}
		delta_ns = b[j].ts_ns - a[i].ts_ns;
		if (delta_ns < lo_ns) {
			j++;
		} else if (delta_ns > hi_ns) {
			i++;
		} else {
			a[i++].taken = true;
			b[j++].taken = true;
			nr++;
		}
	}
	return nr;
}

static int64_t max_ns(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static int64_t min_ns(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/**
 * pairing_run() - choose which packets of a group form pairs
 * @a: those of capture A, sorted by time, none taken
 * @nr_a: how many
 * @b: those of capture B
 * @nr_b: how many
 * @offset_ns: what B's clock is ahead of A's
 * @tolerance_ns: how far from @offset_ns the two times of a pair may be apart
 * @skew_ns: how far they may be apart at all
 *
 * The k-th taken ref of @a and the k-th taken ref of @b are a pair.
 *
 * Return: the number of pairs.
 */
uint32_t pairing_run(struct pairing_ref *a, size_t nr_a,
		     struct pairing_ref *b, size_t nr_b,
		     int64_t offset_ns, int64_t tolerance_ns, int64_t skew_ns)
{
	size_t most = nr_a < nr_b ? nr_a : nr_b;
	int64_t round_ns = FIRST_TOLERANCE_NS;
	uint32_t nr = 0;

	while (nr < most) {
		round_ns = min_ns(round_ns, tolerance_ns);
		nr += pairing_round(a, nr_a, b, nr_b,
				    max_ns(offset_ns - round_ns, -skew_ns),
				    min_ns(offset_ns + round_ns, skew_ns));
		if (round_ns == tolerance_ns)
			break;
		round_ns *= NEXT_TOLERANCE;
	}
	return nr;
}
