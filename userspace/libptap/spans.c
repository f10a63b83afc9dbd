// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * spans.c - the capture file, piece by piece: headers where they belong,
 * records in the order of time.
 *
 * In mmap mode the headers come from PTAP_IOC_PREAMBLE: the whole preamble
 * before everything else, and the blocks of interfaces that are new before the
 * records that were seen together with them.  In read mode they are in the
 * stream.  All that went out is kept for ptap_preamble_get().
 *
 * What the kernel's part of the filter accepts may go through the sieve, which
 * then holds what is given out; the rings' memory is given back with it.
 *
 * Looking at the rings takes a clock, so all that was seen is given out before
 * the next look.  A batch that took the last of it is followed by an empty
 * answer, without looking: the reader waits for a watermark then, instead of
 * running after a producer with ever smaller batches.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include "internal.h"

#define PTAP_SIFT_TRIES	64

static int ptap_headers_add(struct ptap *p, struct ptap_headers *h,
			    const void *data, size_t len)
{
	u8 *more = realloc(h->data, h->len + len);

	if (!more)
		return ptap_fail(p, -ENOMEM, "no memory for the file's header");
	memcpy(more + h->len, data, len);
	h->data = more;
	h->len += len;
	return 0;
}

/* Whole blocks; what is kept of them may be longer. */
static int ptap_headers_append(struct ptap *p, const u8 *data, size_t len)
{
	u8 *more;
	long n;
	int err;

	if (!p->describe)
		return ptap_headers_add(p, &p->headers, data, len);
	n = ptap_describe(p, data, len, &more);
	if (n < 0)
		return ptap_fail(p, n, "no memory for the file's header");
	err = ptap_headers_add(p, &p->headers, more, n);
	free(more);
	return err;
}

static int ptap_headers_fetch(struct ptap *p, u8 **buf,
			      struct ptap_preamble *pre)
{
	u32 len = 4096;
	int err;

	for (;;) {
		*buf = malloc(len);
		if (!*buf)
			return ptap_fail(p, -ENOMEM,
					 "no memory for the file's header");
		*pre = (struct ptap_preamble){
			.size = sizeof(*pre),
			.flags = p->headers.len ? 0 : PTAP_PREAMBLE_HEADER,
			.first_iface = p->headers.nr_ifaces,
			.len = len,
			.buf = (uintptr_t)*buf,
		};
		if (!ioctl(p->fd, PTAP_IOC_PREAMBLE, pre))
			return 0;
		err = -errno;
		free(*buf);
		*buf = NULL;
		if (err != -ENOSPC)
			return ptap_fail(p, err,
					 "cannot ask for the file's header: %s",
					 ptap_strerror(err));
		/* Interfaces may appear meanwhile. */
		len = pre->len + 4096;
	}
}

/* Number of header spans put to @iov: 0 or 1. */
static int ptap_headers_next(struct ptap *p, struct iovec *iov)
{
	struct ptap_preamble pre = { 0 };
	size_t old = p->headers.len;
	u8 *buf;
	int err;

	if (old && p->rings.nr_ifaces <= p->headers.nr_ifaces)
		return 0;
	err = ptap_headers_fetch(p, &buf, &pre);
	if (err)
		return err;
	if (buf && pre.len)
		err = ptap_headers_append(p, buf, pre.len);
	free(buf);
	if (err)
		return err;
	p->headers.nr_ifaces = pre.nr_ifaces;
	*iov = (struct iovec){ p->headers.data + old, p->headers.len - old };
	return p->headers.len != old;
}

static u64 ptap_batch_size(const struct ptap *p)
{
	u64 size = p->info.ring_size / 2;

	if (size < PTAP_BATCH_BYTES_MIN)
		return PTAP_BATCH_BYTES_MIN;
	return size < PTAP_BATCH_BYTES_MAX ? size : PTAP_BATCH_BYTES_MAX;
}

static int ptap_spans_rings(struct ptap *p, u64 max_records,
			    struct ptap_spans *spans)
{
	struct ptap_batch b = {
		.max_bytes = ptap_batch_size(p),
		.max_records = max_records,
	};
	int nr;

	if (p->complete && !p->rings.ended) {
		p->complete = false;
		return 0;
	}
	if (!p->more)
		ptap_rings_look(&p->rings);
	nr = ptap_headers_next(p, p->iov);
	if (nr < 0)
		return nr;
	b.iov = p->iov + nr;
	b.nr_iov = PTAP_NR_IOV - nr;
	ptap_rings_peek(&p->rings, &b);
	spans->nr = nr + b.nr;
	spans->nr_headers = nr;
	spans->header_bytes = nr ? p->iov[0].iov_len : 0;
	spans->bytes = spans->header_bytes + b.bytes;
	spans->records = b.records;
	p->complete = b.nr && !b.cut;
	p->more = b.nr && b.cut;
	return !spans->nr && p->rings.ended ? -ENODATA : (int)spans->nr;
}

