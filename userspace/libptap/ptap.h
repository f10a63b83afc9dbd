/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * ptap.h - libptap, the reader's side of the packet tap /dev/tap.
 *
 * A capture is: ptap_create(), ptap_open() with a configuration, a filter if
 * wanted, ptap_start(), then packets one by one (ptap_packet_next()) or spans
 * of ready file bytes (ptap_spans_next()), ptap_wait() when there are none, at
 * last ptap_stop(), what is left, and ptap_destroy().
 *
 * Functions return 0 or a count, and a negative errno on failure; ptap_error()
 * has a sentence for the last failure of a handle.  Times are nanoseconds of
 * CLOCK_REALTIME, lengths are bytes.  A handle is for one thread at a time;
 * several handles are independent.  The constants PTAP_FORMAT_*, PTAP_DIR_*,
 * PTAP_LINKTYPE_*, PTAP_META_*, enum ptap_drop, and the structures ptap_info,
 * ptap_iface_info and ptap_stats are those of <linux/ptap.h>.
 */
#ifndef PTAP_H
#define PTAP_H

#include <linux/ptap.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#ifdef __cplusplus
extern "C" {
#endif

/** struct ptap - a capture; opaque */
struct ptap;

/**
 * enum ptap_mode - how the library takes the packets out of the kernel
 * @PTAP_MODE_MMAP: from the mapped rings, without a copy
 * @PTAP_MODE_READ: with read(), which copies and merges in the kernel
 */
enum ptap_mode {
	PTAP_MODE_MMAP			= 0,
	PTAP_MODE_READ			= 1,
};

/* ptap_config.flags */
#define PTAP_CONFIG_PROMISC	(1U << 0) /* interfaces promiscuous meanwhile */
#define PTAP_CONFIG_IMMEDIATE	(1U << 1) /* every packet wakes ptap_wait() */
#define PTAP_CONFIG_COPYBREAK	(1U << 2) /* @copybreak is set, also when 0 */
#define PTAP_CONFIG_NO_OPTIMIZE	(1U << 3) /* filters as they were compiled */
#define PTAP_CONFIG_CLOCK_TSC	(1U << 4) /* times from the TSC */
#define PTAP_CONFIG_DESCRIBE	(1U << 5) /* pcapng headers tell all there is */
#define PTAP_CONFIG_CLOCK_ADAPTER (1U << 6) /* see PTAP_SETUP_CLOCK_ADAPTER */

/**
 * struct ptap_config - what to capture; zeroes are the defaults
 * @size: sizeof(struct ptap_config); members beyond it count as 0
 * @flags: PTAP_CONFIG_*
 * @ifaces: names of the interfaces; interface i of the list gets id i
 * @nr_ifaces: their number; 0 for all interfaces of the network namespace,
 *	those that appear later included
 * @format: enum ptap_format; 0 is pcapng
 * @linktype: LINKTYPE_ value of a pcap file: PTAP_LINKTYPE_LINUX_SLL or _SLL2
 *	for cooked headers, another for interfaces that have it; 0 for what the
 *	interface has, and with several or all of them LINUX_SLL2
 * @snaplen: bytes captured of a packet, at most; 0 for 262144
 * @direction: PTAP_DIR_* bits; 0 for both
 * @copybreak: packets of which more bytes are captured are kept as a clone and
 *	copied by the reader; see @flags
 * @meta: PTAP_META_* bits; pcapng only
 * @mode: enum ptap_mode
 * @watermark: bytes in a ring that wake ptap_wait(); 0 for the module's default
 * @flush_us: microseconds after which fewer bytes do; 0 for the default
 * @reserved: 0
 * @ring_size: bytes of each ring (there is one for each CPU), rounded up to a
 *	power of two; 0 for the default
 * @application: name and version of the program, for headers with
 *	PTAP_CONFIG_DESCRIBE; NULL for the library's
 *
 * With PTAP_CONFIG_DESCRIBE the headers of a pcapng file name machine, system
 * and application, and each interface's description, addresses, speed and
 * filter, as they are when the interface's block is given out.
 */
struct ptap_config {
	size_t size;
	const char *const *ifaces;
	uint32_t nr_ifaces;
	uint32_t flags;
	uint32_t format;
	uint32_t linktype;
	uint32_t snaplen;
	uint32_t direction;
	uint32_t copybreak;
	uint32_t meta;
	uint32_t mode;
	uint32_t watermark;
	uint32_t flush_us;
	uint32_t reserved;
	uint64_t ring_size;
	const char *application;
};

/**
 * ptap_create - make a handle
 *
 * Return: the handle, or NULL without memory.
 */
struct ptap *ptap_create(void);

/**
 * ptap_destroy - end a capture in whatever state it is, and free the handle
 * @p: handle, or NULL
 */
void ptap_destroy(struct ptap *p);

/**
 * ptap_open - open the device and set the session up
 * @p: handle, fresh
 * @config: what to capture; NULL for the defaults
 *
 * Nothing is captured before ptap_start().
 *
 * Return: 0; -ENOENT no device (the module is not loaded), -EPERM or -EACCES no
 * permission, -EPROTO the module speaks another ABI, -ENODEV no such interface,
 * -EEXIST an interface twice, -EMEDIUMTYPE interfaces of different link types
 * in a pcap file or of another than @linktype, -EINVAL a value out of range,
 * -E2BIG an unknown member that is not 0, -ENOMEM, -EBUSY the handle is open.
 */
int ptap_open(struct ptap *p, const struct ptap_config *config);

/**
 * ptap_filter_set - capture only what a filter expression accepts
 * @p: handle, open
 * @text: expression in libpcap's language (pcap-filter(7)); NULL or "" for all
 *
 * May be called at any time until ptap_stop(); the old filter is replaced at
 * once.  On failure the old one stays.
 *
 * What the kernel cannot run - a loop, more instructions than it takes, a look
 * at a part of a cooked header that only the file has - is run by the library
 * on what the kernel's part of the filter accepts; see ptap_filter_why().  Such
 * packets are taken whole out of the kernel, whatever the snapshot length, and
 * copied.  What the library's part refuses counts as filtered, as if the kernel
 * had refused it: in ptap_stats_get() and ptap_iface_get(), from when the
 * library has looked at it, and in the packets' numbers of PTAP_META_PACKETID,
 * which leave none out of those given out.  Only with PTAP_MODE_READ and
 * without PTAP_META_PACKETID it cannot be told which ring it came from: the
 * counters of each ring have it as captured then, those of PTAP_RING_ALL do
 * not.
 *
 * Return: 0; -EINVAL a syntax error, or an expression that makes no sense for
 * the interface's link type (libpcap's message is in ptap_error()), -EOPNOTSUPP
 * neither the kernel nor the library can run it, -ENOMEM, -EBUSY the capture is
 * stopped, -EBADF the handle is not open.
 */
int ptap_filter_set(struct ptap *p, const char *text);

/**
 * ptap_filter_why - what the kernel cannot run of the filter
 * @p: handle
 *
 * Return: a part of a sentence; NULL if it runs all of it.
 */
const char *ptap_filter_why(const struct ptap *p);

/**
 * ptap_filter_load - the same with finished programs
 * @p: handle, open
 * @progs: programs, as PTAP_IOC_FILTER takes them
 * @nr: their number, at most PTAP_FILTER_PROGS_MAX; 0 for no filter
 *
 * Return: 0, or a negative errno as above.
 */
int ptap_filter_load(struct ptap *p, const struct ptap_filter_prog *progs,
		     unsigned int nr);

/**
 * ptap_lock - from here on the session can only be read
 * @p: handle, open
 *
 * Configuration and filter stay as they are, for good; start, wait, take, stop
 * and ask go on.  For a program that gives its rights up before it looks at the
 * first packet.  With a module that does not know it yet nothing happens.
 *
 * Return: 0, -EBADF the handle is not open.
 */
int ptap_lock(struct ptap *p);

/**
 * ptap_start - begin to capture
 * @p: handle, open
 *
 * Return: 0; -ENODEV an interface is gone, -EBUSY it was started before,
 * -ENOMEM, -EBADF the handle is not open.
 */
int ptap_start(struct ptap *p);

/**
 * ptap_stop - capture no more
 * @p: handle
 *
 * What was captured stays: go on until -ENODATA to have all of it.  The
 * counters stand still from here on.  Stopping twice does no harm.
 *
 * Return: 0, -EBUSY the capture has not been started, -EBADF.
 */
int ptap_stop(struct ptap *p);

/**
 * ptap_wait - sleep until there is something to take
 * @p: handle, started
 * @timeout_ms: milliseconds at most; negative for ever
 * @sigmask: signal mask to sleep with, as ppoll() takes it; NULL for the
 *	current one
 *
 * To be called when ptap_packet_next() or ptap_spans_next() returned 0.
 *
 * Return: 1 look again, 0 the time is over, -EINTR a signal, -EBADF.
 */
int ptap_wait(struct ptap *p, int timeout_ms, const sigset_t *sigmask);

/* Descriptors that ptap_wait_any() takes. */
#define PTAP_WAIT_OTHERS_MAX	7

/**
 * ptap_wait_any - the same, or until another descriptor is ready
 * @p: handle, started
 * @others: descriptors and events, as poll() takes them; negative ones are
 *	ignored.  Their revents tell afterwards which is ready.
 * @nr: their number, PTAP_WAIT_OTHERS_MAX at most
 * @timeout_ms: as above
 * @sigmask: as above
 *
 * Return: 1 look again, at @others too, 0 the time is over, -EINTR, -EINVAL
 * too many, -EBADF.
 */
int ptap_wait_any(struct ptap *p, struct pollfd *others, unsigned int nr,
		  int timeout_ms, const sigset_t *sigmask);

/**
 * ptap_fd - the device's file descriptor, for poll() and epoll
 * @p: handle, open
 *
 * Readable when ptap_wait() would return.  It may be readable for a fraction of
 * a millisecond before the packets can be taken in the order of time;
 * ptap_wait() sleeps that long.
 *
 * Return: the descriptor, or -EBADF.
 */
int ptap_fd(const struct ptap *p);

/**
 * ptap_gone - did the capture end because its last interface is gone?
 * @p: handle
 *
 * Return: 1 or 0.
 */
int ptap_gone(const struct ptap *p);

/* Packets ----------------------------------------------------------------- */

#define PTAP_IFACE_UNKNOWN	0xffffffffU

/**
 * struct ptap_packet - a packet
 * @ts_ns: time, nanoseconds since 1970
 * @data: its first @caplen bytes, of the link layer @linktype
 * @caplen: bytes captured
 * @len: bytes that it had
 * @iface: id of its interface, or PTAP_IFACE_UNKNOWN where the format of the
 *	session does not say (pcap, several interfaces, LINUX_SLL)
 * @linktype: LINKTYPE_ value of @data
 * @direction: PTAP_DIR_IN or PTAP_DIR_OUT; 0 where it is not known: it is with
 *	PTAP_META_FLAGS, and in cooked sessions
 */
struct ptap_packet {
	uint64_t ts_ns;
	const uint8_t *data;
	uint32_t caplen;
	uint32_t len;
	uint32_t iface;
	uint32_t linktype;
	uint32_t direction;
};

/**
 * ptap_packet_next - the next packet in the order of time
 * @p: handle, started
 * @pkt: set; @pkt->data is valid until the next call
 *
 * Return: 1; 0 there is none now (see ptap_wait()), -ENODATA there will be none
 * any more, -EINTR, -EBADF, -EIO records that make no sense.
 */
int ptap_packet_next(struct ptap *p, struct ptap_packet *pkt);

/* Spans of file bytes ------------------------------------------------------ */

/**
 * struct ptap_spans - bytes of the capture file, as writev() takes them
 * @iov: spans, in the order of the file; never split a record
 * @nr: their number
 * @nr_headers: so many at the front are file headers: the preamble, or blocks
 *	of interfaces that have appeared since; the others hold whole records
 * @header_bytes: bytes of these
 * @bytes: bytes of all
 * @records: records in the others
 */
struct ptap_spans {
	const struct iovec *iov;
	unsigned int nr;
	unsigned int nr_headers;
	uint64_t header_bytes;
	uint64_t bytes;
	uint64_t records;
};

/**
 * ptap_spans_next - the next piece of the capture file
 * @p: handle, started
 * @max_records: at most so many records; 0 for as many as there are
 * @spans: set; valid until ptap_spans_release()
 *
 * The first piece begins with the file's header.  Do not mix with
 * ptap_packet_next() on a handle.
 *
 * Return: the number of spans; 0 there are none now (see ptap_wait()), -ENODATA
 * there will be none any more, -EBUSY the last spans are not released, -EINTR,
 * -EBADF, -ENOMEM, -EIO.
 */
int ptap_spans_next(struct ptap *p, uint64_t max_records,
		    struct ptap_spans *spans);

/**
 * ptap_spans_release - the spans are written; their memory may be used again
 * @p: handle
 */
void ptap_spans_release(struct ptap *p);

/**
 * ptap_preamble_get - the header that a further file needs
 * @p: handle, open
 * @buf: where to, or NULL to ask for the length
 * @len: bytes at @buf
 *
 * Header and interfaces as they have been given out so far, in spans that are
 * held too: their records, and the next spans, fit behind it.  For a file that
 * begins in the middle of a capture.
 *
 * Return: bytes; -ENOSPC @buf is too small, -EBADF.
 */
long ptap_preamble_get(struct ptap *p, void *buf, size_t len);

/* Writing files ------------------------------------------------------------ */

/** struct ptap_writer - writes spans to a file or a pipe; opaque */
struct ptap_writer;

/**
 * ptap_writer_create - make a writer
 * @fd: where to; stays the caller's, and is written to from where it stands
 * @format: enum ptap_format of the spans
 *
 * Return: the writer, or NULL without memory.
 */
struct ptap_writer *ptap_writer_create(int fd, uint32_t format);

/** ptap_writer_destroy - free a writer; the file descriptor stays open */
void ptap_writer_destroy(struct ptap_writer *w);

/**
 * ptap_writer_put - write spans
 * @w: writer
 * @spans: what to write, straight from where it is
 *
 * Nothing is buffered.  On an error a regular file is cut back to the end of
 * the last whole record, and the counts below say what is in it; nothing more
 * can be written then.
 *
 * Return: 0; -ENOSPC, -EDQUOT, -EFBIG, -EIO, -EPIPE and what else write() says.
 */
int ptap_writer_put(struct ptap_writer *w, const struct ptap_spans *spans);

/**
 * ptap_writer_resume - try again after an error
 * @w: writer
 *
 * For a regular file, which ends with a whole record: when there is room again,
 * say, ptap_writer_put() can go on with the records that are not counted yet.
 */
void ptap_writer_resume(struct ptap_writer *w);

/** ptap_writer_records - whole records written so far */
uint64_t ptap_writer_records(const struct ptap_writer *w);

/** ptap_writer_bytes - bytes written so far, headers and whole records */
uint64_t ptap_writer_bytes(const struct ptap_writer *w);

/* What is going on -------------------------------------------------------- */

/**
 * ptap_info_get - the session's configuration as it came to be
 * @p: handle, open
 * @info: set
 *
 * Return: 0 or -EBADF.
 */
int ptap_info_get(struct ptap *p, struct ptap_info *info);

/**
 * ptap_iface_get - an interface of the session
 * @p: handle, open
 * @id: its id, from 0 to ptap_info.nr_ifaces - 1
 * @info: set
 *
 * Return: 0, -ENOENT no such id, -EBADF.
 */
int ptap_iface_get(struct ptap *p, uint32_t id, struct ptap_iface_info *info);

/**
 * ptap_stats_get - counters since ptap_start(), never cleared
 * @p: handle, open
 * @ring: index of a ring (below ptap_info.nr_rings), or PTAP_RING_ALL
 * @stats: set.  @stats->consumed counts the records that were released to the
 *	kernel, by mapping or by read(), @stats->high_water the most bytes that
 *	were in a ring when that was done
 *
 * Return: 0, -EINVAL no such ring, -EBADF.
 */
int ptap_stats_get(struct ptap *p, uint32_t ring, struct ptap_stats *stats);

/** ptap_stats_dropped - sum of ptap_stats.dropped */
uint64_t ptap_stats_dropped(const struct ptap_stats *stats);

/** ptap_drop_name - a few words for a cause, or NULL if there is no such */
const char *ptap_drop_name(unsigned int drop);

/**
 * ptap_error - what went wrong last, on what, and what to do
 * @p: handle
 *
 * Return: a sentence without a full stop; "" if nothing went wrong.
 */
const char *ptap_error(const struct ptap *p);

/** ptap_strerror - a few words for an errno, negative or not */
const char *ptap_strerror(int err);

/** ptap_version - version of the library */
const char *ptap_version(void);

#ifdef __cplusplus
}
#endif

#endif /* PTAP_H */
