/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Interfaces as a session knows them: an id for the life of the session, given
 * when the first packet comes or at SETUP, and a link type that never changes.
 */
#ifndef PTAP_IFACE_H
#define PTAP_IFACE_H

#include <linux/netdevice.h>
#include <linux/types.h>

struct ptap_iface_counters;
struct ptap_ring;
struct ptap_session;

/**
 * struct ptap_iface - an interface of a session; constant but for @gone
 * @node: in session->iface_table
 * @counts: for each ring, if the session asks for them; or NULL
 * @id: interface id of its records
 * @ifindex: index in the session's namespace
 * @linktype: LINKTYPE_ value
 * @arphrd: dev->type
 * @raw: packets have no usable link layer header: they start at the network one
 * @cooked_len: bytes of the cooked header of its records: 0, 16 or 20
 * @tag: enum ptap_tag of packets without a VLAN tag
 * @gone: unregistered, or moved away; its index may come to another device
 * @addr_len: bytes of @addr
 * @addr: hardware address
 * @name: name at the time
 */
struct ptap_iface {
	struct hlist_node node;
	struct ptap_iface_counters *counts;
	u32 id;
	u32 ifindex;
	u32 linktype;
	u16 arphrd;
	bool raw;
	bool gone;
	u8 cooked_len;
	u8 tag;
	u8 addr_len;
	u8 addr[MAX_ADDR_LEN];
	char name[IFNAMSIZ];
};

struct ptap_iface *ptap_iface_find(struct ptap_session *s, struct ptap_ring *r,
				   const struct net_device *dev, bool raw);
struct ptap_iface *ptap_iface_by_id(struct ptap_session *s, u32 id);
struct ptap_iface *ptap_iface_add(struct ptap_session *s,
				  const struct net_device *dev, bool raw);
void ptap_iface_gone(struct ptap_session *s, const struct net_device *dev);
void ptap_iface_free_all(struct ptap_session *s);

/* Do packets of the device have a link layer header to go back to? */
static inline bool ptap_dev_has_header(const struct net_device *dev)
{
	/* Read once: a bond takes over that of its first interface. */
	const struct header_ops *ops = READ_ONCE(dev->header_ops);

	return ops && ops->create;
}

static inline bool ptap_iface_matches(const struct ptap_iface *i,
				      const struct net_device *dev, bool raw)
{
	return i->ifindex == dev->ifindex &&
	       i->arphrd == READ_ONCE(dev->type) &&
	       i->raw == raw && !READ_ONCE(i->gone);
}

#endif /* PTAP_IFACE_H */
