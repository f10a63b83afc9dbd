/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * ptap: the interface of /dev/tap, a packet tap with one ring per CPU.
 *
 * What the kernel writes into a ring is the capture file: whole, consecutive
 * records of the format that the session asked for (classic pcap records or
 * pcapng Enhanced Packet Blocks), in host byte order.  A file is the preamble
 * (PTAP_IOC_PREAMBLE) followed by records, merged by time over the rings.
 *
 * An open file is one session.  It moves forward only:
 *
 *	NEW --SETUP--> SETUP --START--> RUNNING --STOP--> STOPPED
 *
 * and is consumed in one of two ways, chosen by the first use after SETUP:
 *
 *  read()  file bytes: the preamble, then records merged by time.  Records are
 *          never split; -EMSGSIZE says that the buffer cannot hold the next
 *          one.  read() of a NEW session sets it up with defaults (all
 *          interfaces of the network namespace, pcapng, nanoseconds) and
 *          starts it, so that "cat /dev/tap > x.pcapng" captures.  Once the
 *          session is stopped, or all of its interfaces are gone, read()
 *          returns what is left and then 0.
 *
 *  mmap()  the rings themselves; see struct ptap_ring_control for the layout
 *          and for the memory ordering that a reader must keep.
 *
 * poll() says POLLIN when a ring holds a watermark of bytes, or anything older
 * than the flush time, and POLLIN | POLLHUP when nothing more will come.  Both
 * read() and poll() fill deferred records in (see copybreak).
 *
 * Errors that any ioctl can return: -ENOTTY unknown command, -EFAULT bad
 * pointer, -EINVAL a size below the first version of the structure, a reserved
 * member or unknown flag that is not zero, -E2BIG a structure larger than the
 * kernel's with a byte set that the kernel does not know, or than a page.
 */
#ifndef _UAPI_LINUX_PTAP_H
#define _UAPI_LINUX_PTAP_H

#include <linux/ioctl.h>
#include <linux/types.h>

/**
 * PTAP_ABI - version of this interface; it changes when an old reader would
 * misread a new kernel, not by a longer structure or a feature bit
 */
#define PTAP_ABI			1

#define PTAP_DEVICE			"/dev/tap"
#define PTAP_IOC_MAGIC			0xBB

/*
 * Commands.  Structures grow at their ends and start with @size, as the caller
 * was compiled.  The kernel takes missing members as zero and leaves members
 * beyond @size alone.
 */
#define PTAP_IOC_INFO			_IO(PTAP_IOC_MAGIC, 0x00)
#define PTAP_IOC_SETUP			_IO(PTAP_IOC_MAGIC, 0x01)
#define PTAP_IOC_FILTER			_IO(PTAP_IOC_MAGIC, 0x02)
#define PTAP_IOC_START			_IO(PTAP_IOC_MAGIC, 0x03)
#define PTAP_IOC_STOP			_IO(PTAP_IOC_MAGIC, 0x04)
#define PTAP_IOC_DRAIN			_IO(PTAP_IOC_MAGIC, 0x05)
#define PTAP_IOC_SYNC			_IO(PTAP_IOC_MAGIC, 0x06)
#define PTAP_IOC_IFACE			_IO(PTAP_IOC_MAGIC, 0x07)
#define PTAP_IOC_PREAMBLE		_IO(PTAP_IOC_MAGIC, 0x08)
#define PTAP_IOC_STATS			_IO(PTAP_IOC_MAGIC, 0x09)
#define PTAP_IOC_LOCK			_IO(PTAP_IOC_MAGIC, 0x0a)

/**
 * enum ptap_state - where a session is in its life
 * @PTAP_STATE_NEW: opened, not configured
 * @PTAP_STATE_SETUP: configured, rings allocated, not attached
 * @PTAP_STATE_RUNNING: attached to its interfaces
 * @PTAP_STATE_STOPPED: detached; what the rings hold can still be read
 */
enum ptap_state {
	PTAP_STATE_NEW			= 0,
	PTAP_STATE_SETUP		= 1,
	PTAP_STATE_RUNNING		= 2,
	PTAP_STATE_STOPPED		= 3,
};

