/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Merging rings by time: how to walk the records of a ring, and how to choose
 * the next run of records to give out.
 *
 * read() in the module and libptap in user space share this file.  Both own an
 * array of cursors, one for each ring, and repeat: take the cursor whose next
 * record is the oldest, gallop over its records up to the time of the next
 * oldest cursor, and give that run out in one piece.  The cost of a packet is
 * one look at its header; moving its bytes is the caller's business.
 *
 * A cursor without records stalls nobody: its bound says that it will not
 * produce anything older (contract (3) of struct ptap_ring_control).
 *
 * The records are trusted: they lie in memory that only the kernel writes.
 * Nevertheless no length leads out of [pos, end).
 */
#ifndef PTAP_MERGE_H
#define PTAP_MERGE_H

#ifdef __KERNEL__
#include <linux/limits.h>
#include <linux/prefetch.h>
#include <linux/time64.h>
#include <linux/types.h>
#include "compat.h"
#define get_unaligned_u32(p)	get_unaligned((const u32 *)(p))
#else
#include "atomics.h"
#define NSEC_PER_SEC		1000000000L
#define NSEC_PER_USEC		1000L
#define U64_MAX			UINT64_MAX
#define prefetch(p)		__builtin_prefetch(p)
#endif
#include <linux/ptap.h>
#include "ring_proto.h"

#define PTAP_PCAP_HEADER_LEN	24U	/* of a file */
#define PTAP_PCAP_RECORD_LEN	16U	/* seconds, fraction, caplen, length */
#define PTAP_EPB_HEAD_LEN	28U	/* type ... original length */
#define PTAP_EPB_MIN_LEN	32U	/* and the trailing total length */

#define PTAP_AHEAD_SIZE		512U	/* shorter ones come by themselves */
#define PTAP_AHEAD_BYTES	4096U	/* fetched before they are looked at */
#define PTAP_AHEAD_STEP		64U

/**
 * struct ptap_cursor - the unread part of a ring
 * @data: the ring's data, mapped twice in a row
 * @mask: data_size - 1
 * @pos: position of the next record
 * @end: position behind the last record that may be read
 * @ahead: position up to which the data have been fetched
 * @key: time of the record at @pos, nanoseconds; never below an earlier one's,
 *	so that a clock that steps back does not stall the others
 * @bound: no record of this ring behind @end will be older, nanoseconds
 */
struct ptap_cursor {
	const u8 *data;
	u64 mask;
	u64 pos;
	u64 end;
	u64 ahead;
	u64 key;
	u64 bound;
};

static inline const u8 *ptap_cursor_at(const struct ptap_cursor *c, u64 pos)
{
	return c->data + (pos & c->mask);
}

/* Bytes of the record at @rec, of which @left are in the ring; 0 is a bug. */
static inline u64 ptap_record_size(u32 format, const u8 *rec, u64 left)
{
	u64 len;

	if (format == PTAP_FORMAT_PCAPNG) {
		if (unlikely(left < PTAP_EPB_MIN_LEN))
			return 0;
		len = get_unaligned_u32(rec + 4);
		if (unlikely(len < PTAP_EPB_MIN_LEN))
			return 0;
	} else {
		if (unlikely(left < PTAP_PCAP_RECORD_LEN))
			return 0;
		len = PTAP_PCAP_RECORD_LEN + (u64)get_unaligned_u32(rec + 8);
	}
	return likely(len <= left) ? len : 0;
}

/* Time stamp of a record in nanoseconds. */
static inline u64 ptap_record_time(u32 format, const u8 *rec)
{
	u64 hi, lo;

	if (format == PTAP_FORMAT_PCAPNG) {
		hi = get_unaligned_u32(rec + 12);
		return hi << 32 | get_unaligned_u32(rec + 16);
	}
	hi = get_unaligned_u32(rec);
	lo = get_unaligned_u32(rec + 4);
	if (format == PTAP_FORMAT_PCAP_USEC)
		lo *= NSEC_PER_USEC;
	return hi * NSEC_PER_SEC + lo;
}

/* The same of a record of which @left bytes are in the ring; 0 if it is cut. */
static inline u64 ptap_record_time_in(u32 format, const u8 *rec, u64 left)
{
	if (unlikely(left < (format == PTAP_FORMAT_PCAPNG ?
			     PTAP_EPB_MIN_LEN : PTAP_PCAP_RECORD_LEN)))
		return 0;
	return ptap_record_time(format, rec);
}

static inline bool ptap_cursor_empty(const struct ptap_cursor *c)
{
	return c->pos == c->end;
}

/* Set the key from the record at pos, if there is one. */
static inline void ptap_cursor_look(struct ptap_cursor *c, u32 format)
{
	u64 key;

	if (ptap_cursor_empty(c))
		return;
	key = ptap_record_time_in(format, ptap_cursor_at(c, c->pos),
				  c->end - c->pos);
	if (key > c->key)
		c->key = key;
}

