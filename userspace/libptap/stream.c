// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * stream.c - spans from read(), which merges in the kernel.
 *
 * The kernel gives whole records, with headers in front of those that need
 * them.  Here they are told apart and counted, so that a caller can stop behind
 * any record and can tell records from headers.
 *
 * Works on any descriptor that gives a capture file in pieces of whole records;
 * see source.h for tests.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "source.h"

#define PTAP_BLOCK_MIN_LEN	12U
#define PTAP_BLOCK_EPB		6U

/**
 * ptap_stream_init - start with the header of the file
 * @s: set
 * @fd: where from; the caller's
 * @format: enum ptap_format
 *
 * Return: 0 or -ENOMEM.
 */
int ptap_stream_init(struct ptap_stream *s, int fd, u32 format)
{
	*s = (struct ptap_stream){
		.fd = fd,
		.format = format,
		.size = PTAP_BATCH_BYTES_MAX,
		.buf = malloc(PTAP_BATCH_BYTES_MAX),
	};
	if (!s->buf)
		return -ENOMEM;
	if (format != PTAP_FORMAT_PCAPNG)
		s->header_left = PTAP_PCAP_HEADER_LEN;
	return 0;
}

void ptap_stream_exit(struct ptap_stream *s)
{
	free(s->buf);
	s->buf = NULL;
}

/**
 * ptap_stream_fill - read, if all of the last read has been given out
 * @s: stream
 *
 * Return: 1 there are bytes, 0 there are none now, -ENODATA there will be none
 * any more, or what read() says.
 */
int ptap_stream_fill(struct ptap_stream *s)
{
	size_t left = s->end - s->pos;
	ssize_t n;

	if (left && !s->torn)
		return 1;
	if (s->ended)
		return left ? -EIO : -ENODATA;
	memmove(s->buf, s->buf + s->pos, left);
	s->pos = 0;
	s->end = left;
	n = read(s->fd, s->buf + left, s->size - left);
	if (n < 0)
		return errno == EAGAIN ? 0 : -errno;
	s->torn = false;
	s->end += n;
	if (n)
		return 1;
	s->ended = true;
	return left ? -EIO : -ENODATA;
}

/* Bytes of the header block at @at, 0 if it is a record, or -EIO. */
static s64 ptap_stream_block(const struct ptap_stream *s, size_t at)
{
	u32 len;

	if (s->format != PTAP_FORMAT_PCAPNG)
		return 0;
	if (s->end - at < PTAP_BLOCK_MIN_LEN)
		return -EIO;
	if (get_unaligned_u32(s->buf + at) == PTAP_BLOCK_EPB)
		return 0;
	len = get_unaligned_u32(s->buf + at + 4);
	return len < PTAP_BLOCK_MIN_LEN ? -EIO : (s64)len;
}

/**
 * ptap_stream_headers - take the headers that come next
 * @s: stream, filled
 * @iov: set
 *
 * Return: number of spans, 0 or 1, or -EIO.
 */
int ptap_stream_headers(struct ptap_stream *s, struct iovec *iov)
{
	size_t start = s->pos;
	s64 len;

	while (s->pos < s->end) {
		if (!s->header_left) {
			/* The beginning of a header; the rest is to come. */
			s->torn = s->format == PTAP_FORMAT_PCAPNG &&
				  s->end - s->pos < PTAP_BLOCK_MIN_LEN;
			if (s->torn)
				break;
			len = ptap_stream_block(s, s->pos);
			if (len < 0)
				return len;
			if (!len)
				break;
			s->header_left = len;
		}
		len = s->end - s->pos;
		if ((u64)len > s->header_left)
			len = s->header_left;
		s->header_left -= len;
		s->pos += len;
	}
	*iov = (struct iovec){ s->buf + start, s->pos - start };
	return s->pos != start;
}

/**
 * ptap_stream_records - take the records that come next
 * @s: stream, filled, its headers taken
 * @max_records: at most so many
 * @iov: set
 * @records: set to their number
 *
 * Return: number of spans, 0 or 1, or -EIO.
 */
int ptap_stream_records(struct ptap_stream *s, u64 max_records,
			struct iovec *iov, u64 *records)
{
	size_t start = s->pos;
	u64 nr = 0, len;

	while (s->pos < s->end && nr < max_records) {
		if (ptap_stream_block(s, s->pos))
			break;
		len = ptap_record_size(s->format, s->buf + s->pos,
				       s->end - s->pos);
		if (!len && nr)
			break;	/* first what is good */
		if (!len)
			return -EIO;
		s->pos += len;
		nr++;
	}
	*records = nr;
	*iov = (struct iovec){ s->buf + start, s->pos - start };
	return nr != 0;
}