/**
 * enum ptap_format - what a record in the ring is
 * @PTAP_FORMAT_PCAPNG: pcapng Enhanced Packet Block, 64-bit nanoseconds, padded
 *	to 4 bytes; draft-ietf-opsawg-pcapng, section 4.3
 * @PTAP_FORMAT_PCAP_NSEC: pcap record with nanoseconds (magic 0xa1b23c4d), not
 *	padded; draft-ietf-opsawg-pcap, section 5
 * @PTAP_FORMAT_PCAP_USEC: pcap record with microseconds (magic 0xa1b2c3d4)
 */
enum ptap_format {
	PTAP_FORMAT_PCAPNG		= 0,
	PTAP_FORMAT_PCAP_NSEC		= 1,
	PTAP_FORMAT_PCAP_USEC		= 2,
};

/* ptap_setup.flags */
#define PTAP_SETUP_PROMISC		(1U << 0) /* while running */
#define PTAP_SETUP_COPYBREAK		(1U << 1) /* @copybreak is set */
#define PTAP_SETUP_CLOCK_TSC		(1U << 2) /* times from the TSC */
#define PTAP_SETUP_CLOCK_ADAPTER	(1U << 3) /* times from the adapter */

/* ptap_setup.direction */
#define PTAP_DIR_IN			(1U << 0)
#define PTAP_DIR_OUT			(1U << 1)

/* ptap_setup.linktype: LINKTYPE_ values of the pcap registry */
#define PTAP_LINKTYPE_NATIVE		0	/* what each interface has */
#define PTAP_LINKTYPE_LINUX_SLL		113	/* cooked, 16-byte header */
#define PTAP_LINKTYPE_LINUX_SLL2	276	/* cooked, 20-byte header */

/*
 * ptap_setup.meta: pcapng options behind each packet's data
 *
 * FLAGS: epb_flags: direction, reception type, checksum not ready (left to the
 *	device) or valid (the device says so), segmentation left to the device.
 * DROPCOUNT: epb_dropcount: packets that were lost on the packet's interface,
 *	on the packet's CPU, since its last record of that interface.  Absent
 *	where none was: the sum over a file is what was lost before its packets.
 * PACKETID: epb_packetid: PTAP_PACKETID(ring, sequence).  The sequence counts
 *	the records of the ring from 1 and leaves none out: a gap is a record
 *	that was captured and is not in the file.
 * QUEUE: epb_queue: the device's queue, where it is known.
 * HASH: epb_hash, Toeplitz: of the flow; of the connection, when sent.
 * COUNTS: no option: PTAP_IOC_IFACE counts packets per interface.
 */
#define PTAP_META_FLAGS			(1U << 0)
#define PTAP_META_DROPCOUNT		(1U << 1)
#define PTAP_META_PACKETID		(1U << 2)
#define PTAP_META_QUEUE			(1U << 3)
#define PTAP_META_HASH			(1U << 4)
#define PTAP_META_COUNTS		(1U << 5)

/* epb_packetid: the ring in the upper 16 bits, the sequence below */
#define PTAP_PACKETID_SEQ_BITS		48
#define PTAP_PACKETID(ring, seq) \
	((__u64)(ring) << PTAP_PACKETID_SEQ_BITS | (seq))
#define PTAP_PACKETID_RING(id)		((id) >> PTAP_PACKETID_SEQ_BITS)
#define PTAP_PACKETID_SEQ(id) \
	((id) & (((__u64)1 << PTAP_PACKETID_SEQ_BITS) - 1))

/* Largest captured length of a packet, as libpcap's MAXIMUM_SNAPLEN. */
#define PTAP_SNAPLEN_MAX		262144U

