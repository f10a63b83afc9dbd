// SPDX-License-Identifier: GPL-2.0
/*
 * The hook: from the network stack into the ring.
 *
 * ptap_hook_rcv() is called for each packet of a tapped interface, received
 * (softirq) or sent (softirq, or process with BH off), under RCU.  It may not
 * sleep or print, must not change the packet, and gives back the reference it
 * was handed.  It takes no lock, but for local_lock_nested_bh() on PREEMPT_RT.
 *
 * A hook object is added once and removed once, under RTNL, and never changed
 * in between.  Who may still be using it afterwards are callers of
 * ptap_hook_rcv() that found it before; a grace period ends them.  The notifier
 * only ever removes.
 */
#include <linux/if_arp.h>
#include <linux/if_packet.h>
#include <linux/if_vlan.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/list.h>
#include <linux/netdevice.h>
#include <linux/rtnetlink.h>
#include <linux/slab.h>
#include <net/dst.h>
#include <net/net_namespace.h>
#include "compat.h"
#include "copy.h"
#include "filter.h"
#include "hook.h"
#include "iface.h"
#include "meta.h"
#include "record.h"
#include "ring.h"
#include "session.h"
#include "trace.h"
#include "wake.h"

/**
 * struct ptap_hook - one packet_type; immutable between add and remove
 * @pt: what the stack knows
 * @session: whom it belongs to; outlives it by a grace period
 * @promisc: we made the device promiscuous
 * @entry: in session->hooks, under RTNL
 * @rcu: to free it
 */
struct ptap_hook {
	struct packet_type pt;
	struct ptap_session *session;
	bool promisc;
	struct list_head entry;
	struct rcu_head rcu;
};

LIST_HEAD(ptap_sessions);
static DEFINE_PER_CPU(struct ptap_bh_lock, ptap_bh) = PTAP_BH_LOCK_INIT;

/* One writer, many readers. */
#define ptap_add(counter, n)	WRITE_ONCE((counter), (counter) + (n))

/* Where a packet starts, as seen by a link layer and by a cooked reader. */
struct ptap_starts {
	u8 *link;
	u8 *network;
	bool raw;
};

static void ptap_skb_seek(struct sk_buff *skb, u8 *data)
{
	skb->len += skb->data - data;
	skb->data = data;
}

static struct ptap_starts ptap_hook_starts(const struct sk_buff *skb,
					   const struct net_device *dev)
{
	struct ptap_starts at = {
		.link = skb->data, .network = skb->data, .raw = true,
	};
	u8 *network;

	if (!ptap_dev_has_header(dev) || !skb_mac_header_was_set(skb))
		return at;
	if (unlikely(skb_mac_header(skb) > skb->data))
		return at;
	at.link = skb_mac_header(skb);
	at.raw = false;
	/* A sent packet stands at its link layer header. */
	network = skb_network_header(skb);
	if (skb->pkt_type == PACKET_OUTGOING && network >= skb->data &&
	    network <= skb_tail_pointer(skb))
		at.network = network;
	return at;
}

/* Bytes that the filter wants of the packet. */
static u32 ptap_hook_filter(const struct ptap_filter_set *set,
			    struct ptap_record *rec,
			    const struct ptap_starts *at)
{
	struct sk_buff *skb = rec->skb;
	u32 i;

	for (i = 0; i < set->nr; i++) {
		if (set->progs[i].linktype != PTAP_LINKTYPE_ANY &&
		    set->progs[i].linktype != rec->iface->linktype)
			continue;
		rec->mark = set->progs[i].mark;
		ptap_skb_seek(skb, set->progs[i].flags & PTAP_FILTER_COOKED ?
				   at->network : at->link);
		return bpf_prog_run_clear_cb(set->progs[i].prog, skb);
	}
	return 0;
}

/*
 * Keep the packet itself instead of its bytes.  The clone must not keep
 * anything else alive: routes and connections hold on to their devices.
 */
