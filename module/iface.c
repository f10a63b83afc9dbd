// SPDX-License-Identifier: GPL-2.0
/*
 * The session's list of interfaces.
 *
 * It only grows, and an entry never changes but for its mark "gone", so that
 * the hook and the rings' caches may hold on to entries without a reference
 * until the session is destroyed.  The hook looks an entry up without a lock;
 * to add one it takes iface_lock, once per interface.
 */
#include <linux/if_arp.h>
#include <linux/slab.h>
#include "iface.h"
#include "limits.h"
#include "meta.h"
#include "record.h"
#include "ring.h"
#include "session.h"

/*
 * Link type of a device's packets, as libpcap names it; @raw: they start at the
 * network header.
 *
 * Values: https://www.tcpdump.org/linktypes.html; the mapping is that of
 * libpcap for packet sockets, which cooks the packets of PPP and of every
 * device that it does not know, tunnels with keys and headers among them.
 */
static u32 ptap_iface_linktype(u16 arphrd, bool raw)
{
	switch (arphrd) {
	case ARPHRD_ETHER:
	case ARPHRD_LOOPBACK:
	case ARPHRD_METRICOM:
		return raw ? 101 : 1;	/* LINKTYPE_RAW, LINKTYPE_ETHERNET */
	case ARPHRD_NONE:
	case ARPHRD_TUNNEL:
	case ARPHRD_SIT:
	case ARPHRD_SLIP:
	case ARPHRD_CSLIP:
	case ARPHRD_SLIP6:
	case ARPHRD_CSLIP6:
	case ARPHRD_ADAPT:
	case ARPHRD_RAWHDLC:
	case ARPHRD_DLCI:
		return 101;	/* LINKTYPE_RAW */
	case ARPHRD_CAN:
		return 227;	/* LINKTYPE_CAN_SOCKETCAN */
	case ARPHRD_NETLINK:
		return PTAP_LINKTYPE_NETLINK;
	case ARPHRD_IEEE80211:
		return 105;	/* LINKTYPE_IEEE802_11 */
	case ARPHRD_IEEE80211_PRISM:
		return 119;	/* LINKTYPE_IEEE802_11_PRISM */
	case ARPHRD_IEEE80211_RADIOTAP:
		return 127;	/* LINKTYPE_IEEE802_11_RADIOTAP */
	case ARPHRD_IEEE802154:
		return 230;	/* LINKTYPE_IEEE802_15_4_NOFCS */
	case ARPHRD_IEEE802:
	case ARPHRD_IEEE802_TR:
		return 6;	/* LINKTYPE_IEEE802_5 */
	case ARPHRD_AX25:
		return 202;	/* LINKTYPE_AX25_KISS */
	case ARPHRD_ARCNET:
		return 129;	/* LINKTYPE_ARCNET_LINUX */
	case ARPHRD_FDDI:
		return 10;	/* LINKTYPE_FDDI */
	case ARPHRD_HDLC:
		return 104;	/* LINKTYPE_C_HDLC */
	case ARPHRD_FRAD:
		return 107;	/* LINKTYPE_FRELAY */
	case ARPHRD_LOCALTLK:
		return 114;	/* LINKTYPE_LTALK */
	case ARPHRD_VSOCKMON:
		return 271;	/* LINKTYPE_VSOCK */
	}
	return PTAP_LINKTYPE_LINUX_SLL;
}

static u8 ptap_iface_cooked_len(const struct ptap_session *s, u32 linktype)
{
	if (s->cfg.linktype != PTAP_LINKTYPE_NATIVE)
		linktype = s->cfg.linktype;
	switch (linktype) {
	case PTAP_LINKTYPE_LINUX_SLL2:
		return PTAP_SLL2_LEN;
	case PTAP_LINKTYPE_LINUX_SLL:
	case PTAP_LINKTYPE_NETLINK:
		return PTAP_SLL_LEN;
	}
	return 0;
}

static struct ptap_iface *ptap_iface_lookup(struct ptap_session *s,
					    const struct net_device *dev,
					    bool raw)
{
	struct ptap_iface *i;

	hash_for_each_possible_rcu(s->iface_table, i, node, dev->ifindex)
		if (ptap_iface_matches(i, dev, raw))
			return i;
	return NULL;
}

