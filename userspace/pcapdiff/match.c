// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * match.c - finds for each packet of A its partner in B.
 *
 * Packets are grouped by a key and each group is paired by time (pairing.c).
 * The first level's key is the whole content, with the bytes compared so that
 * a hash collision pairs nothing. Contents that each file has exactly once
 * show how far the clocks are apart and how much that varies; this decides
 * how close the copies of a repeated content have to be. The further levels
 * look, among what is left, for packets that are the same packet yet differ:
 * in the length, in how much was captured, in a header put in or taken out, in
 * the protocol of a cooked header, and last in any bytes, if they stand at the
 * same place in both captures.
 * Every level is one sort.
 */
#include <stdlib.h>
#include <string.h>

#include "pcapdiff.h"

#define PREFIX_LEN	32	/* link and network header, up to addresses */
#define MACS_LEN	12	/* before a VLAN tag */
#define SLL2_PROTO_LEN	2	/* a cooked packet's first member */
#define TAIL_LEN	16
#define ENOUGH_PAIRS	20	/* to judge how much the times vary */

enum level {
	LEVEL_SAME,		/* same bytes and lengths */
	LEVEL_LEN,		/* same bytes, other length on the wire */
	LEVEL_CUT_A,		/* same length, cut as A cuts */
	LEVEL_CUT_B,		/* same length, cut as B cuts */
	LEVEL_TAIL,		/* same addresses and end: a tag in between */
	LEVEL_PROTO,		/* cooked: same but for the protocol */
	LEVEL_PLACE,		/* same place and lengths */
	LEVEL_PREFIX,		/* same place and first bytes */
	NR_LEVELS,
};

/**
 * struct matcher - state of one comparison
 * @refs: packets without a partner, under the key of the level
 * @place: for each packet, how many before it have a partner
 * @cut: how many bytes each capture keeps of a long packet; 0 if all
 */
struct matcher {
	struct capture *cap;
	struct match *match;
	const struct options *opt;
	struct pairing_ref *refs;
	size_t nr_refs;
	uint32_t *place[NR_SIDES];
	uint32_t cut[NR_SIDES];
};

static struct packet *ref_packet(const struct matcher *m,
				 const struct pairing_ref *ref)
{
	return &m->cap[ref->side].packets[ref->index];
}

static bool level_cut_key(const struct packet *pkt, uint32_t cut,
			  uint64_t *key)
{
	if (!cut || pkt->caplen < cut)
		return false;
	*key = content_mix(content_hash(pkt->data, cut), pkt->len);
	return true;
}

static bool level_tail_key(const struct packet *pkt, uint64_t *key)
{
	if (pkt->caplen != pkt->len || pkt->caplen < MACS_LEN + TAIL_LEN)
		return false;
	*key = content_hash(pkt->data, MACS_LEN);
	*key = content_mix(*key, content_hash(pkt->data + pkt->caplen -
					      TAIL_LEN, TAIL_LEN));
	return true;
}

static bool level_proto_key(const struct capture *cap,
			    const struct packet *pkt, uint64_t *key)
{
	if (cap->linktype != DLT_LINUX_SLL2 || pkt->caplen < SLL2_PROTO_LEN)
		return false;
	*key = content_hash(pkt->data + SLL2_PROTO_LEN,
			    pkt->caplen - SLL2_PROTO_LEN);
	*key = content_mix(*key, pkt->len);
	return true;
}

/* What groups @pkt with others at @level; false if it takes no part. */
static bool level_key(const struct matcher *m, enum level level,
		      enum side side, uint32_t index, uint64_t *key)
{
	const struct packet *pkt = &m->cap[side].packets[index];

	switch (level) {
	case LEVEL_SAME:
		*key = content_mix(pkt->hash, pkt->len);
		return true;
	case LEVEL_LEN:
		*key = pkt->hash;
		return true;
	case LEVEL_CUT_A:
		return level_cut_key(pkt, m->cut[SIDE_A], key);
	case LEVEL_CUT_B:
		return level_cut_key(pkt, m->cut[SIDE_B], key);
	case LEVEL_TAIL:
		return level_tail_key(pkt, key);
	case LEVEL_PROTO:
		return level_proto_key(&m->cap[side], pkt, key);
	case LEVEL_PLACE:
		*key = content_mix(pkt->len, pkt->caplen);
		*key = content_mix(*key, m->place[side][index]);
		return true;
	case LEVEL_PREFIX:
		if (pkt->caplen < PREFIX_LEN)
			return false;
		*key = content_mix(content_hash(pkt->data, PREFIX_LEN),
				   m->place[side][index]);
		return true;
	default:
		return false;
	}
}

