/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * A capture file in memory, of any of the formats, and where its parts end.
 *
 * What a record holds follows from its number, so that a test can tell which
 * one it has in hand, and what is wrong with it.  Marks stand at the places
 * where a file may end: behind a group of headers and behind each record.
 */
#ifndef PTAP_UNIT_LIB_CAPTURE_H
#define PTAP_UNIT_LIB_CAPTURE_H

#include "merge_records.h"
#include "tap.h"

#define CAPTURE_BYTES_MAX	(4U << 20)
#define CAPTURE_RECORDS_MAX	20000U
#define CAPTURE_TIME_NS		1700000000999990000ULL
#define CAPTURE_STEP_NS		1717ULL

/* So many records end at or before this offset, and nothing is torn there. */
struct capture_mark {
	u64 at;
	u64 records;
};

struct capture {
	u32 format;
	u32 nr;				/* records */
	u32 nr_marks;
	u64 len;
	u64 start[CAPTURE_RECORDS_MAX];	/* of each record */
	u32 caplen[CAPTURE_RECORDS_MAX];
	struct capture_mark marks[2 * CAPTURE_RECORDS_MAX];
	u8 bytes[CAPTURE_BYTES_MAX];
};

static inline u8 capture_byte(u32 record, u32 i)
{
	return record * 31 + i * 7 + (i >> 8);
}

static inline u64 capture_time(const struct capture *c, u32 record)
{
	return record_time(c->format,
			   CAPTURE_TIME_NS + record * CAPTURE_STEP_NS);
}

static inline void capture_mark(struct capture *c)
{
	c->marks[c->nr_marks++] = (struct capture_mark){ c->len, c->nr };
}

static inline void capture_words(struct capture *c, const u32 *words, u32 nr)
{
	memcpy(c->bytes + c->len, words, nr * sizeof(*words));
	c->len += nr * sizeof(*words);
}

/* An Interface Description Block, Ethernet, nanoseconds; no mark. */
static inline void capture_iface(struct capture *c)
{
	static const u32 idb[] = {
		1, 32, 1, 262144, 1 << 16 | 9, 9, 0, 32,
	};

	capture_words(c, idb, sizeof(idb) / sizeof(*idb));
}

/* Begin with the file header and one interface. */
static inline void capture_begin(struct capture *c, u32 format)
{
	u32 pcap[] = {
		format == PTAP_FORMAT_PCAP_USEC ? 0xa1b2c3d4 : 0xa1b23c4d,
		4 << 16 | 2, 0, 0, 262144, 1,
	};
	static const u32 shb[] = {
		0x0a0d0d0a, 28, 0x1a2b3c4d, 1, 0xffffffff, 0xffffffff, 28,
	};

	c->format = format;
	c->nr = 0;
	c->nr_marks = 0;
	c->len = 0;
	capture_mark(c);
	if (format == PTAP_FORMAT_PCAPNG) {
		capture_words(c, shb, sizeof(shb) / sizeof(*shb));
		capture_iface(c);
	} else {
		capture_words(c, pcap, sizeof(pcap) / sizeof(*pcap));
	}
	capture_mark(c);
}

/* A further interface, where the format has such. */
static inline void capture_more(struct capture *c)
{
	if (c->format != PTAP_FORMAT_PCAPNG)
		return;
	capture_iface(c);
	capture_mark(c);
}

static inline void capture_add(struct capture *c, u32 caplen)
{
	u8 *rec = c->bytes + c->len;
	u32 n = c->nr, size = record_len(c->format, caplen), i;
	u8 *data = rec + (c->format == PTAP_FORMAT_PCAPNG ?
			  PTAP_EPB_HEAD_LEN : PTAP_PCAP_RECORD_LEN);

	memset(rec, 0, size);
	record_make(rec, c->format, capture_time(c, n), caplen);
	for (i = 0; i < caplen; i++)
		data[i] = capture_byte(n, i);
	c->start[n] = c->len;
	c->caplen[n] = caplen;
	c->len += size;
	c->nr++;
	capture_mark(c);
}

/* End of record @n. */
static inline u64 capture_end(const struct capture *c, u32 n)
{
	return c->start[n] + record_len(c->format, c->caplen[n]);
}

/* The last mark that is not behind @len. */
static inline struct capture_mark capture_whole(const struct capture *c,
						u64 len)
{
	u32 i = c->nr_marks;

	while (i > 1 && c->marks[i - 1].at > len)
		i--;
	return c->marks[i - 1];
}

#endif /* PTAP_UNIT_LIB_CAPTURE_H */
