// SPDX-License-Identifier: GPL-2.0
/*
 * Counters: copied out one by one while the hook counts on.  Each has one
 * writer, is 64 bits wide and never cleared.
 *
 * A packet from a hard interrupt inside the hook cannot touch the counters of
 * the packet that it interrupted: it has one of its own, which is added here to
 * what was seen and to what was dropped.
 */
#include <linux/string.h>
#include "ring.h"
#include "session.h"
#include "stats.h"

static_assert(PTAP_DROP_NR <= ARRAY_SIZE(((struct ptap_stats *)0)->dropped));

static void ptap_stats_add(struct ptap_stats *st, const struct ptap_ring *r)
{
	const struct ptap_counters *c = &r->count;
	u64 nested = READ_ONCE(c->nested);
	u32 i;

	st->seen += READ_ONCE(c->seen) + nested;
	st->captured += READ_ONCE(c->captured);
	st->filtered += READ_ONCE(c->filtered);
	for (i = 0; i < PTAP_DROP_NR; i++)
		st->dropped[i] += READ_ONCE(c->dropped[i]);
	st->dropped[PTAP_DROP_NESTED] += nested;
	st->captured_bytes += READ_ONCE(c->captured_bytes);
	st->consumed += READ_ONCE(r->consumed);
	st->consumed_bytes += READ_ONCE(r->consumed_bytes);
	st->cloned += READ_ONCE(c->cloned);
	st->clone_fallback += READ_ONCE(c->clone_fallback);
	st->fill_faults += READ_ONCE(r->fill_faults);
	st->wakeups += READ_ONCE(c->wakeups);
	st->high_water = max(st->high_water, READ_ONCE(r->high_water));
}

/**
 * ptap_stats_get - counters of a ring, or of all
 * @s: session
 * @stats: @ring is set; everything but @size is overwritten
 *
 * Context: process.
 * Return: 0, or as PTAP_IOC_STATS says.
 */
int ptap_stats_get(struct ptap_session *s, struct ptap_stats *stats)
{
	u32 i, ring = stats->ring, size = stats->size;

	if (!ptap_session_is_setup(s))
		return -EBUSY;
	if (ring != PTAP_RING_ALL && ring >= s->nr_rings)
		return -EINVAL;
	memset(stats, 0, sizeof(*stats));
	stats->size = size;
	stats->ring = ring;
	for (i = 0; i < s->nr_rings; i++)
		if (ring == PTAP_RING_ALL || ring == i)
			ptap_stats_add(stats, s->rings[i]);
	return 0;
}