/**
 * struct ptap_info - PTAP_IOC_INFO: the session and the limits of the module
 * @size: in: sizeof(struct ptap_info)
 * @abi: PTAP_ABI of the module; a reader must refuse any other
 * @features: PTAP_FEATURE_* bits
 * @state: enum ptap_state
 * @nr_rings: number of rings; ring i belongs to possible CPU i
 * @page_size: bytes of a page in the mapping
 * @nr_ifaces: interfaces known to the session, ids 0 .. @nr_ifaces - 1
 * @nr_hooks: hooks attached now; 0 while RUNNING: every interface is gone
 * @format: enum ptap_format
 * @linktype: of the file; PTAP_LINKTYPE_NATIVE: each interface's own, in pcapng
 * @snaplen: captured bytes of a packet, at most
 * @direction: PTAP_DIR_* bits
 * @copybreak: see struct ptap_setup
 * @meta: PTAP_META_* bits
 * @watermark: bytes in a ring that wake a sleeper
 * @flush_us: microseconds that bytes below the watermark wait, at most
 * @flags: PTAP_INFO_LOCKED: PTAP_IOC_LOCK was called
 * @ring_size: data bytes of each ring, a power of two
 * @ring_stride: distance of the rings in the mapping's offset, in bytes
 * @ring_size_max: largest ring_size that SETUP takes
 *
 * Valid in every state; what SETUP decides is 0 in state NEW.
 */
struct ptap_info {
	__u32 size;
	__u32 abi;
	__u64 features;
	__u32 state;
	__u32 nr_rings;
	__u32 page_size;
	__u32 nr_ifaces;
	__u32 nr_hooks;
	__u32 format;
	__u32 linktype;
	__u32 snaplen;
	__u32 direction;
	__u32 copybreak;
	__u32 meta;
	__u32 watermark;
	__u32 flush_us;
	__u32 flags;
	__u64 ring_size;
	__u64 ring_stride;
	__u64 ring_size_max;
};

/* The lower 32 bits are the PTAP_META_* bits that SETUP takes. */
#define PTAP_FEATURE_META_FLAGS		(1ULL << 0)
#define PTAP_FEATURE_META_DROPCOUNT	(1ULL << 1)
#define PTAP_FEATURE_META_PACKETID	(1ULL << 2)
#define PTAP_FEATURE_META_QUEUE		(1ULL << 3)
#define PTAP_FEATURE_META_HASH		(1ULL << 4)
#define PTAP_FEATURE_META_COUNTS	(1ULL << 5)
#define PTAP_FEATURE_LOCK		(1ULL << 32) /* PTAP_IOC_LOCK exists */
#define PTAP_FEATURE_SIEVE		(1ULL << 33) /* FILTER_SIEVE too */

#define PTAP_INFO_LOCKED		(1U << 0)

/**
 * struct ptap_setup - PTAP_IOC_SETUP: the whole configuration, NEW -> SETUP
 * @size: in: sizeof(struct ptap_setup)
 * @flags: PTAP_SETUP_* bits.  CLOCK_TSC: time stamps come from the CPU's time
 *	stamp counter, which is matched with CLOCK_REALTIME each millisecond:
 *	cheaper, and at most a microsecond beside it, but for the millisecond
 *	after the clock is set or a virtual machine has moved.  CLOCK_ADAPTER:
 *	a received packet has the time that its adapter gave it, if it did (see
 *	SIOCSHWTSTAMP), others CLOCK_REALTIME.  Records are not in the order of
 *	such times, and horizon_ns of PTAP_IOC_SYNC says nothing.  One clock.
 * @format: enum ptap_format
 * @linktype: PTAP_LINKTYPE_NATIVE, _LINUX_SLL or _LINUX_SLL2.  A pcap file has
 *	one link type: with NATIVE its interfaces must have the same one, and
 *	all interfaces of a namespace (@nr_ifaces 0) need a cooked type.  The
 *	cooked types are for pcap formats only.
 * @snaplen: captured bytes of a packet at most, a cooked header and a VLAN tag
 *	included; 0 for PTAP_SNAPLEN_MAX, which is also the largest
 * @direction: PTAP_DIR_* bits; 0 for both
 * @copybreak: a packet of which more bytes than this are captured is kept as a
 *	clone of its socket buffer, and copied by read(), poll() or
 *	PTAP_IOC_DRAIN instead of by the receiving CPU.  0 clones every packet.
 *	Without PTAP_SETUP_COPYBREAK the module's parameter copybreak applies.
 * @meta: PTAP_META_* bits; pcapng only
 * @watermark: bytes in a ring that wake a sleeper; 0 for the smaller of 256 KiB
 *	and a quarter of the ring; 1 wakes for each packet (immediate mode)
 * @flush_us: microseconds after which fewer bytes wake a sleeper; 0 for 5000;
 *	at most 1000000
 * @nr_ifaces: number of entries in @ifaces, at most 1024; 0 for all interfaces
 *	of the network namespace, those that appear later included
 * @reserved: 0
 * @ring_size: data bytes of each ring, rounded up to a power of two of at least
 *	64 KiB and at least twice the largest record; 0 for the default
 * @ifaces: pointer to @nr_ifaces interface indices (__u32), by their ids
 *
 * Errors: -EBUSY not in state NEW, -EPERM locked, -EINVAL a value out of range
 * or a combination that cannot be, -ENODEV an index that names no interface,
 * -EEXIST an index twice, -EMEDIUMTYPE interfaces of different link types in a
 * pcap file, -EOPNOTSUPP a @meta bit that PTAP_IOC_INFO does not list, or
 * CLOCK_TSC with neither invariant TSC nor the module's parameter tsc, -EPERM
 * PROMISC without CAP_NET_ADMIN, -ENOMEM no memory, or over session_mb.
 */