static bool ptap_hook_defer(struct ptap_ring *r, const struct ptap_record *rec)
{
	struct ptap_prod *p = &r->prod;
	struct ptap_deferred *d;
	struct sk_buff *clone;

	if (ptap_prod_deferred(p, &r->deferq) >= PTAP_DEFER_MAX ||
	    r->deferred_queued_bytes - READ_ONCE(r->deferred_done_bytes) >
	    PTAP_DEFER_BYTES_MAX)
		return false;
	clone = skb_clone(rec->skb, GFP_ATOMIC | __GFP_NOWARN);
	if (!clone)
		return false;
	skb_dst_drop(clone);
	nf_reset_ct(clone);
	clone->dev = NULL;
	r->deferred_queued_bytes += clone->truesize;

	d = &r->deferred[p->queued & (PTAP_DEFER_MAX - 1)];
	d->skb = clone;
	d->len = ptap_record_copy_len(rec);
	d->pos = p->pos + rec->data_off + rec->caplen - d->len;
	d->end = p->pos + rec->size;
	d->tag = rec->tag;
	ptap_prod_defer(p, &r->deferq);
	ptap_add(r->count.cloned, 1);
	trace_ptap_defer(r, d->len);
	return true;
}

/*
 * The stack writes to some packets where they stand, also to what is cloned: it
 * fills in IP options, and SCTP's checksum is zero while it is computed.
 */
static bool ptap_skb_may_change(const struct sk_buff *skb)
{
	const u8 *ip = skb_network_header(skb);

	if (ip < skb->data ||
	    skb_tail_pointer(skb) - ip < (int)sizeof(struct iphdr))
		return false;
	switch (skb->protocol) {
	case htons(ETH_P_IP):
		return (*ip & 0x0f) > 5 ||
		       ip[offsetof(struct iphdr, protocol)] == IPPROTO_SCTP;
	case htons(ETH_P_IPV6):
		return ip[offsetof(struct ipv6hdr, nexthdr)] == IPPROTO_SCTP;
	}
	return false;
}

/*
 * A list of fragments is shared with the packet, and its owner takes it apart
 * in place (SCTP, segmentation): what is left of it later cannot be copied.
 * Where no record may be longer than copybreak, but for those that are marked,
 * there is no queue for clones.
 */
static bool ptap_hook_may_defer(const struct ptap_config *cfg,
				const struct ptap_record *rec)
{
	return rec->caplen > cfg->copybreak && cfg->copybreak < cfg->snaplen &&
	       !skb_has_frag_list(rec->skb) &&
	       !ptap_skb_may_change(rec->skb);
}

/* Out of the way of packets that are kept. */
static noinline void ptap_hook_drop(struct ptap_ring *r,
				    const struct ptap_record *rec,
				    enum ptap_drop reason)
{
	ptap_add(r->count.dropped[reason], 1);
	if (rec->iface && rec->iface->counts)
		ptap_meta_dropped(r, rec->iface);
	trace_ptap_drop(r, rec->skb, reason);
}

static bool ptap_hook_reserve(struct ptap_ring *r,
			      const struct ptap_record *rec)
{
	if (unlikely(rec->size > r->prod.size / 2)) {
		ptap_hook_drop(r, rec, PTAP_DROP_TOO_BIG);
		return false;
	}
	switch (ptap_prod_reserve(&r->prod, r->con, rec->size)) {
	case PTAP_RESERVE_OK:
		return true;
	case PTAP_RESERVE_FULL:
		ptap_hook_drop(r, rec, PTAP_DROP_RING_FULL);
		break;
	case PTAP_RESERVE_BAD_CONSUMER:
		ptap_hook_drop(r, rec, PTAP_DROP_BAD_CONSUMER);
		break;
	}
	return false;
}

