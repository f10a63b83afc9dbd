// SPDX-License-Identifier: GPL-2.0
/*
 * The clock of a ring: where its line begins, and how steep it is.
 *
 * The counter's rate is measured once, against the monotonic clock.  It need
 * not be exact: each millisecond a line begins where CLOCK_REALTIME is.  Should
 * the old line be ahead of it, the new one begins at the old one's end and is
 * flatter, so that it meets CLOCK_REALTIME a millisecond later: time never runs
 * back.  A clock that was set back is followed at once, as everywhere.
 */
#include <linux/delay.h>
#include <linux/if_packet.h>
#include <linux/irqflags.h>
#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/module.h>
#include <linux/timekeeping.h>
#include "clock.h"

#define PTAP_CLOCK_REBASE_NS	NSEC_PER_MSEC

/* More than a line can be ahead by its own fault. */
#define PTAP_CLOCK_AHEAD_MAX	(PTAP_CLOCK_REBASE_NS / 10)

/* Tries to read both clocks at once, within so small a part of a line. */
#define PTAP_CLOCK_PAIRS	8
#define PTAP_CLOCK_WIDTH	256

static bool tsc;
module_param(tsc, bool, 0644);
MODULE_PARM_DESC(tsc,
	"Trust a TSC that the CPU does not call invariant (most virtual machines')");

/* Measured once, nanoseconds << PTAP_CLOCK_SHIFT in a cycle; 0: not yet. */
static u32 ptap_clock_mult;

/* A virtual machine may stand still between the two: the closest of some. */
static u64 ptap_clock_pair(u64 *cycles)
{
	u64 start, ns, width, best = U64_MAX, now = 0;
	unsigned long flags;
	int i;

	for (i = 0; i < PTAP_CLOCK_PAIRS; i++) {
		local_irq_save(flags);
		start = ptap_cycles();
		ns = ktime_get_ns();
		width = ptap_cycles() - start;
		local_irq_restore(flags);
		if (width < best) {
			best = width;
			*cycles = start;
			now = ns;
		}
	}
	return now;
}

/**
 * ptap_clock_calibrate - is there a counter to use? How fast is it?
 *
 * Context: process; sleeps some milliseconds, the first time.
 * Return: 0, or -EOPNOTSUPP without a counter that ticks steadily.
 */
int ptap_clock_calibrate(void)
{
	u64 start, end, now, ns, mult;

	if (!ptap_cycles_steady() && !(ptap_cycles_exist() && READ_ONCE(tsc)))
		return -EOPNOTSUPP;
	if (READ_ONCE(ptap_clock_mult))
		return 0;
	now = ptap_clock_pair(&start);
	usleep_range(10000, 20000);
	ns = ptap_clock_pair(&end) - now;
	if (end <= start)
		return -EOPNOTSUPP;
	mult = div64_u64(ns << PTAP_CLOCK_SHIFT, end - start);
	if (!mult || mult > U32_MAX)
		return -EOPNOTSUPP;
	WRITE_ONCE(ptap_clock_mult, mult);
	return 0;
}

/**
 * ptap_clock_rebase - begin a new line
 * @k: clock
 *
 * Context: hook.
 * Return: the counter at the line's beginning, which is now.
 */
u64 ptap_clock_rebase(struct ptap_clock *k)
{
	u32 mult = READ_ONCE(ptap_clock_mult);
	u64 cycles, delta, now;
	u32 nsec;
	s64 ahead;
	int i = 0;

	/* What comes between the two puts the line ahead of the clock. */
	do {
		cycles = ptap_cycles();
		now = ktime_get_real_ns();
	} while (ptap_cycles() - cycles > k->limit / PTAP_CLOCK_WIDTH &&
		 ++i < PTAP_CLOCK_PAIRS);
	delta = cycles - k->cycles;

	/* After a longer pause no line is ahead of the clock. */
	if (delta < 16 * k->limit) {
		ahead = k->ns + (delta * k->mult >> PTAP_CLOCK_SHIFT) - now;
		if (ahead > 0 && ahead < PTAP_CLOCK_AHEAD_MAX) {
			now += ahead;
			mult -= mul_u64_u32_div(mult, ahead,
						PTAP_CLOCK_REBASE_NS);
		}
	}
	k->limit = div_u64((u64)PTAP_CLOCK_REBASE_NS << PTAP_CLOCK_SHIFT, mult);
	k->cycles = cycles;
	k->mult = mult;
	k->ns = now;
	k->sec = div_u64_rem(now, NSEC_PER_SEC, &nsec);
	k->nsec = nsec;
	return cycles;
}

/**
 * ptap_clock_adapter_ns - when the network adapter saw a packet
 * @skb: packet
 *
 * A packet that is sent on has the stamp still that it was received with, and
 * one that is sent gets its own later, when the tap has seen it.
 *
 * Context: hook.
 * Return: nanoseconds by the adapter's clock; by CLOCK_REALTIME if the packet
 * has no stamp.
 */
u64 ptap_clock_adapter_ns(const struct sk_buff *skb)
{
	s64 ns = 0;

	if (skb->pkt_type != PACKET_OUTGOING)
		ns = ktime_to_ns(ptap_skb_hwtstamp(skb));
	return ns > 0 ? ns : ktime_get_real_ns();
}
