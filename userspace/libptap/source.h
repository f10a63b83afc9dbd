/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * source.h - where spans come from: mapped rings, or a stream of file bytes.
 *
 * Both work without a device.  A test of struct ptap_rings builds each ring in
 * plain memory: a zeroed struct ptap_ring_control with size, abi, ring, format
 * and data_size (a power of two) set, a zeroed struct ptap_ring_consumer, and
 * 2 * data_size bytes of data of which the second half is the same memory as
 * the first (memfd_create(), mapped twice in a row).  It produces with the
 * functions ptap_prod_*() of module/ring_proto.h, tells the time by its own
 * now_ns(), and takes spans with ptap_rings_look(), _peek() and _release().
 * A test of struct ptap_stream hands it a pipe, or a capture file of at most
 * PTAP_BATCH_BYTES_MAX bytes, as descriptor.
 *
 * One thread at a time.
 */
#ifndef PTAP_SOURCE_H
#define PTAP_SOURCE_H

#include <sys/types.h>
#include <sys/uio.h>
#include "ring_proto.h"
#include "merge.h"

/* A batch has room for the largest record, and is small, to free space soon. */
#define PTAP_BATCH_BYTES_MAX	(1U << 20)
#define PTAP_BATCH_BYTES_MIN	(1U << 19)

/**
 * struct ptap_ring_map - a ring in memory
 * @ctl: written by the producer
 * @con: written by us
 * @data: @ctl->data_size bytes, mapped twice in a row
 */
struct ptap_ring_map {
	const struct ptap_ring_control *ctl;
	struct ptap_ring_consumer *con;
	const u8 *data;
};

/**
 * struct ptap_rings_ops - what the rings need of the world
 * @now_ns: CLOCK_REALTIME, nanoseconds
 * @drain: have the deferred records of a ring filled in
 */
struct ptap_rings_ops {
	u64 (*now_ns)(void *ctx);
	void (*drain)(void *ctx, u32 ring);
};

/**
 * struct ptap_ring_use - what has been taken out of a ring
 * @tail: position up to which its memory has been given back
 * @records: records before @tail
 * @held: records from @tail to the cursor, given out and not released
 * @high_water: bytes in the ring, at most, when memory was given back: until
 *	then it has only grown
 */
struct ptap_ring_use {
	u64 tail;
	u64 records;
	u64 held;
	u64 high_water;
};

/**
 * struct ptap_rings - the consumer's side of a set of rings
 * @ops: see there
 * @ctx: passed to @ops
 * @format: enum ptap_format of the records
 * @nr: number of rings
 * @nr_ifaces: records seen by ptap_rings_look() have interface ids below this
 * @ended: nothing more will be produced; everything may go out
 * @maps: the rings; the caller's
 * @cursors: one for each ring
 * @use: one for each ring
 */
struct ptap_rings {
	const struct ptap_rings_ops *ops;
	void *ctx;
	u32 format;
	u32 nr;
	u32 nr_ifaces;
	bool ended;
	const struct ptap_ring_map *maps;
	struct ptap_cursor *cursors;
	struct ptap_ring_use *use;
};

/**
 * struct ptap_batch - room for a batch of spans, and what is in it
 * @iov: room
 * @nr_iov: entries at @iov
 * @max_bytes: bytes, at most
 * @max_records: records, at most
 * @nr: out: entries used
 * @bytes: out: bytes of these
 * @records: out: records in these
 * @cut: out: a limit was met; there is more
 */
struct ptap_batch {
	struct iovec *iov;
	u32 nr_iov;
	u64 max_bytes;
	u64 max_records;
	u32 nr;
	u64 bytes;
	u64 records;
	bool cut;
};

int ptap_rings_init(struct ptap_rings *r, const struct ptap_ring_map *maps,
		    u32 nr, const struct ptap_rings_ops *ops, void *ctx);
void ptap_rings_exit(struct ptap_rings *r);
void ptap_rings_look(struct ptap_rings *r);
void ptap_rings_peek(struct ptap_rings *r, struct ptap_batch *b);
void ptap_rings_release(struct ptap_rings *r);

/**
 * struct ptap_stream - file bytes from a descriptor, cut into headers and
 * records
 * @fd: where from; read() gives whole records, headers may be split
 * @format: enum ptap_format
 * @ended: read() said that there is no more
 * @torn: what is left at @pos is the beginning of a header, too short to tell
 * @buf: what was read last
 * @size: bytes at @buf
 * @pos: what was given out of it
 * @end: what is in it
 * @header_left: bytes of a header that are still to come
 */
struct ptap_stream {
	int fd;
	u32 format;
	bool ended;
	bool torn;
	u8 *buf;
	size_t size;
	size_t pos;
	size_t end;
	u64 header_left;
};

int ptap_stream_init(struct ptap_stream *s, int fd, u32 format);
void ptap_stream_exit(struct ptap_stream *s);
int ptap_stream_fill(struct ptap_stream *s);
int ptap_stream_headers(struct ptap_stream *s, struct iovec *iov);
int ptap_stream_records(struct ptap_stream *s, u64 max_records,
			struct iovec *iov, u64 *records);

#endif /* PTAP_SOURCE_H */
