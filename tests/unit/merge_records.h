/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Makes records of the three formats for the tests of module/merge.h.
 */
#ifndef PTAP_UNIT_MERGE_RECORDS_H
#define PTAP_UNIT_MERGE_RECORDS_H

#include <string.h>
#include "merge.h"

static inline void put_u32(u8 *p, u32 v)
{
	memcpy(p, &v, sizeof(v));
}

/* Size of a record whose packet has @caplen bytes. */
static inline u32 record_len(u32 format, u32 caplen)
{
	if (format == PTAP_FORMAT_PCAPNG)
		return PTAP_EPB_MIN_LEN + (caplen + 3) / 4 * 4;
	return PTAP_PCAP_RECORD_LEN + caplen;
}

/* What is left of a time in this format. */
static inline u64 record_time(u32 format, u64 time_ns)
{
	return time_ns - (format == PTAP_FORMAT_PCAP_USEC ? time_ns % 1000 : 0);
}

/* Writes it without the packet's bytes, and returns its size. */
static inline u32 record_make(u8 *rec, u32 format, u64 time_ns, u32 caplen)
{
	u32 len = record_len(format, caplen);

	if (format == PTAP_FORMAT_PCAPNG) {
		put_u32(rec, 6);
		put_u32(rec + 4, len);
		put_u32(rec + 8, 0);
		put_u32(rec + 12, time_ns >> 32);
		put_u32(rec + 16, time_ns);
		put_u32(rec + 20, caplen);
		put_u32(rec + 24, caplen);
		put_u32(rec + len - 4, len);
		return len;
	}
	put_u32(rec, time_ns / 1000000000);
	time_ns %= 1000000000;
	put_u32(rec + 4, format == PTAP_FORMAT_PCAP_USEC ? time_ns / 1000 :
							    time_ns);
	put_u32(rec + 8, caplen);
	put_u32(rec + 12, caplen);
	return len;
}

#endif /* PTAP_UNIT_MERGE_RECORDS_H */
