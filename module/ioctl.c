// SPDX-License-Identifier: GPL-2.0
/*
 * ioctl(): the commands of <linux/ptap.h>, a function for each.
 *
 * Every argument is a structure that starts with its size and may grow.  It is
 * copied in once, worked on, and copied out; nothing is read from the user
 * twice.
 */
#include <linux/mm.h>
#include <linux/netdevice.h>
#include <linux/timekeeping.h>
#include <linux/uaccess.h>
#include "filter.h"
#include "iface.h"
#include "ioctl.h"
#include "limits.h"
#include "meta.h"
#include "mmap.h"
#include "preamble.h"
#include "ring.h"
#include "session.h"
#include "stats.h"

/* Sizes of the first version of each structure; smaller ones are refused. */
#define PTAP_INFO_SIZE_VER0	96
#define PTAP_SETUP_SIZE_VER0	64
#define PTAP_FILTER_SIZE_VER0	24
#define PTAP_DRAIN_SIZE_VER0	16
#define PTAP_SYNC_SIZE_VER0	16
#define PTAP_IFACE_SIZE_VER0	80
#define PTAP_PREAMBLE_SIZE_VER0	32
#define PTAP_STATS_SIZE_VER0	216

static_assert(sizeof(struct ptap_info) == PTAP_INFO_SIZE_VER0);
static_assert(sizeof(struct ptap_setup) == PTAP_SETUP_SIZE_VER0);
static_assert(sizeof(struct ptap_filter_prog) == 24);
static_assert(sizeof(struct ptap_filter) == PTAP_FILTER_SIZE_VER0);
static_assert(sizeof(struct ptap_drain) == PTAP_DRAIN_SIZE_VER0);
static_assert(sizeof(struct ptap_sync) == PTAP_SYNC_SIZE_VER0);
static_assert(sizeof(struct ptap_iface_info) == PTAP_IFACE_SIZE_VER0 + 24);
static_assert(sizeof(struct ptap_preamble) == PTAP_PREAMBLE_SIZE_VER0);
static_assert(sizeof(struct ptap_stats) == PTAP_STATS_SIZE_VER0 + 8);
static_assert(sizeof(struct ptap_ring_control) == 256);
static_assert(offsetof(struct ptap_ring_control, head) == 128);
static_assert(sizeof(struct ptap_ring_consumer) == 16);

/*
 * Copy a structure in: @ksize bytes at @dst, of which the user has as many as
 * the structure's first member says; that is left as it was said.
 */
static int ptap_arg_in(void *dst, size_t ksize, size_t min_size,
		       void __user *arg)
{
	u32 size;
	int err;

	if (get_user(size, (u32 __user *)arg))
		return -EFAULT;
	if (size < min_size)
		return -EINVAL;
	if (size > PAGE_SIZE)
		return -E2BIG;
	err = copy_struct_from_user(dst, ksize, arg, size);
	*(u32 *)dst = size;
	return err;
}

static int ptap_arg_out(void __user *arg, const void *src, size_t ksize)
{
	size_t size = min_t(size_t, *(const u32 *)src, ksize);

	return copy_to_user(arg, src, size) ? -EFAULT : 0;
}

static int ptap_ioctl_info(struct ptap_session *s, void __user *arg)
{
	const struct ptap_config *cfg = &s->cfg;
	struct ptap_info info;
	int err;

	err = ptap_arg_in(&info, sizeof(info), PTAP_INFO_SIZE_VER0, arg);
	if (err)
		return err;
	info = (struct ptap_info){
		.size = info.size,
		.abi = PTAP_ABI,
		.features = PTAP_META_ALL | PTAP_FEATURE_LOCK |
			    PTAP_FEATURE_SIEVE,
		.state = smp_load_acquire(&s->state),
		.page_size = PAGE_SIZE,
		.ring_size_max = PTAP_RING_SIZE_MAX,
	};
	if (info.state != PTAP_STATE_NEW) {
		info.nr_rings = s->nr_rings;
		info.nr_ifaces = READ_ONCE(s->nr_ifaces);
		info.nr_hooks = READ_ONCE(s->nr_hooks);
		info.format = cfg->format;
		info.linktype = cfg->file_linktype;
		info.snaplen = cfg->snaplen;
		info.direction = cfg->direction;
		info.copybreak = cfg->copybreak;
		info.meta = cfg->meta;
		info.watermark = cfg->watermark;
		info.flush_us = cfg->flush_us;
		info.flags = READ_ONCE(s->locked) ? PTAP_INFO_LOCKED : 0;
		info.ring_size = cfg->ring_size;
		info.ring_stride = ptap_mmap_stride(s);
	}
	return ptap_arg_out(arg, &info, sizeof(info));
}

static int ptap_ioctl_setup(struct ptap_session *s, void __user *arg)
{
	struct ptap_setup setup;
	int err;

	err = ptap_arg_in(&setup, sizeof(setup), PTAP_SETUP_SIZE_VER0, arg);
	return err ?: ptap_session_setup(s, &setup);
}

static int ptap_ioctl_filter(struct ptap_session *s, void __user *arg)
{
	struct ptap_filter filter;
	int err;

	err = ptap_arg_in(&filter, sizeof(filter), PTAP_FILTER_SIZE_VER0, arg);
	return err ?: ptap_filter_replace(s, &filter);
}

