// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * file.c - one capture file of -w: made, written to, complete.
 *
 * Whatever happens the file is valid up to its last whole record: the writer
 * cuts it when it cannot go on, the guardian (guard.c) when the writer is gone.
 * With .part names a file has its own only when it is complete and on the disk.
 *
 * What a full disk means is the user's choice: --on-full ends the capture,
 * waits for room, or makes it by removing the oldest file.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "guard.h"
#include "tapdump.h"

#define WAIT_MS		200
#define FLUSH_MS	1000	/* of records that wait for a frame */
#define LOCK_TRIES	3

static bool wait_for_room(struct files *f)
{
	struct timespec ts = { .tv_nsec = WAIT_MS * 1000000L };

	if (!f->waiting)
		complain("cannot write to %s: no space left; waiting for room, and the kernel drops what its rings cannot hold",
			 f->name);
	f->waiting = true;
	meters_tick(f->watched);
	nanosleep(&ts, NULL);
	if (signals_take(WISH_INFO))
		report_brief(f->watched);
	return !signals_wish_stop();
}

/* Is it worth another try? */
static bool make_room(struct files *f, int err)
{
	if (err != -ENOSPC && err != -EDQUOT)
		return false;
	switch (f->opt->on_full) {
	case FULL_RING:
		/* What the guardian still holds takes room although removed. */
		guard_settle(&f->guard);
		return set_remove_oldest(f);
	case FULL_WAIT:
		return wait_for_room(f);
	case FULL_STOP:
		break;
	}
	return false;
}

static void create_writer(struct files *f)
{
	if (f->opt->codec != CODEC_NONE)
		f->packer = packer_create(f->fd, f->opt->format, f->opt->codec,
					  f->opt->level);
	else
		f->writer = ptap_writer_create(f->fd, f->opt->format);
	if (!f->writer && !f->packer)
		die("no memory");
}

/* Bytes so far; of a compressed file, of what is in it. */
uint64_t file_bytes(const struct files *f)
{
	if (f->packer)
		return f->packer->raw + f->packer->in_len;
	return f->writer ? ptap_writer_bytes(f->writer) : 0;
}

/* Records so far. */
uint64_t file_records(const struct files *f)
{
	if (f->packer)
		return f->packer->records + f->packer->in_records;
	return f->writer ? ptap_writer_records(f->writer) : 0;
}

/*
 * Files are read as well, to be mended; a pipe is not.  What is in a file stays
 * until it is sure that nobody else is writing to it.
 */
static int open_name(struct files *f)
{
	const char *name = f->name + f->dir_len;
	int flags = O_CREAT | O_CLOEXEC;
	struct stat st;

	if (fstatat(f->dir, name, &st, 0) || S_ISREG(st.st_mode))
		flags |= O_RDWR;
	else
		flags |= O_WRONLY;
	f->fd = openat(f->dir, name, flags, 0666);
	return f->fd < 0 ? -errno : 0;
}

static void close_again(struct files *f)
{
	close(f->fd);
	f->fd = -1;
}

/* Is what was opened still what the name says? */
static bool is_named(const struct files *f)
{
	struct stat here, there;

	return !fstat(f->fd, &here) &&
	       !fstatat(f->dir, f->name + f->dir_len, &there, 0) &&
	       here.st_dev == there.st_dev && here.st_ino == there.st_ino;
}

/*
 * Who writes to a file holds its lock; the guardian does so for the file
 * before, which may have the same name, and may be about to get another.
 * -EAGAIN: another capture does.
 */
static int open_locked(struct files *f)
{
	struct stat st;
	int err, i;

	for (i = 0; i < LOCK_TRIES; i++) {
		err = open_name(f);
		if (err)
			return err;
		f->regular = !fstat(f->fd, &st) && S_ISREG(st.st_mode);
		if (!f->regular)
			return 0;
		/* Some file systems have no locks. */
		if (flock(f->fd, LOCK_EX | LOCK_NB) && errno == EWOULDBLOCK) {
			guard_settle(&f->guard);
		} else if (is_named(f)) {
			if (!ftruncate(f->fd, 0))
				return 0;
			err = -errno;
			close_again(f);
			return err;
		}
		close_again(f);
	}
	return -EAGAIN;
}

/* Open f->name, empty.  Returns 0 or a negative errno. */
int file_open(struct files *f)
{
	int err;

	f->regular = false;
	guard_name(&f->guard, f->name, f->opt->codec != CODEC_NONE);
	do {
		err = open_locked(f);
	} while (err && make_room(f, err));
	if (err)
		return err;
	if (f->regular)
		guard_file(&f->guard, f->fd);
	create_writer(f);
	return 0;
}

const char *file_error(int err)
{
	return err == -EAGAIN ? "another capture is writing to it" :
				ptap_strerror(err);
}

int file_open_stdout(struct files *f)
{
	f->fd = STDOUT_FILENO;
	f->name = strdup("standard output");
	if (!f->name)
		die("no memory");
	create_writer(f);
	return 0;
}

static void note_whole(struct files *f)
{
	struct whole whole;

	if (f->packer)
		whole = (struct whole){ f->packer->bytes, f->packer->records };
	else
		whole = (struct whole){ ptap_writer_bytes(f->writer),
					ptap_writer_records(f->writer) };
	guard_whole(&f->guard, &whole);
}

