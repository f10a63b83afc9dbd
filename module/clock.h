/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The clock of a ring: time stamps from the CPU's cycle counter (opt-in); and
 * time stamps that come with the packet (opt-in, too).
 *
 * Reading CLOCK_REALTIME is most of what a small packet costs.  A session that
 * asks for PTAP_SETUP_CLOCK_TSC gets its times from the counter instead, on a
 * straight line that begins anew from CLOCK_REALTIME each millisecond.  Between
 * two beginnings a time differs from CLOCK_REALTIME by what the counter's rate
 * is off: below a microsecond.  Within a ring, times ascend as they do without.
 *
 * A clock belongs to its ring's producer, so CPUs need not agree on a counter.
 */
#ifndef PTAP_CLOCK_H
#define PTAP_CLOCK_H

#include <linux/skbuff.h>
#include <linux/time64.h>
#include <linux/types.h>
#include "compat.h"

/* Nanoseconds of a cycle are mult / 2^24: above 16 MHz, mult is a u32. */
#define PTAP_CLOCK_SHIFT	24

/**
 * struct ptap_clock - a line through the time; all 0 before the first reading
 * @cycles: counter at its beginning
 * @limit: cycles after which another one begins
 * @ns: time at its beginning, nanoseconds
 * @sec: the same time, seconds
 * @nsec: and nanoseconds
 * @mult: its slope, nanoseconds << PTAP_CLOCK_SHIFT in a cycle
 */
struct ptap_clock {
	u64 cycles;
	u64 limit;
	u64 ns;
	u64 sec;
	u32 nsec;
	u32 mult;
};

int ptap_clock_calibrate(void);
u64 ptap_clock_rebase(struct ptap_clock *k);
u64 ptap_clock_adapter_ns(const struct sk_buff *skb);

/* Nanoseconds since the line's beginning. */
static inline u32 ptap_clock_advance(struct ptap_clock *k)
{
	u64 cycles = ptap_cycles();

	if (unlikely(cycles - k->cycles >= k->limit))
		cycles = ptap_clock_rebase(k);
	return (cycles - k->cycles) * k->mult >> PTAP_CLOCK_SHIFT;
}

static inline u64 ptap_clock_ns(struct ptap_clock *k)
{
	u32 ns = ptap_clock_advance(k);

	return k->ns + ns;
}

static inline void ptap_clock_ts(struct ptap_clock *k, struct timespec64 *ts)
{
	u32 ns = ptap_clock_advance(k);

	ts->tv_sec = k->sec;
	ts->tv_nsec = k->nsec + ns;
	if (unlikely(ts->tv_nsec >= NSEC_PER_SEC)) {
		ts->tv_nsec -= NSEC_PER_SEC;
		ts->tv_sec++;
	}
}

#endif /* PTAP_CLOCK_H */