static int ptap_ioctl_drain(struct ptap_session *s, void __user *arg)
{
	struct ptap_drain drain;
	int err;

	err = ptap_arg_in(&drain, sizeof(drain), PTAP_DRAIN_SIZE_VER0, arg);
	if (err)
		return err;
	if (!ptap_session_is_setup(s))
		return -EBUSY;
	if (drain.ring == PTAP_RING_ALL)
		drain.filled = ptap_session_drain(s);
	else if (drain.ring < s->nr_rings)
		drain.filled = ptap_ring_drain(s->rings[drain.ring]);
	else
		return -EINVAL;
	return ptap_arg_out(arg, &drain, sizeof(drain));
}

static int ptap_ioctl_sync(struct ptap_session *s, void __user *arg)
{
	struct ptap_sync sync;
	int err;

	err = ptap_arg_in(&sync, sizeof(sync), PTAP_SYNC_SIZE_VER0, arg);
	if (err)
		return err;
	if (sync.flags)
		return -EINVAL;
	if (!ptap_session_is_setup(s))
		return -EBUSY;
	sync.horizon_ns = ktime_get_real_ns();
	if (s->cfg.clock == PTAP_CLOCK_TSC)
		sync.horizon_ns -= PTAP_HOLDBACK_NS;	/* it may be behind */
	/* Hooks run under RCU: those that were running have returned. */
	synchronize_net();
	ptap_session_drain(s);
	return ptap_arg_out(arg, &sync, sizeof(sync));
}

static int ptap_ioctl_iface(struct ptap_session *s, void __user *arg)
{
	const struct ptap_iface *iface;
	struct ptap_iface_info info;
	int err;

	err = ptap_arg_in(&info, sizeof(info), PTAP_IFACE_SIZE_VER0, arg);
	if (err)
		return err;
	if (!ptap_session_is_setup(s))
		return -EBUSY;
	iface = ptap_iface_by_id(s, info.id);
	if (!iface)
		return -ENOENT;
	info = (struct ptap_iface_info){
		.size = info.size,
		.id = iface->id,
		.ifindex = iface->ifindex,
		.linktype = iface->linktype,
		.arphrd = iface->arphrd,
		.flags = READ_ONCE(iface->gone) ? PTAP_IFACE_GONE : 0,
		.addr_len = iface->addr_len,
	};
	memcpy(info.addr, iface->addr, sizeof(info.addr));
	memcpy(info.name, iface->name, sizeof(info.name));
	ptap_meta_sum(iface, &info);
	return ptap_arg_out(arg, &info, sizeof(info));
}

static int ptap_ioctl_preamble(struct ptap_session *s, void __user *arg)
{
	struct ptap_preamble_buf buf;
	struct ptap_preamble pre;
	int err;

	err = ptap_arg_in(&pre, sizeof(pre), PTAP_PREAMBLE_SIZE_VER0, arg);
	if (err)
		return err;
	if (pre.flags & ~PTAP_PREAMBLE_HEADER || pre.reserved)
		return -EINVAL;
	if (!ptap_session_is_setup(s))
		return -EBUSY;
	err = ptap_preamble_make(s, pre.flags & PTAP_PREAMBLE_HEADER,
				 pre.first_iface, &buf);
	if (err)
		return err;
	if (pre.len < buf.len)
		err = -ENOSPC;
	else if (buf.len && copy_to_user((void __user *)(uintptr_t)pre.buf,
					 buf.data, buf.len))
		err = -EFAULT;
	kvfree(buf.data);
	if (err == -EFAULT)
		return err;
	pre.len = buf.len;
	pre.nr_ifaces = buf.nr_ifaces;
	return ptap_arg_out(arg, &pre, sizeof(pre)) ?: err;
}

static int ptap_ioctl_stats(struct ptap_session *s, void __user *arg)
{
	struct ptap_stats stats;
	int err;

	err = ptap_arg_in(&stats, sizeof(stats), PTAP_STATS_SIZE_VER0, arg);
	if (!err)
		err = ptap_stats_get(s, &stats);
	return err ?: ptap_arg_out(arg, &stats, sizeof(stats));
}

/**
 * ptap_ioctl - ioctl() of /dev/tap
 * @file: the session's file
 * @cmd: PTAP_IOC_*
 * @arg: pointer to the command's structure
 *
 * Context: process.
 * Return: 0, or as <linux/ptap.h> says.
 */
long ptap_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct ptap_session *s = file->private_data;
	void __user *uarg = (void __user *)arg;

	switch (cmd) {
	case PTAP_IOC_INFO:
		return ptap_ioctl_info(s, uarg);
	case PTAP_IOC_SETUP:
		return ptap_ioctl_setup(s, uarg);
	case PTAP_IOC_FILTER:
		return ptap_ioctl_filter(s, uarg);
	case PTAP_IOC_START:
		return ptap_session_start(s);
	case PTAP_IOC_STOP:
		return ptap_session_stop(s);
	case PTAP_IOC_DRAIN:
		return ptap_ioctl_drain(s, uarg);
	case PTAP_IOC_SYNC:
		return ptap_ioctl_sync(s, uarg);
	case PTAP_IOC_IFACE:
		return ptap_ioctl_iface(s, uarg);
	case PTAP_IOC_PREAMBLE:
		return ptap_ioctl_preamble(s, uarg);
	case PTAP_IOC_STATS:
		return ptap_ioctl_stats(s, uarg);
	case PTAP_IOC_LOCK:
		return ptap_session_lock(s);
	default:
		return -ENOTTY;
	}
}
