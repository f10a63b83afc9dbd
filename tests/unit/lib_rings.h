/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Rings in plain memory for libptap's rings.c: the producer's and the drainer's
 * side are those of ring_bed.h, a clock that the test sets or the real one,
 * and what the consumer checks of each record.
 *
 * A packet's bytes hold the ring, the packet's number in it and a pattern, so
 * that a record that is lost, doubled, torn, not filled in or overwritten is
 * noticed.  Records have the library's format; their times ascend in a ring
 * unless a test sets them otherwise.
 */
#ifndef PTAP_UNIT_LIB_RINGS_H
#define PTAP_UNIT_LIB_RINGS_H

#include <pthread.h>
#include <time.h>
#include "merge_records.h"
#include "ring_bed.h"
#include "ring_map.h"
#include "source.h"
#include "tap.h"

#define RINGS		4U
#define RINGS_SIZE	65536U
#define RINGS_BODY_MIN	16U	/* ring, length, number */

struct fake_ring {
	struct bed bed;		/* first, see bed_ring() */
	struct ptap_ring_control ctl;
	struct ptap_ring_consumer con;
	pthread_mutex_t lock;	/* of the drainer */
	u64 time_ns;		/* of the next packet; 0: the real clock */
	u64 nr_seen;		/* by the consumer */
	u64 seq_seen;		/* number behind the last one */
	u32 nr_drains;		/* asked for by the library */
};

static struct fake_ring rings[RINGS];
static struct ptap_ring_map maps[RINGS];
static struct ptap_rings lib;
static u32 format;
static u64 last_time_ns;	/* of the last record that the consumer got */

static u64 clock_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

static struct fake_ring *bed_ring(struct bed *b)
{
	return (struct fake_ring *)b;
}

static void bed_lock(struct bed *b)
{
	pthread_mutex_lock(&bed_ring(b)->lock);
}

static void bed_unlock(struct bed *b)
{
	pthread_mutex_unlock(&bed_ring(b)->lock);
}

static u32 record_overhead(void)
{
	return format == PTAP_FORMAT_PCAPNG ? PTAP_EPB_MIN_LEN :
					      PTAP_PCAP_RECORD_LEN;
}

static u8 *record_body(u8 *rec)
{
	return rec + (format == PTAP_FORMAT_PCAPNG ? PTAP_EPB_HEAD_LEN :
						     PTAP_PCAP_RECORD_LEN);
}

static void bed_write_head(struct bed *b, u64 seq, u64 pos, u32 size)
{
	u64 time_ns = bed_ring(b)->time_ns;
	u32 caplen = size - record_overhead();
	u8 *rec = bed_at(b, pos);

	(void)seq;
	record_make(rec, format, time_ns ? time_ns : clock_ns(), caplen);
	memset(record_body(rec), 0xdd, caplen);
}

static void body_make(u8 *body, u32 ring, u64 seq, u32 len)
{
	put_u32(body, ring);
	put_u32(body + 4, len);
	memcpy(body + 8, &seq, sizeof(seq));
	memset(body + RINGS_BODY_MIN, seq * 13 + ring, len - RINGS_BODY_MIN);
}

static void bed_write_body(struct bed *b, u64 seq, u64 pos, u32 size)
{
	body_make(record_body(bed_at(b, pos)), bed_ring(b)->ctl.ring, seq,
		  size - record_overhead());
}

static void real_drain(void *ctx, u32 ring)
{
	(void)ctx;
	rings[ring].nr_drains++;
	bed_drain(&rings[ring].bed);
}

/* Empty rings whose positions begin at @start. */
static void rings_begin(u32 nr, u32 fmt, u64 start,
			const struct ptap_rings_ops *ops)
{
	struct fake_ring *r;
	u32 i;

	format = fmt;
	last_time_ns = 0;
	for (i = 0; i < nr; i++) {
		r = &rings[i];
		r->ctl = (struct ptap_ring_control){
			.size = sizeof(r->ctl), .abi = PTAP_ABI, .ring = i,
			.format = fmt, .data_size = RINGS_SIZE,
		};
		r->con = (struct ptap_ring_consumer){ 0 };
		r->bed.ctl = &r->ctl;
		r->bed.con = &r->con;
		r->bed.defer_max = 64;
		bed_reset(&r->bed, RINGS_SIZE, start + 4099ULL * i, 0);
		r->time_ns = 0;
		r->nr_seen = 0;
		r->seq_seen = 0;
		r->nr_drains = 0;
		maps[i] = (struct ptap_ring_map){
			&r->ctl, &r->con, r->bed.data,
		};
	}
	TAP_CHECK(!ptap_rings_init(&lib, maps, nr, ops, NULL));
}

static void rings_create(void)
{
	u32 i;

	for (i = 0; i < RINGS; i++) {
		pthread_mutex_init(&rings[i].lock, NULL);
		rings[i].bed.data = ring_map(RINGS_SIZE);
	}
}

/* Is the record at @rec what was written? */
static bool record_good(const u8 *rec, u64 size)
{
	u8 want[RINGS_SIZE];
	const u8 *body = record_body((u8 *)rec);
	u32 len, ring = get_unaligned_u32(body);
	u64 seq;

	len = get_unaligned_u32(body + 4);
	memcpy(&seq, body + 8, sizeof(seq));
	if (!TAP_CHECK(ring < lib.nr && len == size - record_overhead()))
		return false;
	body_make(want, ring, seq, len);
	return TAP_CHECK(!memcmp(body, want, len));
}

/* The next record of the merged output: returns its ring. */
static u32 record_next(const u8 *rec, u64 size)
{
	const u8 *body = record_body((u8 *)rec);
	u32 ring = get_unaligned_u32(body);
	u64 seq, time_ns = ptap_record_time(format, rec);

	memcpy(&seq, body + 8, sizeof(seq));
	if (!record_good(rec, size))
		return 0;
	TAP_CHECK(time_ns >= last_time_ns);
	last_time_ns = time_ns;
	TAP_CHECK(seq >= rings[ring].seq_seen);
	rings[ring].seq_seen = seq + 1;
	rings[ring].nr_seen++;
	return ring;
}

/* All records of a batch: in order, or only whether they are good. */
static void batch_check(const struct ptap_batch *b, bool first)
{
	u64 bytes = 0, records = 0, off, size;
	const u8 *at;
	u32 i;

	for (i = 0; i < b->nr && !tap_has_failed(); i++) {
		at = b->iov[i].iov_base;
		for (off = 0; off < b->iov[i].iov_len; off += size) {
			size = ptap_record_size(format, at + off,
						b->iov[i].iov_len - off);
			if (!TAP_CHECK(size))
				return;
			if (first)
				record_next(at + off, size);
			else if (!record_good(at + off, size))
				return;
			records++;
		}
		bytes += b->iov[i].iov_len;
	}
	if (tap_has_failed())
		return;
	TAP_CHECK(bytes == b->bytes && records == b->records);
	TAP_CHECK(b->nr <= b->nr_iov && bytes <= b->max_bytes &&
		  records <= b->max_records);
}

#endif /* PTAP_UNIT_LIB_RINGS_H */