struct ptap_setup {
	__u32 size;
	__u32 flags;
	__u32 format;
	__u32 linktype;
	__u32 snaplen;
	__u32 direction;
	__u32 copybreak;
	__u32 meta;
	__u32 watermark;
	__u32 flush_us;
	__u32 nr_ifaces;
	__u32 reserved;
	__u64 ring_size;
	__u64 ifaces;
};

/**
 * struct ptap_filter_prog - one classic BPF program and where it applies
 * @linktype: packets of interfaces with this LINKTYPE_ value;
 *	PTAP_LINKTYPE_ANY for every packet
 * @flags: PTAP_FILTER_COOKED: the program starts at the network header, as that
 *	of a SOCK_DGRAM packet socket does.  Otherwise it starts at the link
 *	layer header (at the network header where a device has none).  A VLAN
 *	tag that the device took out is seen through the ancillary data of
 *	<linux/filter.h>, as in a packet socket.
 *	PTAP_FILTER_SIEVE: see PTAP_MARK_SIEVE.
 * @len: number of instructions, 1 .. BPF_MAXINSNS
 * @reserved: 0
 * @insns: pointer to @len struct sock_filter
 *
 * The return value is the number of bytes to capture, 0 for none; snaplen
 * limits it further.
 */
struct ptap_filter_prog {
	__u32 linktype;
	__u32 flags;
	__u32 len;
	__u32 reserved;
	__u64 insns;
};

#define PTAP_LINKTYPE_ANY		0xffffffffU
#define PTAP_FILTER_COOKED		(1U << 0)
#define PTAP_FILTER_SIEVE		(1U << 1)
#define PTAP_FILTER_SIEVE_NR(nr)	((__u32)(nr) << 24) /* 0 .. 7 */
#define PTAP_FILTER_PROGS_MAX		16U

/*
 * What PTAP_FILTER_SIEVE accepts, the reader judges again: the record has all
 * of the packet, up to half a ring, and in the upper bits of its original
 * length, for the reader to take out: that it is such a record, that the VLAN
 * tag in its bytes was not among the filter's, skb->pkt_type, the program's nr.
 */
#define PTAP_MARK_SIEVE			(1U << 31)
#define PTAP_MARK_VLAN			(1U << 30)
#define PTAP_MARK_PKTTYPE(len)		((len) >> 27 & 7)
#define PTAP_MARK_NR(len)		((len) >> 24 & 7)
#define PTAP_MARK_LEN(len)		((len) & 0xffffffU)

