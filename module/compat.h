/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The differences between kernels, and the only place that knows of them.
 *
 * Each PTAP_HAVE_ macro comes from compiling a few lines of C against the
 * kernel at hand (compat-probe.sh writes them to compat-probes.h): version
 * numbers say little about a distribution's kernel.
 */
#ifndef PTAP_COMPAT_H
#define PTAP_COMPAT_H

#include <linux/hrtimer.h>
#include <linux/mm.h>
#include <linux/netdevice.h>
#include <linux/skbuff.h>

#include "compat-probes.h"

#if BITS_PER_LONG != 64
#error "ptap needs a 64-bit kernel: ring positions are 64 bits and not locked"
#endif

#ifdef PTAP_HAVE_LINUX_UNALIGNED_H
#include <linux/unaligned.h>
#else
#include <asm/unaligned.h>
#endif

/*
 * With BH disabled nothing else of a hook runs on this CPU, except on newer
 * PREEMPT_RT kernels, where it takes a lock to say so.  Elsewhere the lock is
 * for lockdep only: looking it up costs where a CPU's number does.
 */
#if defined(PTAP_HAVE_LOCAL_LOCK_NESTED_BH) && \
	(defined(CONFIG_PREEMPT_RT) || defined(CONFIG_DEBUG_LOCK_ALLOC))
#include <linux/local_lock.h>
struct ptap_bh_lock {
	local_lock_t lock;
};
#define PTAP_BH_LOCK_INIT	{ .lock = INIT_LOCAL_LOCK(lock) }
#define ptap_bh_lock(l)		local_lock_nested_bh(&(l)->lock)
#define ptap_bh_unlock(l)	local_unlock_nested_bh(&(l)->lock)
#else
struct ptap_bh_lock { };
#define PTAP_BH_LOCK_INIT	{ }
#define ptap_bh_lock(l)		((void)(l))
#define ptap_bh_unlock(l)	((void)(l))
#endif

/*
 * The CPU's cycle counter, for the clock of a ring.  Only the x86 one is worth
 * it: elsewhere CLOCK_REALTIME is such a counter and little else.  User-Mode
 * Linux runs on an x86 whose features it does not know.
 */
#ifdef __x86_64__
static inline u64 ptap_cycles(void)
{
	u32 low, high;

	asm volatile("rdtsc" : "=a" (low), "=d" (high));
	return (u64)high << 32 | low;
}

static inline bool ptap_cycles_exist(void)
{
	return true;
}
#else
static inline u64 ptap_cycles(void)
{
	return 0;
}

static inline bool ptap_cycles_exist(void)
{
	return false;
}
#endif

/* It ticks at one rate, in every state of the CPU. */
static inline bool ptap_cycles_steady(void)
{
#if defined(CONFIG_UML) || !defined(__x86_64__)
	return ptap_cycles_exist();
#else
	return boot_cpu_has(X86_FEATURE_CONSTANT_TSC) &&
	       boot_cpu_has(X86_FEATURE_NONSTOP_TSC);
#endif
}

#ifndef PTAP_HAVE_VM_FLAGS_MOD
static inline void vm_flags_mod(struct vm_area_struct *vma,
				unsigned long set, unsigned long clear)
{
	vma->vm_flags = (vma->vm_flags | set) & ~clear;
}
#endif

#ifndef PTAP_HAVE_HRTIMER_SETUP
static inline void
hrtimer_setup(struct hrtimer *timer,
	      enum hrtimer_restart (*function)(struct hrtimer *),
	      clockid_t clock, enum hrtimer_mode mode)
{
	hrtimer_init(timer, clock, mode);
	timer->function = function;
}
#endif

/* Bytes of a packet that the CPU can read: all, but for device memory. */
static inline unsigned int ptap_skb_readable(const struct sk_buff *skb)
{
#ifdef PTAP_HAVE_SKB_FRAGS_READABLE
	return skb_frags_readable(skb) ? skb->len : skb_headlen(skb);
#else
	return skb->len;
#endif
}

/*
 * When the adapter received a packet, 0 if it did not say.  Some drivers leave
 * something there by which they tell it when they are asked.
 */
static inline ktime_t ptap_skb_hwtstamp(const struct sk_buff *skb)
{
	struct skb_shared_info *shinfo = skb_shinfo(skb);

#ifdef PTAP_HAVE_NDO_GET_TSTAMP
	if (shinfo->tx_flags & SKBTX_HW_TSTAMP_NETDEV) {
		const struct net_device_ops *ops = skb->dev->netdev_ops;

		if (!ops->ndo_get_tstamp)
			return 0;
		return ops->ndo_get_tstamp(skb->dev, &shinfo->hwtstamps, false);
	}
#endif
	return shinfo->hwtstamps.hwtstamp;
}

#endif /* PTAP_COMPAT_H */
