// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * sieve.c - spans of records that the kernel left to the reader, sifted.
 *
 * What is accepted is copied, record by record: it may get shorter, and the
 * rings can only be read.  Captures whose filter the kernel runs do not come
 * here.
 */
#include <errno.h>
#include <stdlib.h>
#include "ptap.h"
#include "sieve.h"

static void ptap_set_free(struct ptap_sieve_set *set)
{
	while (set->nr)
		free(set->progs[--set->nr].insns);
}

/* The number that the next filter gets; @s may be NULL, still. */
u32 ptap_sieve_next(const struct ptap_sieve *s)
{
	return s ? (s->nr + 1) % PTAP_SIEVES : 1;
}

/**
 * ptap_sieve_replace - use another filter
 * @s: sieve
 * @set: its programs, which the sieve owns from here on; they were loaded with
 *	the number ptap_sieve_next()
 */
void ptap_sieve_replace(struct ptap_sieve *s, const struct ptap_sieve_set *set)
{
	s->nr = ptap_sieve_next(s);
	ptap_set_free(&s->sets[s->nr]);
	s->sets[s->nr] = *set;
}

/* Free what it holds. */
void ptap_sieve_free(struct ptap_sieve *s)
{
	u32 i;

	for (i = 0; i < PTAP_SIEVES; i++)
		ptap_set_free(&s->sets[i]);
	free(s->by_iface);
	free(s->by_ring);
	free(s->lost);
	free(s->buf);
}

/* How many records of interface @iface were not accepted? */
u64 ptap_sieve_of_iface(const struct ptap_sieve *s, u32 iface)
{
	return iface < s->nr_ifaces ? s->by_iface[iface] : 0;
}

/* And how many of a ring, or of all? */
u64 ptap_sieve_of_ring(const struct ptap_sieve *s, u32 ring)
{
	if (ring == PTAP_RING_ALL)
		return s->sieved;
	return ring < s->nr_rings ? s->by_ring[ring] : 0;
}

static int ptap_sieve_room(struct ptap_sieve *s, size_t need)
{
	u8 *more;

	if (need <= s->room)
		return 0;
	more = realloc(s->buf, need);
	if (!more)
		return -ENOMEM;
	s->buf = more;
	s->room = need;
	return 0;
}

/* The records of a span, to @to, which is moved. */
static int ptap_sieve_span(struct ptap_sieve *s, const struct iovec *iov,
			   u8 **to, u64 *records)
{
	const u8 *at = iov->iov_base, *end = at + iov->iov_len;
	u64 size;
	u32 len;
	int err;

	/* A span is of one ring, or of a stream. */
	s->ring = s->ring_of ? s->ring_of(s->ctx, at) : PTAP_RING_ALL;
	for (; at < end; at += size) {
		size = ptap_record_size(s->format, at, end - at);
		if (!size)
			return -EIO;
		err = ptap_sieve_record(s, at, (u32)size, *to, &len);
		if (err)
			return err;
		*to += len;
		*records += len != 0;
	}
	return 0;
}

/**
 * ptap_sieve_spans - leave of spans what the filter accepts
 * @s: sieve
 * @spans: headers, then records; changed, and valid until the next call
 *
 * There may be nothing left: @spans->nr is 0 then.
 *
 * Return: 0, -ENOMEM, -EIO a record makes no sense.
 */
int ptap_sieve_spans(struct ptap_sieve *s, struct ptap_spans *spans)
{
	u64 more = spans->records * PTAP_SIEVE_MORE;
	const struct iovec *iov = spans->iov;
	u64 records = 0;
	unsigned int i;
	int err;
	u8 *to;

	err = ptap_sieve_room(s, spans->bytes - spans->header_bytes + more);
	to = s->buf;
	for (i = spans->nr_headers; i < spans->nr && !err; i++)
		err = ptap_sieve_span(s, &iov[i], &to, &records);
	if (err)
		return err;
	/* The library never gives out more than one. */
	if (spans->nr_headers)
		s->iov[0] = iov[0];
	spans->nr = spans->nr_headers;
	spans->iov = s->iov;
	spans->records = records;
	spans->bytes = spans->header_bytes;
	if (records) {
		s->iov[spans->nr++] = (struct iovec){ s->buf, to - s->buf };
		spans->bytes += to - s->buf;
	}
	return 0;
}
