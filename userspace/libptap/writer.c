// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * writer.c - spans to a file or a pipe, and exact knowledge of what is in it.
 *
 * writev() straight from ring memory, but for short spans: packets of several
 * rings that alternate are a span each, and the kernel takes longer for one
 * than copying it takes, so they are put together first.  Nothing stays here:
 * what ptap_writer_put() took is with the kernel when it returns.  On an error
 * the records that were written whole are found by walking the spans, and a
 * regular file is cut back to their end.
 *
 * Knows nothing of devices: tests hand it spans over any memory.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "internal.h"

#define PTAP_SHORT_BYTES	512U		/* a span to be copied */
#define PTAP_PACK_BYTES		(256U << 10)	/* stays in the cache */

/**
 * struct ptap_writer - a file being written
 * @fd: the caller's
 * @format: enum ptap_format
 * @regular: it can be cut
 * @failed: an error, after which nothing more is written
 * @records: whole records in it
 * @bytes: bytes of headers and whole records in it
 * @iov: what is still to be written
 * @pack: PTAP_PACK_BYTES for short spans
 */
struct ptap_writer {
	int fd;
	u32 format;
	bool regular;
	int failed;
	u64 records;
	u64 bytes;
	struct iovec iov[PTAP_NR_IOV];
	u8 *pack;
};

struct ptap_writer *ptap_writer_create(int fd, uint32_t format)
{
	struct ptap_writer *w = calloc(1, sizeof(*w));
	struct stat st;

	if (!w)
		return NULL;
	w->pack = malloc(PTAP_PACK_BYTES);
	if (!w->pack) {
		free(w);
		return NULL;
	}
	w->fd = fd;
	w->format = format;
	w->regular = !fstat(fd, &st) && S_ISREG(st.st_mode);
	return w;
}

void ptap_writer_destroy(struct ptap_writer *w)
{
	if (w)
		free(w->pack);
	free(w);
}

void ptap_writer_resume(struct ptap_writer *w)
{
	if (w->regular)
		w->failed = 0;
}

uint64_t ptap_writer_records(const struct ptap_writer *w)
{
	return w->records;
}

uint64_t ptap_writer_bytes(const struct ptap_writer *w)
{
	return w->bytes;
}

/* A descriptor that somebody made non-blocking is waited for. */
static int ptap_writer_retry(const struct ptap_writer *w)
{
	struct pollfd pfd = { .fd = w->fd, .events = POLLOUT };

	if (errno == EINTR)
		return 0;
	if (errno != EAGAIN)
		return -errno;
	return poll(&pfd, 1, -1) < 0 && errno != EINTR ? -errno : 0;
}

/*
 * Makes w->iov of the first of @nr spans, as many as there is room for; those
 * that are short and follow each other become one.  Returns their number, and
 * in *@nr_iov that of the entries.
 */
static unsigned int ptap_writer_pack(struct ptap_writer *w,
				     const struct iovec *span, unsigned int nr,
				     unsigned int *nr_iov)
{
	struct iovec *out = w->iov;
	u8 *at = w->pack, *end = at + PTAP_PACK_BYTES;
	bool packed = false;
	unsigned int i;

	for (i = 0; i < nr; i++, span++) {
		if (span->iov_len >= PTAP_SHORT_BYTES) {
			packed = false;
			if (out == w->iov + PTAP_NR_IOV)
				break;
			*out++ = *span;
			continue;
		}
		if ((size_t)(end - at) < span->iov_len)
			break;
		if (!packed) {
			if (out == w->iov + PTAP_NR_IOV)
				break;
			*out++ = (struct iovec){ .iov_base = at };
			packed = true;
		}
		memcpy(at, span->iov_base, span->iov_len);
		at += span->iov_len;
		out[-1].iov_len += span->iov_len;
	}
	*nr_iov = out - w->iov;
	return i;
}

/* All of @nr entries of w->iov; *@done counts what was written. */
static int ptap_writer_all(struct ptap_writer *w, unsigned int nr, u64 *done)
{
	struct iovec *iov = w->iov;
	ssize_t n;
	int err;

	while (nr) {
		n = writev(w->fd, iov, nr);
		if (n < 0) {
			err = ptap_writer_retry(w);
			if (err)
				return err;
			continue;
		}
		*done += n;
		while (nr && (size_t)n >= iov->iov_len) {
			n -= iov->iov_len;
			iov++;
			nr--;
		}
		if (nr) {
			iov->iov_base = (char *)iov->iov_base + n;
			iov->iov_len -= n;
		}
	}
	return 0;
}

/* How much of the first @done bytes is whole; counts it. */
static u64 ptap_writer_whole(struct ptap_writer *w,
			     const struct ptap_spans *spans, u64 done)
{
	u64 size, off, whole = spans->header_bytes;
	const u8 *at;
	unsigned int i;

	if (done < whole)
		return 0;
	for (i = spans->nr_headers; i < spans->nr; i++) {
		at = spans->iov[i].iov_base;
		for (off = 0; off < spans->iov[i].iov_len; off += size) {
			size = ptap_record_size(w->format, at + off,
						spans->iov[i].iov_len - off);
			if (!size || whole + size > done)
				return whole;
			whole += size;
			w->records++;
		}
	}
	return whole;
}

static void ptap_writer_cut(struct ptap_writer *w,
			    const struct ptap_spans *spans, u64 done)
{
	u64 whole = ptap_writer_whole(w, spans, done);
	off_t end;

	w->bytes += whole;
	if (!w->regular || whole == done)
		return;
	/* Where O_APPEND wrote to is known only now. */
	end = lseek(w->fd, 0, SEEK_CUR);
	if (end < (off_t)(done - whole))
		return;
	end -= done - whole;
	if (!ftruncate(w->fd, end))
		lseek(w->fd, end, SEEK_SET);
}

int ptap_writer_put(struct ptap_writer *w, const struct ptap_spans *spans)
{
	unsigned int first = 0, nr;
	u64 done = 0;
	int err = w->failed;

	if (err)
		return err;
	while (first < spans->nr && !err) {
		first += ptap_writer_pack(w, spans->iov + first,
					  spans->nr - first, &nr);
		err = ptap_writer_all(w, nr, &done);
	}
	if (err) {
		ptap_writer_cut(w, spans, done);
		w->failed = err;
		return err;
	}
	w->bytes += spans->bytes;
	w->records += spans->records;
	return 0;
}