static bool try_again(void *arg, int err)
{
	struct files *f = arg;

	return f->regular && make_room(f, err);
}

/* What waits for more becomes a frame. */
int file_flush(struct files *f)
{
	int err;

	if (!f->packer || f->error)
		return f->error;
	err = packer_flush(f->packer, try_again, f);
	note_whole(f);
	f->error = err;
	return err;
}

/* Milliseconds until it has waited long enough, or -1 if nothing waits. */
int file_flush_ms(const struct files *f)
{
	struct timespec ts;
	int64_t left;

	if (!f->packer || !f->packer->in_len)
		return -1;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	left = f->packer->since_ms + FLUSH_MS - (int64_t)ts.tv_sec * 1000 -
	       ts.tv_nsec / 1000000;
	return left < 0 ? 0 : (int)left;
}

/* The guardian, who gives complete files their names, is gone. */
void file_name(struct files *f)
{
	char part[PATH_MAX];

	if (!f->part || !f->name)
		return;
	snprintf(part, sizeof(part), "%s%s", f->name, PART_SUFFIX);
	if (renameat(f->dir, part + f->dir_len, f->dir,
		     f->name + f->dir_len) && errno != ENOENT)
		complain("cannot rename %s: %s", part, strerror(errno));
}

/**
 * file_close - the file is complete
 * @f: files
 * @flags: GUARD_*
 *
 * Some file systems say only now that they could not write.  A file that not
 * even got its headers is no capture, and is removed.
 */
void file_close(struct files *f, unsigned int flags)
{
	int before = f->error, err = file_flush(f);
	uint64_t bytes = 0;

	if (err && err != -EPIPE && !before) {
		complain("cannot write to %s: %s; it is valid and holds %llu packets",
			 f->name, ptap_strerror(err),
			 (unsigned long long)file_records(f));
		f->failed = true;
	}
	f->records += file_records(f);
	if (f->writer || f->packer)
		bytes = f->packer ? f->packer->bytes : file_bytes(f);
	ptap_writer_destroy(f->writer);
	packer_destroy(f->packer);
	f->writer = NULL;
	f->packer = NULL;
	if (f->fd < 0)
		return;
	if (close(f->fd) && errno != EINTR) {
		complain("cannot write to %s: %s", f->name, strerror(errno));
		f->failed = true;
	}
	f->fd = -1;
	if (f->regular && err && !bytes) {
		guard_done(&f->guard, GUARD_REMOVE);
		return;
	}
	guard_done(&f->guard, flags | (f->part ? GUARD_RENAME : 0));
	if (f->part)
		f->name[strlen(f->name) - strlen(PART_SUFFIX)] = '\0';
	if (f->guard.fd < 0)
		file_name(f);
	if (f->regular && (f->opt->is_ring || f->opt->on_full == FULL_RING))
		set_add(&f->set, f->name, bytes);
}

/* Leave out the first @bytes, which end behind a record, with @records. */
static void skip(struct ptap_spans *spans, struct iovec *iov, uint64_t bytes,
		 uint64_t records)
{
	unsigned int i = 0;

	if (bytes >= spans->header_bytes && bytes) {
		spans->nr_headers = 0;
		spans->header_bytes = 0;
	}
	spans->bytes -= bytes;
	spans->records -= records;
	for (; i < spans->nr && bytes >= iov[i].iov_len; i++)
		bytes -= iov[i].iov_len;
	iov += i;
	spans->nr -= i;
	if (spans->nr && bytes) {
		iov->iov_base = (char *)iov->iov_base + bytes;
		iov->iov_len -= bytes;
	}
	spans->iov = iov;
}

/* There was no room for all of it: the rest, as soon as there is. */
static int put_rest(struct files *f, const struct ptap_spans *spans,
		    uint64_t bytes, uint64_t records, int err)
{
	struct iovec *iov = calloc(spans->nr, sizeof(*iov));
	struct ptap_spans rest = *spans;

	if (!iov)
		return err;
	memcpy(iov, spans->iov, spans->nr * sizeof(*iov));
	rest.iov = iov;
	while (err && make_room(f, err)) {
		skip(&rest, (struct iovec *)rest.iov,
		     ptap_writer_bytes(f->writer) - bytes,
		     ptap_writer_records(f->writer) - records);
		bytes = ptap_writer_bytes(f->writer);
		records = ptap_writer_records(f->writer);
		ptap_writer_resume(f->writer);
		err = ptap_writer_put(f->writer, &rest);
		note_whole(f);
	}
	free(iov);
	return err;
}

/**
 * file_put - write to the file that is open
 * @f: files
 * @spans: what
 *
 * Return: 0 or a negative errno; then the file ends with a whole record.
 */
int file_put(struct files *f, const struct ptap_spans *spans)
{
	uint64_t records = file_records(f);
	uint64_t bytes = file_bytes(f);
	int err;

	if (f->error)
		return f->error;
	if (f->packer)
		err = packer_put(f->packer, spans, try_again, f);
	else
		err = ptap_writer_put(f->writer, spans);
	note_whole(f);
	if (err && f->regular && !f->packer)
		err = put_rest(f, spans, bytes, records, err);
	if (!err && f->waiting)
		complain("there is room again; writing to %s", f->name);
	f->waiting = false;
	f->error = err;
	return err;
}