/* The record, for any packet: now, or but for the packet's bytes. */
static noinline bool ptap_hook_fill(const struct ptap_config *cfg,
				    struct ptap_ring *r,
				    const struct ptap_record *rec, u8 *dst)
{
	u32 len = ptap_record_copy_len(rec);

	ptap_record_write(cfg, &r->clock, rec, dst);
	if (cfg->meta)
		ptap_meta_write(cfg, r, rec, dst + rec->data_off +
					     ALIGN(rec->caplen, 4));
	if (!ptap_hook_may_defer(cfg, rec) || !ptap_hook_defer(r, rec)) {
		dst += rec->data_off + rec->caplen - len;
		if (unlikely(ptap_record_copy(rec->skb, dst, len, rec->tag)))
			return false;
		if (rec->caplen > cfg->copybreak)
			ptap_add(r->count.clone_fallback, 1);
	}
	if (cfg->meta)
		ptap_meta_captured(r, rec);
	return true;
}

/* The packet is wanted: make it a record. */
static void ptap_hook_store(struct ptap_session *s, struct ptap_ring *r,
			    struct ptap_record *rec, u32 limit)
{
	const struct ptap_config *cfg = &s->cfg;
	bool plain;
	u8 *dst;

	if (unlikely(cfg->linktype == PTAP_LINKTYPE_NATIVE &&
		     cfg->file_linktype &&
		     cfg->file_linktype != rec->iface->linktype)) {
		ptap_hook_drop(r, rec, PTAP_DROP_LINKTYPE);
		return;
	}
	plain = ptap_record_plan_plain(cfg, rec, limit);
	if (unlikely(!plain)) {
		ptap_record_plan(cfg, rec, limit);
		if (cfg->meta)
			rec->size += ptap_meta_len(cfg, r, rec);
	}
	if (unlikely(!ptap_hook_reserve(r, rec)))
		return;
	dst = ptap_ring_at(r, r->prod.pos);
	if (likely(plain && rec->caplen <= cfg->copybreak)) {
		ptap_record_head(cfg, &r->clock, rec, dst);
		ptap_copy(dst + rec->data_off, rec->skb->data, rec->caplen);
	} else if (!ptap_hook_fill(cfg, r, rec, dst)) {
		ptap_hook_drop(r, rec, PTAP_DROP_COPY_FAULT);
		return;
	}
	ptap_prod_commit(&r->prod, r->ctl, &r->deferq, rec->size);
	ptap_add(r->count.captured, 1);
	ptap_add(r->count.captured_bytes, rec->size);
	if (unlikely(!ptap_pos_after(READ_ONCE(r->prod.wake_pos), r->prod.pos)))
		ptap_wake_kick(s, r);
}

/*
 * Where a device cannot add a VLAN tag the stack has put it into the bytes,
 * before the network header.  LINUX_SLL holds it there, too.
 */
static u8 *ptap_hook_cooked_start(const struct sk_buff *skb,
				  const struct ptap_iface *iface,
				  const struct ptap_starts *at)
{
	if (unlikely(eth_type_vlan(skb->protocol)) && !at->raw &&
	    iface->cooked_len == PTAP_SLL_LEN &&
	    at->network > at->link + ETH_HLEN)
		return at->link + ETH_HLEN;
	return at->network;
}

/*
 * Other readers share the packet and run after us on this CPU: its data pointer
 * is moved for the filter and for the clone, and put back.
 */
static void ptap_hook_packet(struct ptap_session *s, struct ptap_ring *r,
			     struct sk_buff *skb, const struct net_device *dev)
{
	const struct ptap_filter_set *set = rcu_dereference(s->filter);
	struct ptap_starts at = ptap_hook_starts(skb, dev);
	struct ptap_record rec = { .skb = skb };
	u8 *data = skb->data;
	u32 limit = U32_MAX;

