// SPDX-License-Identifier: GPL-2.0
/*
 * read(), which merges the rings by time into a stream of file bytes, and
 * poll(), which serves both ways of consuming a session.
 *
 * Process context.  read_lock protects the reader's state and, in a session
 * that is consumed by read(), the consumers' positions, which no user can write
 * then.  It is held over copies to the user, but not over sleeps; the hook,
 * mmap() and ioctls do not take it.
 */
#include <linux/delay.h>
#include <linux/fs.h>
#include <linux/netdevice.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <linux/uio.h>
#include "limits.h"
#include "merge.h"
#include "preamble.h"
#include "read.h"
#include "ring.h"
#include "session.h"
#include "wake.h"

/**
 * struct ptap_reader - state of read(), under read_lock
 * @headers: preamble bytes to be given out before the next record
 * @headers_off: bytes of it that are out
 * @nr_ifaces: interfaces that have been described
 * @started: the file header has been made
 * @ended: the hooks are gone and a grace period has passed
 * @cursors: one for each ring
 */
struct ptap_reader {
	struct ptap_preamble_buf headers;
	u32 headers_off;
	u32 nr_ifaces;
	bool started;
	bool ended;
	struct ptap_cursor cursors[];
};

void ptap_reader_free(struct ptap_reader *rd)
{
	if (!rd)
		return;
	kvfree(rd->headers.data);
	kvfree(rd);
}

static int ptap_reader_prepare(struct ptap_session *s)
{
	struct ptap_reader *rd;
	u32 i;

	if (s->reader)
		return 0;
	rd = kvzalloc(struct_size(rd, cursors, s->nr_rings),
		      GFP_KERNEL_ACCOUNT);
	if (!rd)
		return -ENOMEM;
	for (i = 0; i < s->nr_rings; i++) {
		rd->cursors[i].data = s->rings[i]->data;
		rd->cursors[i].mask = s->rings[i]->prod.size - 1;
		rd->cursors[i].pos = ptap_ring_first(s->cfg.format);
		rd->cursors[i].end = rd->cursors[i].pos;
	}
	s->reader = rd;
	return 0;
}

/*
 * Look at all rings: what is readable now, and how far the empty ones can be
 * trusted to stay behind.  Contract (3) of struct ptap_ring_control.
 */
static void ptap_reader_look(struct ptap_session *s)
{
	struct ptap_reader *rd = s->reader;
	struct ptap_cursor *c;
	struct ptap_ring *r;
	u64 now, newest, horizon;
	u32 i;

	if (!rd->ended && ptap_session_ended(s)) {
		/* A hook that the notifier removed may be running still. */
		synchronize_net();
		rd->ended = true;
	}
	now = ktime_get_real_ns();
	horizon = rd->ended ? U64_MAX : now - PTAP_HOLDBACK_NS;
	for (i = 0; i < s->nr_rings; i++) {
		c = &rd->cursors[i];
		r = s->rings[i];
		ptap_cursor_bind(c, ptap_cons_busy(r->ctl), horizon);
		ptap_ring_drain(r);
		c->end = ptap_cons_head(r->ctl);
		ptap_cursor_look(c, s->cfg.format);
	}
	/* Packets may have come since the clock was read: read it again. */
	newest = ptap_merge_newest(rd->cursors, s->nr_rings);
	if (ptap_merge_set_back(newest, now) &&
	    ptap_merge_set_back(newest, ktime_get_real_ns()))
		ptap_merge_unbind(rd->cursors, s->nr_rings, horizon);
}

/* Headers stand before the first record that needs them. */
static int ptap_reader_headers(struct ptap_session *s)
{
	struct ptap_reader *rd = s->reader;
	int err;

	if (rd->headers.data)
		return 0;
	if (rd->started && rd->nr_ifaces == smp_load_acquire(&s->nr_ifaces))
		return 0;
	err = ptap_preamble_make(s, !rd->started, rd->nr_ifaces, &rd->headers);
	if (err)
		return err;
	rd->started = true;
	rd->nr_ifaces = rd->headers.nr_ifaces;
	rd->headers_off = 0;
	return 0;
}

/* Headers may be split over reads; records never are. */
static int ptap_reader_put_headers(struct ptap_reader *rd, struct iov_iter *to)
{
	u32 left = rd->headers.len - rd->headers_off;
	size_t n;

	if (!rd->headers.data)
		return 0;
	n = copy_to_iter(rd->headers.data + rd->headers_off, left, to);
	rd->headers_off += n;
	if (n == left) {
		kvfree(rd->headers.data);
		rd->headers.data = NULL;
		return 0;
	}
	return iov_iter_count(to) ? -EFAULT : -ENOSPC;
}

/* One run of records of one ring.  -ENOSPC: it does not fit any more. */
static int ptap_reader_put_run(struct ptap_session *s, struct iov_iter *to,
			       const struct ptap_run *run)
{
	struct ptap_cursor *c = &s->reader->cursors[run->ring];
	struct ptap_ring *r = s->rings[run->ring];
	u64 len, nr, used, key = c->key;
	size_t done;

	len = ptap_cursor_gallop(c, s->cfg.format, run->limit,
				 iov_iter_count(to), U64_MAX, &nr);
	if (!len)
		return -ENOSPC;
	done = copy_to_iter(ptap_cursor_at(c, c->pos), len, to);
	if (done != len) {
		/* Nothing is lost and nothing torn: the run goes out again. */
		iov_iter_revert(to, done);
		c->key = key;
		return -EFAULT;
	}
	/* Since it gave room back last, the ring has only grown. */
	used = ptap_cons_end(r->ctl) - c->pos;
	if (used > r->high_water)
		WRITE_ONCE(r->high_water, used);
	c->pos += len;
	WRITE_ONCE(r->consumed, r->consumed + nr);
	WRITE_ONCE(r->consumed_bytes, r->consumed_bytes + len);
	ptap_cons_release(r->con, c->pos);
	return 0;
}

