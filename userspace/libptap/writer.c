// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * writer.c - spans to a file or a pipe, and exact knowledge of what is in it.
 *
 * writev() straight from ring memory, but for short spans: packets of several
 * rings that alternate are a span each, and the kernel takes longer for one
 * than copying it takes, so they are put together first.  So are spans that lie
 * badly: a processor that copies forwards to an address just ahead of the
 * source, but for whole pages, takes every load for one of what it has just
 * stored, and takes three times as long.  A header of 24 bytes before records
 * that begin with a page is such a case.  Nothing stays here:
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
#define PTAP_ALIAS_BYTES	4096U		/* a load and a store */
#define PTAP_LINE_BYTES		64U

/**
 * struct ptap_writer - a file being written
 * @fd: the caller's
 * @format: enum ptap_format
 * @regular: it can be cut
 * @offset: where the next byte goes to, in a regular file
 * @failed: an error, after which nothing more is written
 * @records: whole records in it
 * @bytes: bytes of headers and whole records in it
 * @iov: what is still to be written
 * @pack: PTAP_PACK_BYTES, from any place in a line on, for what is copied
 */
struct ptap_writer {
	int fd;
	u32 format;
	bool regular;
	u64 offset;
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
	w->pack = malloc(PTAP_PACK_BYTES + PTAP_LINE_BYTES);
	if (!w->pack) {
		free(w);
		return NULL;
	}
	w->fd = fd;
	w->format = format;
	w->regular = !fstat(fd, &st) && S_ISREG(st.st_mode);
	if (w->regular)
		w->offset = lseek(fd, 0, SEEK_CUR);
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

/* Is the place in the file less than a line ahead of @from, but for pages? */
static bool ptap_writer_aliases(const struct ptap_writer *w, u64 offset,
				const u8 *from)
{
	u64 ahead = (offset - (uintptr_t)from) % PTAP_ALIAS_BYTES;

	return w->regular && ahead && ahead < PTAP_LINE_BYTES;
}

/**
 * struct ptap_place - a place in spans
 * @span: index of a span
 * @off: bytes of it that lie before
 */
struct ptap_place {
	unsigned int span;
	size_t off;
};

/**
 * struct ptap_pack - entries of the writer's iov in the making
 * @nr: their number
 * @offset: where the next byte goes to, in a regular file
 * @at: where it is copied to, if it is
 * @copies: the last entry is a copy, to which more can be added
 */
struct ptap_pack {
	unsigned int nr;
	u64 offset;
	u8 *at;
	bool copies;
};

/* A copy of @len bytes, or of as many as there is room for; tells how many. */
static size_t ptap_writer_copy(struct ptap_writer *w, struct ptap_pack *p,
			       const u8 *from, size_t len)
{
	const u8 *end = w->pack + PTAP_PACK_BYTES;

	if (!p->copies) {
		/* At the same place of a line as in the file. */
		p->at += (p->offset - (uintptr_t)p->at) % PTAP_LINE_BYTES;
		w->iov[p->nr++] = (struct iovec){ .iov_base = p->at };
		p->copies = true;
	}
	if (p->at >= end)
		return 0;
	if (len > (size_t)(end - p->at))
		len = end - p->at;
	memcpy(p->at, from, len);
	p->at += len;
	w->iov[p->nr - 1].iov_len += len;
	return len;
}

/*
 * Makes w->iov of what comes behind @place, as much as there is room for, and
 * advances it; what is short or lies badly is copied, and becomes one entry if
 * it follows each other.  Returns the number of entries.
 */
static unsigned int ptap_writer_pack(struct ptap_writer *w,
				     const struct ptap_spans *spans,
				     struct ptap_place *place)
{
	struct ptap_pack p = { .offset = w->offset, .at = w->pack };
	const struct iovec *span;
	size_t len, taken;
	bool copy;
	u8 *from;

	while (place->span < spans->nr) {
		span = &spans->iov[place->span];
		from = (u8 *)span->iov_base + place->off;
		len = span->iov_len - place->off;
		copy = len < PTAP_SHORT_BYTES ||
		       ptap_writer_aliases(w, p.offset, from);
		if (p.nr == PTAP_NR_IOV && !(copy && p.copies))
			break;
		if (copy) {
			taken = ptap_writer_copy(w, &p, from, len);
		} else {
			w->iov[p.nr++] = (struct iovec){ from, len };
			p.copies = false;
			taken = len;
		}
		p.offset += taken;
		place->off += taken;
		if (taken < len)
			break;
		*place = (struct ptap_place){ place->span + 1, 0 };
	}
	return p.nr;
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
		w->offset += n;
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
	w->offset = end;
	if (!ftruncate(w->fd, end))
		lseek(w->fd, end, SEEK_SET);
}

int ptap_writer_put(struct ptap_writer *w, const struct ptap_spans *spans)
{
	struct ptap_place place = { 0 };
	unsigned int nr;
	u64 done = 0;
	int err = w->failed;

	if (err)
		return err;
	while (place.span < spans->nr && !err) {
		nr = ptap_writer_pack(w, spans, &place);
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