	ptap_add(r->count.seen, 1);
	rec.iface = *ptap_ring_iface(r, dev);
	if (unlikely(!rec.iface || !ptap_iface_matches(rec.iface, dev, at.raw)))
		rec.iface = ptap_iface_find(s, r, dev, at.raw);
	if (unlikely(!rec.iface)) {
		ptap_hook_drop(r, &rec, PTAP_DROP_NO_MEMORY);
		return;
	}
	if (set)
		limit = ptap_hook_filter(set, &rec, &at);
	if (limit) {
		ptap_skb_seek(skb, rec.iface->cooked_len ?
				   ptap_hook_cooked_start(skb, rec.iface, &at) :
				   at.link);
		ptap_hook_store(s, r, &rec, limit);
	} else {
		ptap_add(r->count.filtered, 1);
		if (unlikely(rec.iface->counts))
			ptap_meta_filtered(r, rec.iface);
	}
	ptap_skb_seek(skb, data);
}

/*
 * lo and CAN devices receive what they send at once.  As libpcap has it: a CAN
 * frame is seen on its way out only if nothing else is wanted.
 */
static bool ptap_hook_seen_again(const struct ptap_session *s,
				 const struct sk_buff *skb,
				 const struct net_device *dev)
{
	if (READ_ONCE(dev->flags) & IFF_LOOPBACK)
		return true;
	return READ_ONCE(dev->type) == ARPHRD_CAN &&
	       s->cfg.direction & PTAP_DIR_IN &&
	       (skb->protocol == htons(ETH_P_CAN) ||
		skb->protocol == htons(ETH_P_CANFD));
}

/* Is this packet one that the session was asked for? */
static bool ptap_hook_wants(const struct ptap_session *s,
			    const struct sk_buff *skb,
			    const struct net_device *dev)
{
	/* Up to 6.14, a hook without a device sees all namespaces. */
	if (!net_eq(dev_net(dev), s->net))
		return false;
	switch (skb->pkt_type) {
	case PACKET_LOOPBACK:
		return false;	/* a copy that the stack makes for itself */
	case PACKET_OUTGOING:
		return s->cfg.direction & PTAP_DIR_OUT &&
		       !ptap_hook_seen_again(s, skb, dev);
	default:
		return s->cfg.direction & PTAP_DIR_IN;
	}
}

static int ptap_hook_rcv(struct sk_buff *skb, struct net_device *dev,
			 struct packet_type *pt, struct net_device *orig_dev)
{
	struct ptap_hook *hook = container_of(pt, struct ptap_hook, pt);
	struct ptap_session *s = hook->session;
	struct ptap_ring *r;

	if (ptap_hook_wants(s, skb, dev)) {
		ptap_bh_lock(&ptap_bh);
		r = s->rings[smp_processor_id()];
		if (likely(ptap_prod_enter(r->ctl))) {
			ptap_hook_packet(s, r, skb, dev);
			ptap_prod_leave(r->ctl);
		} else {
			ptap_add(r->count.nested, 1);
			trace_ptap_drop(r, skb, PTAP_DROP_NESTED);
		}
		ptap_bh_unlock(&ptap_bh);
	}
	/* consume_skb(), inline: others mostly hold on to it. */
	if (unlikely(skb_unref(skb)))
		__kfree_skb(skb);
	return NET_RX_SUCCESS;
}

static int ptap_hook_attach(struct ptap_session *s, struct net_device *dev)
{
	struct ptap_hook *hook;
	int err;

	ASSERT_RTNL();
	hook = kzalloc(sizeof(*hook), GFP_KERNEL_ACCOUNT);
	if (!hook)
		return -ENOMEM;
	if (dev && s->cfg.promisc) {
		err = dev_set_promiscuity(dev, 1);
		if (err) {
			kfree(hook);
			return err;
		}
		hook->promisc = true;
	}
	hook->session = s;
	hook->pt.type = htons(ETH_P_ALL);
	hook->pt.func = ptap_hook_rcv;
	hook->pt.dev = dev;
	/* Since 6.15 a hook with neither of them is not registered. */
	hook->pt.af_packet_net = s->net;
	hook->pt.ignore_outgoing = !(s->cfg.direction & PTAP_DIR_OUT);
	list_add_tail(&hook->entry, &s->hooks);
	WRITE_ONCE(s->nr_hooks, s->nr_hooks + 1);
	dev_add_pack(&hook->pt);
	return 0;
}