static void level_collect(struct matcher *m, enum level level)
{
	struct pairing_ref *ref;
	unsigned int side;
	uint64_t key;
	uint32_t i;

	m->nr_refs = 0;
	for (side = 0; side < NR_SIDES; side++) {
		for (i = 0; i < m->cap[side].nr; i++) {
			if (m->cap[side].packets[i].mate != NO_MATE ||
			    !level_key(m, level, side, i, &key))
				continue;
			ref = &m->refs[m->nr_refs++];
			ref->key = key;
			ref->ts_ns = m->cap[side].packets[i].ts_ns;
			ref->index = i;
			ref->side = (uint8_t)side;
			ref->taken = false;
		}
	}
	qsort(m->refs, m->nr_refs, sizeof(*m->refs), pairing_ref_cmp);
}

/* Is @with the same packet as @without but for bytes put in at @off? */
static bool tag_inserted(const struct packet *without,
			 const struct packet *with, uint32_t off)
{
	uint32_t tag_len = with->caplen - without->caplen;

	return tag_len && off >= MACS_LEN &&
	       !memcmp(without->data + off, with->data + off + tag_len,
		       without->caplen - off);
}

/*
 * Is this a pair, at this level? Equal keys may be a collision. Identical
 * packets that stayed apart at the first level are too far apart in time, and
 * most bytes differing means two packets that have nothing but their size and
 * place in common.
 */
static bool pair_fits(const struct matcher *m, enum level level,
		      const struct packet *a, const struct packet *b)
{
	uint32_t off, nr_bytes;
	unsigned int how;

	if (level == LEVEL_SAME)
		return true;	/* same_group() has compared them */
	how = content_compare(a, b, &off, &nr_bytes);
	switch (level) {
	case LEVEL_LEN:
		return how == CONTENT_LEN;
	case LEVEL_CUT_A:
		return how && a->len == b->len && off >= m->cut[SIDE_A];
	case LEVEL_CUT_B:
		return how && a->len == b->len && off >= m->cut[SIDE_B];
	case LEVEL_TAIL:
		return a->len < b->len ? tag_inserted(a, b, off) :
					 tag_inserted(b, a, off);
	case LEVEL_PROTO:
		return how == CONTENT_BYTES &&
		       !memcmp(a->data + SLL2_PROTO_LEN,
			       b->data + SLL2_PROTO_LEN,
			       a->caplen - SLL2_PROTO_LEN);
	case LEVEL_PLACE:
		return how == CONTENT_BYTES && nr_bytes <= a->caplen / 2;
	default:
		return how && off >= PREFIX_LEN;
	}
}

/* Pair a group: @nr refs with the same key, those of A first. */
static void group_pair(struct matcher *m, enum level level,
		       struct pairing_ref *refs, size_t nr,
		       int64_t tolerance_ns)
{
	struct pairing_ref *b = refs, *end = refs + nr, *a = refs;
	struct packet *pkt_a, *pkt_b;
	uint32_t left;

	while (b < end && b->side == SIDE_A)
		b++;
	left = pairing_run(refs, (size_t)(b - refs), b, (size_t)(end - b),
			   m->match->offset_ns, tolerance_ns, m->opt->skew_ns);
	for (; left; left--, a++, b++) {
		while (!a->taken)
			a++;
		while (!b->taken)
			b++;
		pkt_a = ref_packet(m, a);
		pkt_b = ref_packet(m, b);
		if (!pair_fits(m, level, pkt_a, pkt_b))
			continue;
		pkt_a->mate = b->index;
		pkt_b->mate = a->index;
		m->match->nr_pairs++;
	}
}

static bool same_content(const struct packet *a, const struct packet *b)
{
	return a->len == b->len && a->caplen == b->caplen &&
	       !memcmp(a->data, b->data, a->caplen);
}

/*
 * Refs from @refs on that are one content, at most @nr. Where two contents
 * share a hash, the refs are rearranged so that the first content's lead, in
 * the order they had.
 */