/**
 * struct ptap_filter - PTAP_IOC_FILTER: replace the session's filter
 * @size: in: sizeof(struct ptap_filter)
 * @flags: 0
 * @nr_progs: number of programs, at most PTAP_FILTER_PROGS_MAX; 0 removes the
 *	filter, so that every packet is captured
 * @reserved: 0
 * @progs: pointer to @nr_progs struct ptap_filter_prog
 *
 * The first program whose @linktype fits a packet's interface decides; a packet
 * that none fits is filtered out.  The programs change together and at once,
 * also while RUNNING: each packet is judged by the old filter or by the new
 * one, and once the call returns by the new one only.
 *
 * Errors: -EBUSY not in state SETUP or RUNNING, -EPERM the session is locked,
 * -EINVAL too many programs or one that the BPF checker refuses, -ENOMEM.
 */
struct ptap_filter {
	__u32 size;
	__u32 flags;
	__u32 nr_progs;
	__u32 reserved;
	__u64 progs;
};

/*
 * PTAP_IOC_START (no argument): SETUP -> RUNNING.  Attaches the hooks.
 * Errors: -EBUSY not in state SETUP, -ENODEV an interface is gone, -ENOMEM.
 *
 * PTAP_IOC_STOP (no argument): RUNNING -> STOPPED.  When it returns the hooks
 * are gone, every record is complete and published, and the counters stand
 * still.  Errors: -EBUSY not in state RUNNING.
 *
 * PTAP_IOC_LOCK (no argument): from here on the session can only be read: SETUP
 * and FILTER fail with -EPERM, for every holder of the file and for good.  What
 * asks and what consumes goes on, START and STOP too.  Errors: -EBUSY in NEW.
 */

/**
 * struct ptap_drain - PTAP_IOC_DRAIN: copy deferred packets into their records
 * @size: in: sizeof(struct ptap_drain)
 * @ring: index of a ring, or PTAP_RING_ALL
 * @filled: out: records filled in
 *
 * For readers of the mapping: call it when a ring's @pending is ahead of its
 * @head.  poll() does it too.  Errors: -EBUSY in NEW, -EINVAL no such ring.
 */
struct ptap_drain {
	__u32 size;
	__u32 ring;
	__u64 filled;
};

#define PTAP_RING_ALL			0xffffffffU

/**
 * struct ptap_sync - PTAP_IOC_SYNC: a time before which everything is published
 * @size: in: sizeof(struct ptap_sync)
 * @flags: 0
 * @horizon_ns: out: CLOCK_REALTIME nanoseconds; each record with an earlier
 *	time stamp is complete and before the @head of its ring
 *
 * Waits for an RCU grace period, some milliseconds.  Errors: -EBUSY in NEW.
 */
struct ptap_sync {
	__u32 size;
	__u32 flags;
	__u64 horizon_ns;
};

/**
 * struct ptap_iface_info - PTAP_IOC_IFACE: an interface of the session
 * @size: in: sizeof(struct ptap_iface_info)
 * @id: in: its id, which is the interface id of pcapng records
 * @ifindex: index in the session's network namespace
 * @linktype: LINKTYPE_ value of its packets, as libpcap has it: LINUX_SLL where
 *	that cooks, NETLINK of nlmon; both have LINUX_SLL's header
 * @arphrd: its ARPHRD_ type
 * @flags: PTAP_IFACE_GONE: unregistered or moved to another namespace
 * @addr_len: bytes of @addr, 0 .. 32
 * @reserved: 0
 * @addr: hardware address
 * @name: name when the session met it, NUL-terminated
 * @captured: records of its packets; this and the next two are 0 without
 *	PTAP_META_COUNTS or _DROPCOUNT
 * @filtered: its packets that the filter did not want
 * @dropped: its packets that were lost
 *
 * A packet whose interface could not be looked at is in no @dropped, but in
 * struct ptap_stats: PTAP_DROP_NESTED and PTAP_DROP_NO_MEMORY.
 *
 * Errors: -EBUSY in state NEW, -ENOENT no such id.
 */
struct ptap_iface_info {
	__u32 size;
	__u32 id;
	__u32 ifindex;
	__u32 linktype;
	__u32 arphrd;
	__u32 flags;
	__u32 addr_len;
	__u32 reserved;
	__u8  addr[32];
	char  name[16];
	__u64 captured;
	__u64 filtered;
	__u64 dropped;
};

#define PTAP_IFACE_GONE			(1U << 0)

