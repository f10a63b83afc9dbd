// SPDX-License-Identifier: GPL-2.0
/*
 * Sleeping and waking: how a reader learns that there is something to read, and
 * how seldom.
 *
 * A wake-up costs more than a packet by far.  So a ring wakes its reader when a
 * watermark of bytes has come together; what stays below it is the flush
 * timer's business, which runs only while somebody sleeps and there is
 * something to flush.  The hook's part is one compare per packet
 * (ptap_prod.wake_pos) and, beyond it, ptap_wake_kick().
 */
#include <linux/hrtimer.h>
#include <linux/poll.h>
#include <linux/wait.h>
#include "compat.h"
#include "ring.h"
#include "session.h"
#include "trace.h"
#include "wake.h"

/**
 * ptap_wake_ready - is there enough to wake a sleeper?
 * @s: session, set up
 *
 * Enough is a watermark of bytes in a ring, or bytes that were there when the
 * flush timer last looked.
 *
 * Context: any; the consumers' positions are read and not trusted.
 */
bool ptap_wake_ready(struct ptap_session *s)
{
	struct ptap_ring *r;
	u64 end, tail;
	u32 i;

	for (i = 0; i < s->nr_rings; i++) {
		r = s->rings[i];
		end = ptap_cons_end(r->ctl);
		tail = READ_ONCE(r->con->tail);
		if (end == tail)
			continue;
		if (end - tail >= s->cfg.watermark ||
		    ptap_pos_after(READ_ONCE(r->flush_pos), tail))
			return true;
	}
	return false;
}

/*
 * Start the flush timer, unless it will expire anyway.  The fence pairs with
 * that of the timer: either it sees what the caller did before, or it is found
 * not to be queued any more and is queued again, also while it still runs.
 */
static void ptap_wake_arm(struct ptap_session *s)
{
	smp_mb();
	if (hrtimer_is_queued(&s->flush_timer))
		return;
	WRITE_ONCE(s->idle, false);
	hrtimer_start(&s->flush_timer, s->flush_time, HRTIMER_MODE_REL);
}

/**
 * ptap_wake_sleep - the caller is going to sleep; see that it is woken
 * @s: session, set up
 *
 * The caller is on s->wait and found nothing to read.  The flush timer looks
 * after what stays below the watermark.  When it expires it asks the rings to
 * be told of their next packet.  If it found something it wakes the sleeper and
 * stops; if not, it looks once more (the request and a packet may have crossed)
 * and stops then.  The hook starts it again (ptap_wake_kick()).  So an idle
 * capture has neither timers nor wake-ups.
 *
 * With a watermark of one byte every packet wakes, and no timer is needed.
 *
 * Context: process.
 */
void ptap_wake_sleep(struct ptap_session *s)
{
	if (s->cfg.watermark > 1)
		ptap_wake_arm(s);
}

/**
 * ptap_wake_start - the session has started; see to those who sleep already
 * @s: session
 *
 * A poll() in state NEW or SETUP could not look at rings.
 *
 * Context: process.
 */
void ptap_wake_start(struct ptap_session *s)
{
	/* The state is written before, and read after queueing. */
	if (wq_has_sleeper(&s->wait))
		ptap_wake_sleep(s);
}

static enum hrtimer_restart ptap_wake_flush(struct hrtimer *timer)
{
	struct ptap_session *s = container_of(timer, struct ptap_session,
					      flush_timer);
	struct ptap_ring *r, *found = NULL;
	u64 end, bytes = 0;
	u32 i;

	smp_mb();	/* pairs with ptap_wake_arm() */
	for (i = 0; i < s->nr_rings; i++) {
		r = s->rings[i];
		end = ptap_cons_end(r->ctl);
		if (end != READ_ONCE(r->con->tail)) {
			WRITE_ONCE(r->flush_pos, end);
			bytes += end - READ_ONCE(r->con->tail);
			found = r;
		}
	}
	if (found || !READ_ONCE(s->idle)) {
		/* Who was woken may sleep again without telling (EPOLLET). */
		for (i = 0; i < s->nr_rings; i++)
			WRITE_ONCE(s->rings[i]->prod.wake_pos, 0);
	}
	if (found) {
		if (waitqueue_active(&s->wait))
			trace_ptap_wake(found, bytes, true);
		wake_up_interruptible_poll(&s->wait, EPOLLIN | EPOLLRDNORM);
	} else if (!READ_ONCE(s->idle)) {
		WRITE_ONCE(s->idle, true);
		hrtimer_start(timer, s->flush_time, HRTIMER_MODE_REL);
	}
	return HRTIMER_NORESTART;
}

/**
 * ptap_wake_kick - the hook has come to a ring's wake position
 * @s: session
 * @r: ring of this CPU
 *
 * Wakes the sleeper if a watermark of bytes is in the ring; otherwise somebody
 * asked to be told of a packet, and the flush timer takes care of it.  The next
 * time comes a watermark later.
 *
 * Context: hook.
 */
void ptap_wake_kick(struct ptap_session *s, struct ptap_ring *r)
{
	u64 tail = READ_ONCE(r->con->tail);
	u64 used = r->prod.pos - tail;

	if (used < s->cfg.watermark) {
		WRITE_ONCE(r->prod.wake_pos, tail + s->cfg.watermark);
		/* Who has just come to sleep starts the timer by itself. */
		if (waitqueue_active(&s->wait))
			ptap_wake_arm(s);
		return;
	}
	WRITE_ONCE(r->prod.wake_pos, r->prod.pos + s->cfg.watermark);
	/*
	 * The fence in wq_has_sleeper() pairs with the one that a sleeper has
	 * between queueing itself and looking at the rings.
	 */
	if (!wq_has_sleeper(&s->wait) || READ_ONCE(r->con->awake))
		return;
	wake_up_interruptible_poll(&s->wait, EPOLLIN | EPOLLRDNORM);
	WRITE_ONCE(r->count.wakeups, r->count.wakeups + 1);
	trace_ptap_wake(r, used, false);
	/* For what comes when it has read all and sleeps again. */
	if (s->cfg.watermark > 1)
		ptap_wake_arm(s);
}

/**
 * ptap_wake_init - prepare a session's wait queue and timer
 * @s: session
 */
void ptap_wake_init(struct ptap_session *s)
{
	init_waitqueue_head(&s->wait);
	hrtimer_setup(&s->flush_timer, ptap_wake_flush, CLOCK_MONOTONIC,
		      HRTIMER_MODE_REL);
}

/* Tell everybody that the session has come to its end. */
void ptap_wake_all(struct ptap_session *s)
{
	wake_up_interruptible_all(&s->wait);
}

/* The hooks are gone and nobody sleeps: nobody starts the timer again. */
void ptap_wake_exit(struct ptap_session *s)
{
	hrtimer_cancel(&s->flush_timer);
}
