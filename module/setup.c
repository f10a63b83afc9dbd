// SPDX-License-Identifier: GPL-2.0
/*
 * SETUP: from what the user asks for to a configuration that can be.
 *
 * Every value is checked here, once; the configuration that comes out is never
 * changed again.  Process context, under session->lock.
 */
#include <linux/capability.h>
#include <linux/cpumask.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/netdevice.h>
#include <linux/pid.h>
#include <linux/rtnetlink.h>
#include <linux/slab.h>
#include <net/net_namespace.h>
#include "clock.h"
#include "iface.h"
#include "limits.h"
#include "meta.h"
#include "record.h"
#include "ring.h"
#include "session.h"
#include "setup.h"

#define PTAP_SETUP_FLAGS	(PTAP_SETUP_PROMISC | PTAP_SETUP_COPYBREAK | \
				 PTAP_SETUP_CLOCK_TSC | \
				 PTAP_SETUP_CLOCK_ADAPTER)

#define PTAP_SETUP_CLOCKS	(PTAP_SETUP_CLOCK_TSC | \
				 PTAP_SETUP_CLOCK_ADAPTER)

static uint copybreak = PTAP_COPYBREAK_DEFAULT;
module_param(copybreak, uint, 0644);
MODULE_PARM_DESC(copybreak,
	"Packets with more captured bytes than this are cloned (default 2048)");

static uint session_mb;
module_param(session_mb, uint, 0644);
MODULE_PARM_DESC(session_mb,
	"Ring memory of one session in MiB (default 0: a quarter of the memory)");

/* No hook, mapping or drainer may be left. */
void ptap_setup_free_rings(struct ptap_session *s)
{
	u32 i;

	for (i = 0; i < s->nr_rings; i++)
		if (s->rings[i])
			ptap_ring_destroy(s->rings[i]);
	kvfree(s->rings);
	s->rings = NULL;
	s->nr_rings = 0;
}

static int ptap_setup_values(struct ptap_config *cfg,
			     const struct ptap_setup *arg)
{
	u32 snaplen = arg->snaplen ?: PTAP_SNAPLEN_MAX;
	u32 flush_us = arg->flush_us ?: PTAP_FLUSH_US_DEFAULT;
	u32 direction = arg->direction ?: PTAP_DIR_IN | PTAP_DIR_OUT;
	bool cooked = arg->linktype != PTAP_LINKTYPE_NATIVE;
	bool pcapng = arg->format == PTAP_FORMAT_PCAPNG;

	if (arg->flags & ~PTAP_SETUP_FLAGS ||
	    (arg->flags & PTAP_SETUP_CLOCKS) == PTAP_SETUP_CLOCKS ||
	    arg->reserved || arg->format > PTAP_FORMAT_PCAP_USEC ||
	    direction & ~(PTAP_DIR_IN | PTAP_DIR_OUT) ||
	    snaplen > PTAP_SNAPLEN_MAX || flush_us > PTAP_FLUSH_US_MAX ||
	    arg->ring_size > PTAP_RING_SIZE_MAX)
		return -EINVAL;
	if (cooked && arg->linktype != PTAP_LINKTYPE_LINUX_SLL &&
	    arg->linktype != PTAP_LINKTYPE_LINUX_SLL2)
		return -EINVAL;
	if (cooked && pcapng)
		return -EINVAL;
	if (!cooked && !pcapng && !arg->nr_ifaces)
		return -EINVAL;
	if (arg->flags & PTAP_SETUP_PROMISC && !arg->nr_ifaces)
		return -EINVAL;
	if (arg->meta & ~PTAP_META_ALL)
		return -EOPNOTSUPP;
	if (arg->meta && !pcapng)
		return -EINVAL;

	cfg->format = arg->format;
	cfg->linktype = arg->linktype;
	cfg->file_linktype = arg->linktype;
	cfg->snaplen = snaplen;
	cfg->direction = direction;
	cfg->copybreak = READ_ONCE(copybreak);
	if (arg->flags & PTAP_SETUP_COPYBREAK)
		cfg->copybreak = arg->copybreak;
	cfg->meta = arg->meta;
	cfg->flush_us = flush_us;
	cfg->promisc = arg->flags & PTAP_SETUP_PROMISC;
	cfg->all = !arg->nr_ifaces;
	if (arg->flags & PTAP_SETUP_CLOCK_ADAPTER)
		cfg->clock = PTAP_CLOCK_ADAPTER;
	if (!(arg->flags & PTAP_SETUP_CLOCK_TSC))
		return 0;
	cfg->clock = PTAP_CLOCK_TSC;
	return ptap_clock_calibrate();
}

/*
 * Size and watermark.  Half of a ring has room for the largest record, so that
 * a ring that is drained by half never refuses one.
 */
