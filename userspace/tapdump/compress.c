// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * compress.c - a compressed capture file, in frames of whole records.
 *
 * Records are gathered until there is a frame's worth of them, or they have
 * waited long enough, or the file ends.  Each frame can be read on its own, so
 * whatever happens to the capture, what the file holds up to the end of a frame
 * is a valid file; an error cuts it there.
 */
#include <errno.h>
#include <poll.h>
#include <ptap.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "merge.h"
#include "compress.h"

#define FRAME_BYTES	(1024 * 1024)	/* larger than any record */

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* NULL without memory. */
struct packer *packer_create(int fd, uint32_t format, enum codec codec,
			     int level)
{
	struct packer *p = calloc(1, sizeof(*p));
	struct stat st;

	if (!p)
		return NULL;
	p->fd = fd;
	p->regular = !fstat(fd, &st) && S_ISREG(st.st_mode);
	p->format = format;
	p->codec = codec;
	p->level = level;
	p->out_room = codec_bound(codec, FRAME_BYTES);
	p->in = malloc(FRAME_BYTES);
	p->out = malloc(p->out_room);
	if (p->in && p->out)
		return p;
	packer_destroy(p);
	return NULL;
}

void packer_destroy(struct packer *p)
{
	if (!p)
		return;
	free(p->in);
	free(p->out);
	free(p);
}

/* A descriptor that somebody made non-blocking is waited for. */
static int retry(const struct packer *p)
{
	struct pollfd pfd = { .fd = p->fd, .events = POLLOUT };

	if (errno == EINTR)
		return 0;
	if (errno != EAGAIN)
		return -errno;
	return poll(&pfd, 1, -1) < 0 && errno != EINTR ? -errno : 0;
}

/* Without the last bytes; what was there before us stays. */
static void cut(const struct packer *p, size_t done)
{
	off_t end = lseek(p->fd, 0, SEEK_CUR);

	if (!done || end < (off_t)done)
		return;
	end -= done;
	if (!ftruncate(p->fd, end))
		lseek(p->fd, end, SEEK_SET);
}

/* All of it, or the file is as it was. */
static int write_frame(struct packer *p, size_t len)
{
	size_t done = 0;
	ssize_t n;
	int err;

	while (done < len) {
		n = write(p->fd, p->out + done, len - done);
		if (n >= 0) {
			done += n;
			continue;
		}
		err = retry(p);
		if (!err)
			continue;
		if (p->regular)
			cut(p, done);
		return err;
	}
	p->bytes += len;
	return 0;
}

/**
 * packer_flush - what was gathered becomes a frame
 * @p: packer
 * @again: after an error, should it be tried again?
 * @arg: for @again
 *
 * Return: 0 or a negative errno; then what was gathered is lost, and the file
 * ends with a whole frame.
 */
int packer_flush(struct packer *p, bool (*again)(void *arg, int err),
		 void *arg)
{
	size_t len;
	int err;

	if (!p->in_len)
		return 0;
	len = codec_frame(p->codec, p->level, p->out, p->out_room, p->in,
			  p->in_len);
	do {
		err = len ? write_frame(p, len) : -ENOMEM;
	} while (err && again(arg, err));
	if (!err) {
		p->raw += p->in_len;
		p->records += p->in_records;
	}
	p->in_len = 0;
	p->in_records = 0;
	return err;
}

/* At most so many bytes at @at that are whole records; *@nr counts them. */
static size_t whole_records(const struct packer *p, const uint8_t *at,
			    size_t len, size_t room, uint64_t *nr)
{
	size_t done = 0;
	uint64_t size;

	while (done < len) {
		size = ptap_record_size(p->format, at + done, len - done);
		if (!size || done + size > room)
			break;
		done += size;
		++*nr;
	}
	return done;
}

/* Headers end with a block, and so does a frame. */
static size_t whole_headers(const struct packer *p, size_t len, size_t room)
{
	if (len <= room)
		return len;
	return p->in_len ? 0 : room;
}

/**
 * packer_put - write spans
 * @p: packer
 * @spans: what; copied
 * @again: as packer_flush()
 * @arg: for @again
 *
 * Return: 0 or a negative errno, as packer_flush().
 */
int packer_put(struct packer *p, const struct ptap_spans *spans,
	       bool (*again)(void *arg, int err), void *arg)
{
	size_t off, len, n, room;
	const uint8_t *at;
	unsigned int i;
	int err = 0;

	for (i = 0; i < spans->nr; i++) {
		at = spans->iov[i].iov_base;
		len = spans->iov[i].iov_len;
		for (off = 0; off < len && !err; off += n) {
			if (!p->in_len)
				p->since_ms = now_ms();
			room = FRAME_BYTES - p->in_len;
			if (i < spans->nr_headers)
				n = whole_headers(p, len - off, room);
			else
				n = whole_records(p, at + off, len - off, room,
						  &p->in_records);
			memcpy(p->in + p->in_len, at + off, n);
			p->in_len += n;
			if (!n && !p->in_len)
				return -EIO;	/* no record at all */
			if (!n || p->in_len == FRAME_BYTES)
				err = packer_flush(p, again, arg);
		}
		if (err)
			return err;
	}
	return 0;
}