static size_t same_group(const struct matcher *m, struct pairing_ref *refs,
			 size_t nr)
{
	const struct packet *first = ref_packet(m, &refs[0]);
	struct pairing_ref *others;
	size_t i, nr_same, nr_others = 0;

	for (i = 1; i < nr; i++)
		if (!same_content(first, ref_packet(m, &refs[i])))
			break;
	if (i == nr)
		return nr;
	others = alloc_array(nr - i, sizeof(*others));
	for (nr_same = i; i < nr; i++) {
		if (same_content(first, ref_packet(m, &refs[i])))
			refs[nr_same++] = refs[i];
		else
			others[nr_others++] = refs[i];
	}
	memcpy(refs + nr_same, others, nr_others * sizeof(*others));
	free(others);
	return nr_same;
}

static size_t key_group(const struct pairing_ref *refs, size_t nr)
{
	size_t i;

	for (i = 1; i < nr && refs[i].key == refs[0].key; i++)
		;
	return i;
}

/* Pair a content that both files have exactly once. */
static void once_pair(struct matcher *m, const struct pairing_ref *a,
		      const struct pairing_ref *b)
{
	struct match *match = m->match;
	int64_t delta_ns = b->ts_ns - a->ts_ns;

	if (delta_ns <= m->opt->skew_ns && delta_ns >= -m->opt->skew_ns) {
		ref_packet(m, a)->mate = b->index;
		ref_packet(m, b)->mate = a->index;
		match->nr_pairs++;
	} else if (!match->nr_far++) {
		match->far[SIDE_A] = a->index;
		match->far[SIDE_B] = b->index;
	}
}

static int64_t clamp_ns(int64_t ns, int64_t lo_ns, int64_t hi_ns)
{
	if (ns > hi_ns)
		return hi_ns;
	return ns < lo_ns ? lo_ns : ns;
}

/*
 * From the pairs so far: the clocks' offset, and how far a pair strays from
 * it. Repeated contents get ten times the worst, because a wrong pair there
 * costs little; packets that differ have to be as close as equal ones are.
 */
static void match_learn_times(struct matcher *m)
{
	struct capture *a = &m->cap[SIDE_A];
	struct match *match = m->match;
	int64_t skew_ns = m->opt->skew_ns;
	int64_t *delta_ns;
	uint32_t i, nr = 0;

	delta_ns = alloc_array(match->nr_pairs, sizeof(*delta_ns));
	for (i = 0; i < a->nr; i++)
		if (a->packets[i].mate != NO_MATE)
			delta_ns[nr++] = m->cap[SIDE_B].packets[
				a->packets[i].mate].ts_ns - a->packets[i].ts_ns;
	match->offset_ns = median_ns(delta_ns, nr);
	match->repeat_ns = 2 * skew_ns;
	match->near_ns = 2 * skew_ns;
	if (nr >= ENOUGH_PAIRS) {
		for (i = 0; i < nr; i++)
			delta_ns[i] = llabs(delta_ns[i] - match->offset_ns);
		qsort(delta_ns, nr, sizeof(*delta_ns), ns_cmp);
		match->repeat_ns = clamp_ns(10 * delta_ns[nr - 1],
					    NSEC_PER_MSEC, 2 * skew_ns);
		match->near_ns = clamp_ns(2 * delta_ns[nr - 1 - nr / 100],
					  2 * NSEC_PER_USEC, match->repeat_ns);
	}
	free(delta_ns);
}

/* Walk the groups of one content; @pair is called for those of 2 or more. */
static void match_groups(struct matcher *m, int64_t tolerance_ns,
			 void (*pair)(struct matcher *m,
				      struct pairing_ref *refs, size_t nr,
				      int64_t tolerance_ns))
{
	struct pairing_ref *refs;
	size_t at, nr;

	for (at = 0; at < m->nr_refs; at += nr) {
		refs = m->refs + at;
		nr = same_group(m, refs, key_group(refs, m->nr_refs - at));
		if (nr > 1)
			pair(m, refs, nr, tolerance_ns);
	}
}

static void group_once(struct matcher *m, struct pairing_ref *refs, size_t nr,
		       int64_t tolerance_ns)
{
	(void)tolerance_ns;
	if (nr == 2 && refs[0].side != refs[1].side)
		once_pair(m, &refs[0], &refs[1]);
}