/*
 * The headers that came with the stream, at @iov, which becomes what is given
 * out.  Those that are made longer wait for their end.  Returns 0 or 1 spans.
 */
static int ptap_headers_stream(struct ptap *p, struct iovec *iov)
{
	size_t old = p->headers.len;
	int err;

	if (!p->describe) {
		err = ptap_headers_append(p, iov->iov_base, iov->iov_len);
		return err ? err : 1;
	}
	err = ptap_headers_add(p, &p->torn, iov->iov_base, iov->iov_len);
	if (err || p->stream.header_left || p->stream.torn)
		return err;
	err = ptap_headers_append(p, p->torn.data, p->torn.len);
	p->torn.len = 0;
	*iov = (struct iovec){ p->headers.data + old, p->headers.len - old };
	return err ? err : 1;
}

static int ptap_spans_stream(struct ptap *p, u64 max_records,
			     struct ptap_spans *spans)
{
	int err, nr, more;

	err = ptap_stream_fill(&p->stream);
	if (err <= 0)
		return err;
	nr = ptap_stream_headers(&p->stream, p->iov);
	if (nr < 0)
		return nr;
	if (nr)
		nr = ptap_headers_stream(p, p->iov);
	if (nr < 0)
		return nr;
	more = ptap_stream_records(&p->stream, max_records, p->iov + nr,
				   &spans->records);
	if (more < 0)
		return more;
	spans->nr = nr + more;
	spans->nr_headers = nr;
	spans->header_bytes = nr ? p->iov[0].iov_len : 0;
	spans->bytes = spans->header_bytes + (more ? p->iov[nr].iov_len : 0);
	return spans->nr;
}

static int ptap_spans_take(struct ptap *p, u64 max_records,
			   struct ptap_spans *spans)
{
	int ret;

	*spans = (struct ptap_spans){ .iov = p->iov };
	if (p->mode == PTAP_MODE_READ)
		ret = ptap_spans_stream(p, max_records, spans);
	else
		ret = ptap_spans_rings(p, max_records, spans);
	if (ret > 0) {
		p->held = true;
		p->fruitless = 0;
	}
	return ret;
}

/* Whose memory is it?  Of a stream that cannot be told. */
u32 ptap_ring_of(void *ctx, const void *memory)
{
	const struct ptap *p = ctx;
	u64 off;
	u32 i;

	for (i = 0; p->mode == PTAP_MODE_MMAP && i < p->rings.nr; i++) {
		off = (uintptr_t)memory - (uintptr_t)p->maps[i].data;
		if (off < 2ULL * p->info.ring_size)
			return i;
	}
	return PTAP_RING_ALL;
}

/*
 * The same, through the sieve.  0 may mean that there is more: ptap_wait() does
 * not sleep then, and the caller can see to other things.
 */
static int ptap_spans_sift(struct ptap *p, u64 max_records,
			   struct ptap_spans *spans)
{
	int tries = PTAP_SIFT_TRIES, ret, err;

	do {
		ret = ptap_spans_take(p, max_records, spans);
		if (ret <= 0)
			return ret;
		err = ptap_sieve_spans(p->sieve, spans);
		if (err || !spans->nr)
			ptap_spans_release(p);
		if (err)
			return err;
	} while (!spans->nr && --tries);
	return (int)spans->nr;
}

int ptap_spans_next(struct ptap *p, uint64_t max_records,
		    struct ptap_spans *spans)
{
	int ret = ptap_check_open(p);

	*spans = (struct ptap_spans){ .iov = p->iov };
	if (ret)
		return ret;
	if (!p->started)
		return ptap_fail(p, -EBADF, "the capture has not been started");
	if (p->held)
		return ptap_fail(p, -EBUSY, "the last spans are still held");
	if (!max_records)
		max_records = U64_MAX;
	if (p->sieve)
		ret = ptap_spans_sift(p, max_records, spans);
	else
		ret = ptap_spans_take(p, max_records, spans);
	if (ret < 0 && ret != -ENODATA && ret != -EINTR)
		ptap_error_set(p, "cannot take packets from %s: %s",
			       PTAP_DEVICE, ptap_strerror(ret));
	return ret;
}

void ptap_spans_release(struct ptap *p)
{
	if (!p->held)
		return;
	p->held = false;
	if (p->mode == PTAP_MODE_MMAP)
		ptap_rings_release(&p->rings);
}

long ptap_preamble_get(struct ptap *p, void *buf, size_t len)
{
	int err = ptap_check_open(p);

	if (err)
		return err;
	if (buf && len < p->headers.len)
		return ptap_fail(p, -ENOSPC, "the file's header has %zu bytes",
				 p->headers.len);
	if (buf && p->headers.len)
		memcpy(buf, p->headers.data, p->headers.len);
	return p->headers.len;
}