/**
 * struct ptap_preamble - PTAP_IOC_PREAMBLE: what stands before the records
 * @size: in: sizeof(struct ptap_preamble)
 * @flags: in: PTAP_PREAMBLE_HEADER: begin with the pcap header, or the pcapng
 *	Section Header Block.  Interface Description Blocks follow, in pcapng,
 *	for the ids @first_iface .. @nr_ifaces - 1.
 * @first_iface: in: see @flags
 * @nr_ifaces: out: the number of interfaces known now
 * @len: in: bytes at @buf; out: bytes written, or needed with -ENOSPC
 * @reserved: 0
 * @buf: pointer to the buffer
 *
 * A new file starts with the header and all interfaces.  When a ring's
 * @nr_ifaces has grown, the new blocks go before the records up to its @head.
 *
 * Errors: -EBUSY in state NEW, -ENOSPC @buf is too small.
 */
struct ptap_preamble {
	__u32 size;
	__u32 flags;
	__u32 first_iface;
	__u32 nr_ifaces;
	__u32 len;
	__u32 reserved;
	__u64 buf;
};

#define PTAP_PREAMBLE_HEADER		(1U << 0)

/**
 * enum ptap_drop - why a packet that the filter accepted is not in a ring
 * @PTAP_DROP_RING_FULL: the reader was too slow
 * @PTAP_DROP_TOO_BIG: the record is more than half of the ring
 * @PTAP_DROP_MALFORMED: no usable link layer header
 * @PTAP_DROP_COPY_FAULT: the packet's bytes could not be read
 * @PTAP_DROP_NESTED: a packet came from a hard interrupt inside the hook
 * @PTAP_DROP_BAD_CONSUMER: the reader's position was outside of the ring
 * @PTAP_DROP_NO_MEMORY: no memory to describe a new interface
 * @PTAP_DROP_LINKTYPE: the interface's link type is not that of the pcap file
 * @PTAP_DROP_NR: number of reasons
 */
enum ptap_drop {
	PTAP_DROP_RING_FULL		= 0,
	PTAP_DROP_TOO_BIG		= 1,
	PTAP_DROP_MALFORMED		= 2,
	PTAP_DROP_COPY_FAULT		= 3,
	PTAP_DROP_NESTED		= 4,
	PTAP_DROP_BAD_CONSUMER		= 5,
	PTAP_DROP_NO_MEMORY		= 6,
	PTAP_DROP_LINKTYPE		= 7,
	PTAP_DROP_NR			= 8,
};

/**
 * struct ptap_stats - PTAP_IOC_STATS: counters since START, never cleared
 * @size: in: sizeof(struct ptap_stats)
 * @ring: in: index of a ring, or PTAP_RING_ALL for the sum
 * @seen: packets that the hook was given, were of the session's interfaces and
 *	direction, and were not the second sight of a loopback packet
 * @captured: records written
 * @filtered: packets that the filter did not want
 * @dropped: packets lost, by enum ptap_drop; the rest is 0
 * @captured_bytes: bytes of the records written
 * @consumed: records that read() has delivered
 * @consumed_bytes: bytes of these
 * @cloned: captured records that were deferred by a clone
 * @clone_fallback: packets above copybreak that were copied at once: made of
 *	a list of fragments, the queue of clones full, or no clone to be had
 * @fill_faults: deferred records whose bytes could not be read and are 0
 * @wakeups: times that a sleeper was woken
 * @high_water: bytes in the (fullest) ring, at most; read() measures it, so it
 *	is 0 in a session that is mapped
 *
 * After STOP, and for each ring, exactly:
 *
 *	seen = captured + filtered + sum(dropped)
 *	captured = consumed + records left in the ring	(for read() sessions)
 *
 * While RUNNING the members of a ring are read one after the other.
 * Errors: -EBUSY in state NEW, -EINVAL no such ring.
 */
struct ptap_stats {
	__u32 size;
	__u32 ring;
	__u64 seen;
	__u64 captured;
	__u64 filtered;
	__u64 dropped[16];
	__u64 captured_bytes;
	__u64 consumed;
	__u64 consumed_bytes;
	__u64 cloned;
	__u64 clone_fallback;
	__u64 fill_faults;
	__u64 wakeups;
	__u64 high_water;
};