static void group_repeated(struct matcher *m, struct pairing_ref *refs,
			   size_t nr, int64_t tolerance_ns)
{
	if (nr > 2)
		group_pair(m, LEVEL_SAME, refs, nr, tolerance_ns);
}

static void group_unpair(struct matcher *m, struct pairing_ref *refs,
			 size_t nr, int64_t tolerance_ns)
{
	size_t i;

	(void)tolerance_ns;
	for (i = 0; nr > 2 && i < nr; i++) {
		ref_packet(m, &refs[i])->mate = NO_MATE;
		refs[i].taken = false;
	}
}

/*
 * Too few contents occur once. Pair the repeated ones closely; if that finds
 * a partner for most packets, learn from these pairs. Then undo it: the real
 * pairing must see whole groups, or its pairs would cross these.
 */
static void match_rehearse(struct matcher *m)
{
	uint32_t nr_a = m->cap[SIDE_A].nr, nr_b = m->cap[SIDE_B].nr;
	uint32_t nr_once = m->match->nr_pairs;

	match_groups(m, NSEC_PER_MSEC, group_repeated);
	if (m->match->nr_pairs >= (nr_a < nr_b ? nr_a : nr_b) / 2)
		match_learn_times(m);
	match_groups(m, 0, group_unpair);
	m->match->nr_pairs = nr_once;
}

/*
 * The first level: contents that both have once, then what they teach about
 * time, then the repeated ones.
 */
static void match_same(struct matcher *m)
{
	level_collect(m, LEVEL_SAME);
	match_groups(m, 0, group_once);
	match_learn_times(m);
	if (m->match->nr_pairs < ENOUGH_PAIRS)
		match_rehearse(m);
	match_groups(m, m->match->repeat_ns, group_repeated);
}

static void match_level(struct matcher *m, enum level level,
			int64_t tolerance_ns)
{
	size_t at, nr;

	level_collect(m, level);
	for (at = 0; at < m->nr_refs; at += nr) {
		nr = key_group(m->refs + at, m->nr_refs - at);
		if (nr > 1)
			group_pair(m, level, m->refs + at, nr, tolerance_ns);
	}
}

/* The snapshot length, as the longest packet that was cut shows it. */
static uint32_t match_cut(const struct capture *cap)
{
	uint32_t i, cut = 0;

	for (i = 0; i < cap->nr; i++)
		if (cap->packets[i].mate == NO_MATE &&
		    cap->packets[i].caplen < cap->packets[i].len &&
		    cap->packets[i].caplen > cut)
			cut = cap->packets[i].caplen;
	return cut;
}

static void match_count_places(struct matcher *m)
{
	const struct packet *pkt;
	unsigned int side;
	uint32_t i, place;

	for (side = 0; side < NR_SIDES; side++) {
		place = 0;
		for (i = 0; i < m->cap[side].nr; i++) {
			pkt = &m->cap[side].packets[i];
			m->place[side][i] = place;
			if (pkt->mate != NO_MATE)
				place++;
		}
	}
}

/**
 * match_captures() - pair the packets of two captures
 * @match: filled in
 * @cap: both captures; the packets' @mate is set
 * @opt: the skew is used
 */
void match_captures(struct match *match, struct capture cap[NR_SIDES],
		    const struct options *opt)
{
	struct matcher m = { .cap = cap, .match = match, .opt = opt };
	unsigned int side;
	int level;

	memset(match, 0, sizeof(*match));
	m.refs = alloc_array((size_t)cap[SIDE_A].nr + cap[SIDE_B].nr,
			     sizeof(*m.refs));
	match_same(&m);
	for (side = 0; side < NR_SIDES; side++) {
		m.place[side] = alloc_array(cap[side].nr, sizeof(uint32_t));
		m.cut[side] = match_cut(&cap[side]);
	}
	for (level = LEVEL_LEN; level < LEVEL_PLACE; level++)
		match_level(&m, level, match->repeat_ns);
	match_count_places(&m);
	for (level = LEVEL_PLACE; level < NR_LEVELS; level++)
		match_level(&m, level, match->near_ns);
	for (side = 0; side < NR_SIDES; side++)
		free(m.place[side]);
	free(m.refs);
}