/* The caller frees it, a grace period later. */
static void ptap_hook_detach(struct ptap_hook *hook)
{
	ASSERT_RTNL();
	__dev_remove_pack(&hook->pt);
	if (hook->promisc)
		dev_set_promiscuity(hook->pt.dev, -1);
	list_del(&hook->entry);
	WRITE_ONCE(hook->session->nr_hooks, hook->session->nr_hooks - 1);
	kfree_rcu(hook, rcu);
}

/**
 * ptap_hook_attach_all - attach a session to its interfaces, all or none
 * @s: session
 *
 * Context: process, s->lock held.
 * Return: 0, -ENODEV or -ENOMEM, or as dev_set_promiscuity().
 */
int ptap_hook_attach_all(struct ptap_session *s)
{
	struct net_device *dev;
	int err = 0;
	u32 i;

	rtnl_lock();
	if (s->cfg.all)
		err = ptap_hook_attach(s, NULL);
	for (i = 0; i < s->nr_setup_ifaces && !err; i++) {
		dev = __dev_get_by_index(s->net, s->setup_ifaces[i]);
		if (!dev || dev->reg_state != NETREG_REGISTERED)
			err = -ENODEV;
		else
			err = ptap_hook_attach(s, dev);
	}
	rtnl_unlock();
	if (err)
		ptap_hook_detach_all(s);
	return err;
}

/**
 * ptap_hook_detach_all - remove all hooks of a session, and wait for the last
 * @s: session
 *
 * When it returns no CPU works for the session any more, not even in a hook
 * that the notifier has removed.
 *
 * Context: process.
 */
void ptap_hook_detach_all(struct ptap_session *s)
{
	struct ptap_hook *hook, *next;

	rtnl_lock();
	list_for_each_entry_safe(hook, next, &s->hooks, entry)
		ptap_hook_detach(hook);
	rtnl_unlock();
	synchronize_net();
}

/* A device leaves the session's namespace: for ever, or for another one. */
static void ptap_hook_dev_gone(struct ptap_session *s, struct net_device *dev)
{
	struct ptap_hook *hook, *next;
	bool had_hooks = s->nr_hooks;

	ptap_iface_gone(s, dev);
	list_for_each_entry_safe(hook, next, &s->hooks, entry)
		if (hook->pt.dev == dev)
			ptap_hook_detach(hook);
	if (had_hooks && !s->nr_hooks)
		ptap_wake_all(s);
}

static int ptap_hook_netdev_event(struct notifier_block *nb,
				  unsigned long event, void *ptr)
{
	struct net_device *dev = netdev_notifier_info_to_dev(ptr);
	struct ptap_session *s;

	if (event == NETDEV_UNREGISTER)
		list_for_each_entry(s, &ptap_sessions, entry)
			if (net_eq(dev_net(dev), s->net))
				ptap_hook_dev_gone(s, dev);
	return NOTIFY_DONE;
}

static struct notifier_block ptap_hook_notifier = {
	.notifier_call = ptap_hook_netdev_event,
};

/* From now on the notifier knows the session. */
void ptap_hook_register(struct ptap_session *s)
{
	rtnl_lock();
	list_add_tail(&s->entry, &ptap_sessions);
	rtnl_unlock();
}

void ptap_hook_unregister(struct ptap_session *s)
{
	rtnl_lock();
	list_del(&s->entry);
	rtnl_unlock();
}

int ptap_hook_init(void)
{
	return register_netdevice_notifier(&ptap_hook_notifier);
}

void ptap_hook_exit(void)
{
	unregister_netdevice_notifier(&ptap_hook_notifier);
}