/*
 * Give out what may go out now.  Return: 0 when that is all, -ENOSPC when the
 * buffer cannot take the next record, or an error.
 */
static int ptap_reader_put(struct ptap_session *s, struct iov_iter *to)
{
	struct ptap_reader *rd = s->reader;
	struct ptap_run run;
	int err;

	ptap_reader_look(s);
	err = ptap_reader_headers(s);
	if (!err)
		err = ptap_reader_put_headers(rd, to);
	while (!err && ptap_merge_next(rd->cursors, s->nr_rings, &run))
		err = ptap_reader_put_run(s, to, &run);
	return err;
}

static bool ptap_reader_empty(const struct ptap_session *s)
{
	u32 i;

	for (i = 0; i < s->nr_rings; i++)
		if (!ptap_cursor_empty(&s->reader->cursors[i]))
			return false;
	return true;
}

/* Sleep until there is something, or briefly when it is only too @young. */
static int ptap_reader_wait(struct ptap_session *s, bool young)
{
	DEFINE_WAIT(wait);
	int err = 0;

	if (young) {
		usleep_range(PTAP_HOLDBACK_NS / 2 / NSEC_PER_USEC,
			     PTAP_HOLDBACK_NS / NSEC_PER_USEC);
		return signal_pending(current) ? -ERESTARTSYS : 0;
	}
	for (;;) {
		prepare_to_wait(&s->wait, &wait, TASK_INTERRUPTIBLE);
		if (ptap_session_ended(s) || ptap_wake_ready(s))
			break;
		if (signal_pending(current)) {
			err = -ERESTARTSYS;
			break;
		}
		ptap_wake_sleep(s);
		schedule();
	}
	finish_wait(&s->wait, &wait);
	return err;
}

/* Bytes; 0 at the end; -EAGAIN when there is nothing now, *@young or not. */
static ssize_t ptap_read_now(struct ptap_session *s, struct iov_iter *to,
			     bool *young)
{
	size_t want = iov_iter_count(to);
	int err;

	lockdep_assert_held(&s->read_lock);
	err = ptap_reader_prepare(s);
	if (err)
		return err;
	err = ptap_reader_put(s, to);
	if (want != iov_iter_count(to))
		return want - iov_iter_count(to);
	if (err)
		return err == -ENOSPC ? -EMSGSIZE : err;
	if (s->reader->ended)
		return 0;
	*young = !ptap_reader_empty(s);
	return -EAGAIN;
}

/* The lock is not held over a sleep, so that nobody waits for a sleeper. */
static ssize_t ptap_read_wait(struct ptap_session *s, struct iov_iter *to,
			      bool nonblock)
{
	bool young = false;
	ssize_t ret;

	for (;;) {
		if (nonblock && !mutex_trylock(&s->read_lock))
			return -EAGAIN;
		if (!nonblock && mutex_lock_interruptible(&s->read_lock))
			return -ERESTARTSYS;
		ret = ptap_read_now(s, to, &young);
		mutex_unlock(&s->read_lock);
		if (ret != -EAGAIN || nonblock)
			return ret;
		ret = ptap_reader_wait(s, young);
		if (ret)
			return ret;
	}
}

/**
 * ptap_read_iter - read() of /dev/tap
 * @iocb: the file and its flags
 * @to: where to
 *
 * Context: process.
 * Return: bytes; 0 at the end; -EAGAIN, -EMSGSIZE, -EBUSY (the rings are
 * mapped, or SETUP without START), -ERESTARTSYS, -EFAULT, -ENOMEM.
 */
ssize_t ptap_read_iter(struct kiocb *iocb, struct iov_iter *to)
{
	struct ptap_session *s = iocb->ki_filp->private_data;
	bool nonblock = iocb->ki_filp->f_flags & O_NONBLOCK ||
			iocb->ki_flags & IOCB_NOWAIT;
	ssize_t ret;

	if (!iov_iter_count(to))
		return 0;
	ret = ptap_session_setup_stream(s);
	if (ret)
		return ret;
	if (READ_ONCE(s->state) == PTAP_STATE_SETUP)
		return -EBUSY;
	ret = ptap_session_claim_read(s);
	if (ret)
		return ret;
	return ptap_read_wait(s, to, nonblock);
}

/**
 * ptap_poll - poll(), select() and epoll of /dev/tap
 * @file: the session's file
 * @wait: where to queue the caller, if it will sleep
 *
 * Fills deferred records in, so that the reader of a mapping finds them
 * published when it wakes, and leaves the time there.
 *
 * Context: process.
 * Return: EPOLLIN when there is something to read, EPOLLHUP when nothing more
 * will come.
 */
__poll_t ptap_poll(struct file *file, poll_table *wait)
{
	struct ptap_session *s = file->private_data;
	__poll_t mask = 0;

	poll_wait(file, &s->wait, wait);
	smp_mb();	/* queued before looking; pairs with wq_has_sleeper() */
	if (!ptap_session_is_setup(s))
		return 0;
	if (ptap_session_ended(s))
		mask = EPOLLIN | EPOLLRDNORM | EPOLLHUP;
	else if (ptap_wake_ready(s))
		mask = EPOLLIN | EPOLLRDNORM;
	if (!mask) {
		ptap_wake_sleep(s);
		return 0;
	}
	smp_store_release(&s->rings[0]->ctl->polled_ns, ktime_get_real_ns());
	ptap_session_drain(s);
	return mask;
}