/* Time of the newest record at hand, as far as it shows: 0 if there is none. */
static inline u64 ptap_merge_newest(const struct ptap_cursor *c, u32 nr)
{
	u64 newest = 0;
	u32 i;

	for (i = 0; i < nr; i++)
		if (!ptap_cursor_empty(&c[i]) && c[i].key > newest)
			newest = c[i].key;
	return newest;
}

/*
 * Before looking at a ring: @horizon is the hold-back before now, @busy was
 * read after the clock.  A busy ring keeps the bound that it had, but for one
 * that was lifted.
 */
static inline void ptap_cursor_bind(struct ptap_cursor *c, bool busy,
				    u64 horizon)
{
	if (!busy)
		c->bound = horizon;
	else if (c->bound == U64_MAX)
		c->bound = 0;
}

/*
 * Is the @newest record from before the clock was set back to @now?  One that
 * is only a little ahead is not: two processors do not quite agree on the time.
 */
static inline bool ptap_merge_set_back(u64 newest, u64 now)
{
	return newest > now && newest - now > PTAP_SET_BACK_NS;
}

/*
 * There is a record from the future: the clock has been set back.  What idle
 * rings are known by, the clock, says nothing about such records.  Do not wait
 * for them until the clock has caught up, which may take hours.
 */
static inline void ptap_merge_unbind(struct ptap_cursor *c, u32 nr, u64 horizon)
{
	u32 i;

	for (i = 0; i < nr; i++)
		if (c[i].bound == horizon)
			c[i].bound = U64_MAX;
}

/**
 * struct ptap_run - a run of records of one ring, to be given out next
 * @ring: its index in the array of cursors
 * @limit: time up to which records of this ring may go out, inclusive
 */
struct ptap_run {
	u32 ring;
	u64 limit;
};

/*
 * Choose the ring to give out next.  False when nothing may go out yet: all
 * cursors are empty, or the oldest record is above an empty cursor's bound.
 * Records of equal time go out in either order.
 */
static inline bool ptap_merge_next(const struct ptap_cursor *c, u32 nr,
				   struct ptap_run *run)
{
	u64 best = U64_MAX, limit = U64_MAX, bound;
	bool found = false;
	u32 i;

	for (i = 0; i < nr; i++) {
		if (ptap_cursor_empty(&c[i])) {
			/* What comes is not older than what went out. */
			bound = c[i].bound > c[i].key ? c[i].bound : c[i].key;
			if (bound < limit)
				limit = bound;
		} else if (!found || c[i].key < best) {
			if (found && best < limit)
				limit = best;
			best = c[i].key;
			run->ring = i;
			found = true;
		} else if (c[i].key < limit) {
			limit = c[i].key;
		}
	}
	run->limit = limit;
	return found && best <= limit;
}

/*
 * Where a record begins is told by the one before it.  While short ones come
 * by themselves, each long one would be waited for; whoever writes a run out
 * needs all of its bytes anyway.
 */
static inline void ptap_cursor_ahead(struct ptap_cursor *c, u64 pos)
{
	u64 end = pos + PTAP_AHEAD_BYTES;

	if (ptap_pos_after(end, c->end))
		end = c->end;
	if (ptap_pos_after(pos, c->ahead))
		c->ahead = pos;
	for (; ptap_pos_after(end, c->ahead); c->ahead += PTAP_AHEAD_STEP)
		prefetch(ptap_cursor_at(c, c->ahead));
}

/*
 * Length in bytes of the run of records at @c that are not newer than @limit
 * and end within @max_bytes and @max_records; *@nr_records tells their number.
 * Advances nothing but c->key, to the time of the record behind the run.  The
 * record at pos itself is not tested against @limit.  Returns 0 if the first
 * record is longer than @max_bytes.
 */
static inline u64 ptap_cursor_gallop(struct ptap_cursor *c, u32 format,
				     u64 limit, u64 max_bytes, u64 max_records,
				     u64 *nr_records)
{
	u64 len = 0, nr = 0, left = c->end - c->pos;
	const u8 *rec = ptap_cursor_at(c, c->pos);
	u64 size, time;

	while (nr < max_records && left) {
		size = ptap_record_size(format, rec, left);
		if (size >= PTAP_AHEAD_SIZE)
			ptap_cursor_ahead(c, c->end - left);
		if (unlikely(!size)) {
			/* Cannot be; give out what is there, once. */
			size = left;
		}
		if (len + size > max_bytes)
			break;
		len += size;
		left -= size;
		rec += size;
		nr++;
		if (!left)
			break;
		time = ptap_record_time_in(format, rec, left);
		if (time > c->key)
			c->key = time;
		if (c->key > limit)
			break;
	}
	*nr_records = nr;
	return len;
}

#endif /* PTAP_MERGE_H */
