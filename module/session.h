/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A session: what one open file of /dev/tap captures, and how.
 *
 * Locks, outermost first:
 *
 *	session->lock		state changes, configuration, filter; mutex
 *	session->read_lock	read(): cursors and consumer positions; mutex
 *	RTNL			session->hooks, ptap_sessions, promiscuity
 *	ring->drain_lock	filling in deferred packets; mutex
 *	session->iface_lock	adding an interface; spinlock, BH off
 *
 * The hook takes none of them but iface_lock, for an interface it meets for the
 * first time.  No lock that the hook takes is held over a copy to the user.
 */
#ifndef PTAP_SESSION_H
#define PTAP_SESSION_H

#include <linux/hashtable.h>
#include <linux/hrtimer.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/sched.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/uidgid.h>
#include <linux/wait.h>
#include <linux/xarray.h>
#include <linux/ptap.h>

struct net;
struct ptap_filter_set;
struct ptap_reader;
struct ptap_ring;

/*
 * How a session is consumed; decided by the first use, never changed.  Mappings
 * that are being made are counted above the decision.
 */
#define PTAP_CONSUMER_NONE	0U
#define PTAP_CONSUMER_READ	1U
#define PTAP_CONSUMER_MMAP	2U
#define PTAP_CONSUMER_DECIDED	3U
#define PTAP_CONSUMER_MAPPING	4U

/* Where time stamps come from. */
enum ptap_clock_source {
	PTAP_CLOCK_HOST,		/* CLOCK_REALTIME */
	PTAP_CLOCK_TSC,			/* the ring's clock */
	PTAP_CLOCK_ADAPTER,		/* the packet, or CLOCK_REALTIME */
};

/**
 * struct ptap_config - the configuration, immutable from SETUP on
 * @format: enum ptap_format
 * @linktype: cooked link type, or PTAP_LINKTYPE_NATIVE
 * @file_linktype: the one link type of a pcap file; 0 in pcapng
 * @snaplen: 1 .. PTAP_SNAPLEN_MAX
 * @direction: PTAP_DIR_* bits
 * @copybreak: largest captured length that the hook copies
 * @meta: PTAP_META_* bits
 * @watermark: bytes
 * @flush_us: microseconds
 * @promisc: interfaces are promiscuous while running
 * @all: every interface of the namespace
 * @clock: where time stamps come from
 * @ring_size: data bytes of a ring
 */
struct ptap_config {
	u32 format;
	u32 linktype;
	u32 file_linktype;
	u32 snaplen;
	u32 direction;
	u32 copybreak;
	u32 meta;
	u32 watermark;
	u32 flush_us;
	bool promisc;
	bool all;
	enum ptap_clock_source clock;
	u64 ring_size;
};

/**
 * struct ptap_session - an open file of /dev/tap
 * @cfg: configuration, written by SETUP, read by all afterwards
 * @filter: RCU, written under @lock
 * @locked: PTAP_IOC_LOCK: configuration and filter stay; written under @lock
 * @stream: read() set it up, and is to start it; under @lock
 * @rings: one for each possible CPU, indexed by its number
 * @nr_rings: entries of @rings
 * @state: enum ptap_state; written under @lock, read anywhere
 * @consumer: PTAP_CONSUMER_*; changed by cmpxchg()
 * @nr_hooks: attached hooks; written under RTNL, read anywhere
 * @nr_ifaces: interfaces met; written under @iface_lock, with release
 * @iface_table: by interface index; added to under @iface_lock, read under RCU,
 *	emptied when the session ends
 * @iface_ids: by id
 * @iface_lock: serialises new interfaces
 * @setup_ifaces: interface indices of SETUP, for START
 * @nr_setup_ifaces: their number
 * @hooks: struct ptap_hook, under RTNL
 * @entry: in ptap_sessions, under RTNL
 * @net: the opener's network namespace, referenced
 * @owner: the opener's process, referenced
 * @uid: its user
 * @comm: its name
 * @wait: sleepers in poll() and read()
 * @flush_timer: runs only while somebody sleeps; see ptap_wake_sleep()
 * @flush_time: when it expires
 * @idle: the timer found nothing and asked the rings to be told of a packet
 * @reader: state of read()
 * @lock: see above
 * @read_lock: see above
 */
struct ptap_session {
	struct ptap_config cfg;
	struct ptap_filter_set __rcu *filter;
	bool locked;
	bool stream;
	struct ptap_ring **rings;
	u32 nr_rings;
	u32 state;
	u32 consumer;
	u32 nr_hooks;

	u32 nr_ifaces;
	DECLARE_HASHTABLE(iface_table, 6);
	struct xarray iface_ids;
	spinlock_t iface_lock;

	u32 *setup_ifaces;
	u32 nr_setup_ifaces;
	struct list_head hooks;
	struct list_head entry;
	struct net *net;
	struct pid *owner;
	kuid_t uid;
	char comm[TASK_COMM_LEN];

	wait_queue_head_t wait;
	struct hrtimer flush_timer;
	ktime_t flush_time;
	bool idle;

	struct ptap_reader *reader;
	struct mutex lock;
	struct mutex read_lock;
};

struct ptap_session *ptap_session_create(struct net *net);
void ptap_session_destroy(struct ptap_session *s);
int ptap_session_setup(struct ptap_session *s, const struct ptap_setup *setup);
int ptap_session_setup_stream(struct ptap_session *s);
int ptap_session_start(struct ptap_session *s);
int ptap_session_stop(struct ptap_session *s);
int ptap_session_lock(struct ptap_session *s);
int ptap_session_claim_read(struct ptap_session *s);
int ptap_session_map_begin(struct ptap_session *s);
void ptap_session_map_end(struct ptap_session *s, bool mapped);

u64 ptap_session_drain(struct ptap_session *s);
bool ptap_session_ended(const struct ptap_session *s);

/* SETUP is done and its results may be read. */
static inline bool ptap_session_is_setup(const struct ptap_session *s)
{
	return smp_load_acquire(&s->state) != PTAP_STATE_NEW;
}

#endif /* PTAP_SESSION_H */