static int ptap_setup_ring(struct ptap_config *cfg,
			   const struct ptap_setup *arg)
{
	u64 limit = (u64)READ_ONCE(session_mb) << 20;
	u64 size = arg->ring_size;
	u64 watermark;

	if (!limit)
		limit = (u64)totalram_pages() << PAGE_SHIFT >> 2;
	/* Many CPUs and little memory: smaller rings, if nobody said a size. */
	if (!size)
		size = min_t(u64, PTAP_RING_SIZE_DEFAULT,
			     rounddown_pow_of_two(limit / nr_cpu_ids | 1));
	size = max3(size, (u64)PTAP_RING_SIZE_MIN,
		    2 * (u64)ptap_record_size_max(cfg));
	size = roundup_pow_of_two(size);
	if (size * nr_cpu_ids > limit)
		return -ENOMEM;
	cfg->ring_size = size;

	watermark = arg->watermark ?: PTAP_WATERMARK_DEFAULT;
	cfg->watermark = min_t(u64, watermark, size / 4);
	return 0;
}

/* Interface indices, each known and once; their order decides the ids. */
static int ptap_setup_ifaces(struct ptap_session *s, struct ptap_config *cfg,
			     const struct ptap_setup *arg, const u32 *list)
{
	struct net_device *dev;
	struct ptap_iface *i;
	int err = 0;
	u32 n;

	rtnl_lock();
	for (n = 0; n < arg->nr_ifaces && !err; n++) {
		dev = __dev_get_by_index(s->net, list[n]);
		if (!dev || dev->reg_state != NETREG_REGISTERED) {
			err = -ENODEV;
			break;
		}
		i = ptap_iface_add(s, dev, !ptap_dev_has_header(dev));
		if (!i)
			err = -ENOMEM;
		else if (i->id != n)
			err = -EEXIST;
		else if (cfg->format == PTAP_FORMAT_PCAPNG)
			continue;
		else if (!cfg->file_linktype)
			cfg->file_linktype = i->linktype;
		else if (cfg->linktype == PTAP_LINKTYPE_NATIVE &&
			 cfg->file_linktype != i->linktype)
			err = -EMEDIUMTYPE;
	}
	rtnl_unlock();
	return err;
}

static int ptap_setup_rings(struct ptap_session *s,
			    const struct ptap_config *cfg)
{
	bool defer = cfg->copybreak < cfg->snaplen;
	struct ptap_ring *r;
	u32 cpu;

	s->rings = kvcalloc(nr_cpu_ids, sizeof(*s->rings), GFP_KERNEL_ACCOUNT);
	if (!s->rings)
		return -ENOMEM;
	/* A ring for each number, so that index and CPU agree. */
	for (cpu = 0; cpu < nr_cpu_ids; cpu++) {
		r = ptap_ring_create(cpu, cfg->ring_size, cfg->format, defer);
		if (IS_ERR(r))
			return PTR_ERR(r);
		r->prod.wake_pos = cfg->watermark;
		r->owner = pid_nr(s->owner);
		s->rings[cpu] = r;
		s->nr_rings++;
	}
	return 0;
}

/*
 * A failed SETUP leaves the session as it was: NEW.  The notifier knows the
 * session and looks through its interfaces, under RTNL.
 */
static void ptap_setup_undo(struct ptap_session *s)
{
	ptap_setup_free_rings(s);
	rtnl_lock();
	hash_init(s->iface_table);
	ptap_iface_free_all(s);
	s->nr_ifaces = 0;
	s->cfg = (struct ptap_config){ };
	rtnl_unlock();
}

/**
 * ptap_setup_session - configure a session and allocate its rings
 * @s: session in state NEW
 * @arg: configuration; its size has been checked, nothing else
 * @list: @arg->nr_ifaces interface indices; taken over on success
 *
 * Context: process, s->lock held; takes RTNL.
 * Return: 0, or as PTAP_IOC_SETUP says; then the session is as before.
 */
int ptap_setup_session(struct ptap_session *s, const struct ptap_setup *arg,
		       u32 *list)
{
	struct ptap_config cfg = { };
	int err;

	lockdep_assert_held(&s->lock);
	err = ptap_setup_values(&cfg, arg);
	if (err)
		return err;
	if (cfg.promisc && !ns_capable(s->net->user_ns, CAP_NET_ADMIN))
		return -EPERM;
	err = ptap_setup_ring(&cfg, arg);
	if (err)
		return err;
	/* Interfaces are made for a configuration. */
	s->cfg = cfg;
	err = ptap_setup_ifaces(s, &cfg, arg, list);
	if (err)
		goto undo;
	err = ptap_setup_rings(s, &cfg);
	if (err)
		goto undo;
	s->setup_ifaces = list;
	s->nr_setup_ifaces = arg->nr_ifaces;
	s->flush_time = ns_to_ktime(cfg.flush_us * NSEC_PER_USEC);
	s->cfg = cfg;
	smp_store_release(&s->state, PTAP_STATE_SETUP);
	return 0;

undo:
	ptap_setup_undo(s);
	return err;
}