/* Called with iface_lock held. */
static struct ptap_iface *ptap_iface_add_locked(struct ptap_session *s,
						const struct net_device *dev,
						bool raw)
{
	/* Read once: a tun device's changes, and all below belongs together. */
	u16 arphrd = READ_ONCE(dev->type);
	struct ptap_iface *i;
	u32 id = s->nr_ifaces;

	lockdep_assert_held(&s->iface_lock);
	if (id >= PTAP_IFACES_MAX)
		return NULL;
	i = kzalloc(sizeof(*i), GFP_ATOMIC | __GFP_NOWARN);
	if (!i)
		return NULL;
	if (ptap_meta_alloc(&s->cfg, i))
		goto free;
	i->id = id;
	i->ifindex = dev->ifindex;
	i->arphrd = arphrd;
	i->raw = raw;
	i->linktype = ptap_iface_linktype(arphrd, raw);
	i->cooked_len = ptap_iface_cooked_len(s, i->linktype);
	/* Not in cooked records, where libpcap leaves it. */
	i->tag = arphrd == ARPHRD_CAN && !i->cooked_len ? PTAP_TAG_CAN :
							     PTAP_TAG_NONE;
	i->addr_len = min_t(u32, dev->addr_len, sizeof(i->addr));
	memcpy(i->addr, dev->dev_addr, i->addr_len);
	strscpy(i->name, dev->name, sizeof(i->name));
	if (xa_err(xa_store(&s->iface_ids, id, i, GFP_ATOMIC | __GFP_NOWARN)))
		goto free;
	hash_add_rcu(s->iface_table, &i->node, i->ifindex);
	/* Who sees the number finds the entries. */
	smp_store_release(&s->nr_ifaces, id + 1);
	return i;

free:
	ptap_meta_free(i);
	kfree(i);
	return NULL;
}

/**
 * ptap_iface_add - the interface of a device, added if it is new
 * @s: session
 * @dev: device of the session's namespace
 * @raw: its packets start at the network header
 *
 * Context: any with the device kept alive, by RTNL or RCU.
 * Return: the interface, or NULL without memory.
 */
struct ptap_iface *ptap_iface_add(struct ptap_session *s,
				  const struct net_device *dev, bool raw)
{
	struct ptap_iface *i;

	spin_lock_bh(&s->iface_lock);
	i = ptap_iface_lookup(s, dev, raw);
	if (!i)
		i = ptap_iface_add_locked(s, dev, raw);
	spin_unlock_bh(&s->iface_lock);
	return i;
}

/**
 * ptap_iface_find - the interface of a device that the ring's cache has not
 * @s: session
 * @r: ring of this CPU
 * @dev: device the packet came from
 * @raw: the packet starts at the network header
 *
 * Context: hook, under RCU.
 * Return: the interface, or NULL if it is new and there is no memory for it.
 */
struct ptap_iface *ptap_iface_find(struct ptap_session *s, struct ptap_ring *r,
				   const struct net_device *dev, bool raw)
{
	struct ptap_iface *i = ptap_iface_lookup(s, dev, raw);

	if (!i)
		i = ptap_iface_add(s, dev, raw);
	if (!i)
		return NULL;
	*ptap_ring_iface(r, dev) = i;
	/* Stands before the head that publishes the first record. */
	if (i->id >= READ_ONCE(r->ctl->nr_ifaces))
		WRITE_ONCE(r->ctl->nr_ifaces, i->id + 1);
	return i;
}

/* Entries live as long as the session, so no lock is needed to look. */
struct ptap_iface *ptap_iface_by_id(struct ptap_session *s, u32 id)
{
	if (id >= smp_load_acquire(&s->nr_ifaces))
		return NULL;
	return xa_load(&s->iface_ids, id);
}

/**
 * ptap_iface_gone - a device leaves the namespace; forget its index
 * @s: session
 * @dev: the device
 *
 * Context: process, under RTNL.
 */
void ptap_iface_gone(struct ptap_session *s, const struct net_device *dev)
{
	struct ptap_iface *i;

	rcu_read_lock();
	hash_for_each_possible_rcu(s->iface_table, i, node, dev->ifindex)
		if (i->ifindex == dev->ifindex)
			WRITE_ONCE(i->gone, true);
	rcu_read_unlock();
}

/* No hook may be left, nor a reader. */
void ptap_iface_free_all(struct ptap_session *s)
{
	struct ptap_iface *i;
	unsigned long id;

	xa_for_each(&s->iface_ids, id, i) {
		ptap_meta_free(i);
		kfree(i);
	}
	xa_destroy(&s->iface_ids);
}