/**
 * struct ptap_ring_control - first page of a ring's read-only mapping
 * @size: sizeof(struct ptap_ring_control) in the module
 * @abi: PTAP_ABI
 * @ring: index of this ring
 * @format: enum ptap_format
 * @data_size: data bytes, a power of two
 * @reserved0: not written, nor is @reserved1
 * @head: position behind the last published record
 * @pending: where it is ahead of @head, position behind the last record that
 *	is reserved: the records between wait for PTAP_IOC_DRAIN
 * @busy: 1 while the hook works on a packet for this ring
 * @nr_ifaces: every record before @head has an interface id below this
 * @polled_ns: in ring 0, CLOCK_REALTIME when poll() last found something
 *
 * Ring i is mapped at offset i * ring_stride of the device:
 *
 *	page 0		struct ptap_ring_consumer; MAP_SHARED, read, write
 *	page 1		struct ptap_ring_control; MAP_SHARED, read only
 *	page 2 ...	@data_size bytes of data, then the same pages once more,
 *			so that a record is always in one piece; read only
 *
 * Allowed mappings: page 0 alone; page 1 alone; page 1 with the data twice;
 * the data once or twice.  Errors of mmap(): -EINVAL another range or a private
 * mapping, -EPERM writable or executable where that is not allowed, -EBUSY not
 * set up, or the session is consumed by read().
 *
 * Positions are free-running 64-bit byte counts, compared by signed difference;
 * a byte's place in the data is position & (data_size - 1).  Readable are whole
 * records, from the consumer's @tail to @head.
 *
 * Memory ordering, for a reader:
 *
 *  (1) load @head with acquire semantics, then @nr_ifaces and the data.  It
 *      pairs with the release with which the kernel publishes @head.
 *  (2) when done with the bytes, store @tail with release semantics.  It pairs
 *      with the acquire with which the kernel sees that the space is free: no
 *      byte is overwritten while it is being read.
 *  (3) to merge by time, for a bound W before which nothing more can come: read
 *      CLOCK_REALTIME (or @polled_ns, with acquire), subtract a hold-back
 *      (PTAP_HOLDBACK_NS), load @busy with acquire semantics, then (call
 *      PTAP_IOC_DRAIN if @pending is ahead, and) do (1).  If @busy was 0, each
 *      record of this ring with a time stamp below W is before @head.  The
 *      hold-back covers the time that the CPU's store of @busy = 1 may take to
 *      be seen: a hook that is interrupted later shows as busy.  If @busy was
 *      1, only the last record's time is known.
 *      PTAP_IOC_SYNC gives a bound that rests on a grace period.
 *      A record newer than the clock by more than PTAP_SET_BACK_NS says that
 *      the clock was set back: W tells nothing then; give out what is there.
 *
 * Within a ring, time stamps ascend as CLOCK_REALTIME does.
 */
struct ptap_ring_control {
	__u32 size;
	__u32 abi;
	__u32 ring;
	__u32 format;
	__u64 data_size;
	__u64 reserved0[13];
	__u64 head;
	__u64 pending;
	__u32 busy;
	__u32 nr_ifaces;
	__u64 polled_ns;
	__u64 reserved1[12];
};

#define PTAP_HOLDBACK_NS		10000U
#define PTAP_SET_BACK_NS		50000U

/**
 * struct ptap_ring_consumer - the page of a ring that its reader writes
 * @tail: position up to which the reader is done, at first that of the first
 *	record, which lies as in a file (PTAP_FORMAT_PCAP*: behind 24 bytes);
 *	outside of the ring it counts as a full ring (PTAP_DROP_BAD_CONSUMER)
 * @awake: not 0: the reader looks at the ring by itself, do not wake it; it
 *	must set 0 before it sleeps in poll()
 * @reserved: ignored
 */
struct ptap_ring_consumer {
	__u64 tail;
	__u32 awake;
	__u32 reserved;
};

#endif /* _UAPI_LINUX_PTAP_H */
