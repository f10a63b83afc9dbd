/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * A second reader of captures, written from <linux/ptap.h> and the pcap and
 * pcapng drafts alone: every byte of a record is checked.
 *
 * struct capture takes records, from read() or from ring memory, and gives
 * packets to the test.  struct tally checks that the packets are test frames,
 * each there exactly once.
 */
#ifndef PTAP_TEST_CAPTURE_H
#define PTAP_TEST_CAPTURE_H

#include <stdbool.h>
#include <stdint.h>
#include <linux/ptap.h>

#define LINKTYPE_ETHERNET	1
#define LINKTYPE_RAW		101
#define LINKTYPE_NETLINK	253

/**
 * struct packet - a packet of a capture
 * @data: captured bytes
 * @caplen: their number
 * @len: length of the packet
 * @ts: nanoseconds since 1970
 * @iface: interface id, 0 in pcap
 * @linktype: of the interface, or of the pcap file
 * @flags: epb_flags, with PTAP_META_FLAGS
 * @id: epb_packetid, or 0
 * @lost: epb_dropcount, or 0
 * @ring: where it comes from, in a session that is mapped
 */
struct packet {
	const uint8_t *data;
	uint32_t caplen;
	uint32_t len;
	uint64_t ts;
	uint32_t iface;
	uint32_t linktype;
	uint32_t flags;
	uint64_t id;
	uint64_t lost;
	uint32_t ring;
};

#define CAPTURE_IFACES_MAX	64U
#define CAPTURE_RINGS_MAX	64U

/**
 * struct capture - a capture that is being read
 * @format: enum ptap_format
 * @snaplen: nothing longer may come
 * @meta: PTAP_META_* bits
 * @from_ns: no packet is older
 * @last_ts: time of the last packet; the next one may not be older
 * @header: the file header was seen
 * @nr_ifaces: interfaces that were described
 * @linktypes: their link types; of pcap the first
 * @names: their names
 * @seq: last sequence of each ring, with PTAP_META_PACKETID
 * @packets: number of packets
 * @bytes: bytes of their records
 * @fn: is given each packet
 * @arg: for @fn
 */
struct capture {
	uint32_t format;
	uint32_t snaplen;
	uint32_t meta;
	uint64_t from_ns;
	uint64_t last_ts;
	bool header;
	uint32_t nr_ifaces;
	uint32_t linktypes[CAPTURE_IFACES_MAX];
	char names[CAPTURE_IFACES_MAX][17];
	uint64_t seq[CAPTURE_RINGS_MAX];
	uint64_t packets;
	uint64_t bytes;
	void (*fn)(void *arg, const struct packet *p);
	void *arg;
};

/* For the session @fd, which is set up. */
void capture_init(struct capture *c, int fd,
		  void (*fn)(void *arg, const struct packet *p), void *arg);
/* Bytes of a file: the header first, then whole blocks or records. */
void capture_file(struct capture *c, const void *buf, uint64_t len);
/* A record; returns its size.  The test ends if it is none. */
uint32_t capture_record(struct capture *c, const uint8_t *rec, uint64_t left,
			uint32_t ring);
/* Time stamp of a record, without a check. */
uint64_t record_time(uint32_t format, const uint8_t *rec);

/*
 * read() a session until it ends, or with @until not 0 until so many packets
 * have come, in pieces of @size bytes (0 for 256 KiB).
 */
void capture_read(struct capture *c, int fd, uint64_t until, size_t size);
/* One read(); returns what it returned. */
long capture_read_once(struct capture *c, int fd, size_t size);
/* STOP if it is running, read the rest, check the accounting, close. */
void capture_finish(struct capture *c, int fd);
/* The same for a session of which nothing has been read. */
void capture_discard(int fd);

#define TALLY_SENDERS		4U

/**
 * struct tally - which test frames came
 * @skipped: bytes that stand before a frame's bytes in a packet (cooked header)
 * @cut: bytes of the frame that are missing at its start
 * @nr: frames of each sender, numbers below TALLY_SEQ_MAX
 * @kinds: frames of each kind below 8
 * @seen: bits
 */
struct tally {
	uint32_t skipped;
	uint32_t cut;
	uint64_t nr[TALLY_SENDERS];
	uint64_t kinds[8];
	uint8_t *seen[TALLY_SENDERS];
};

#define TALLY_SEQ_MAX		(1U << 20)

void tally_init(struct tally *t);
void tally_reset(struct tally *t);
/* For struct capture: check and count a packet. */
void tally_packet(void *tally, const struct packet *p);
/* Are all frames first .. first + nr - 1 of this sender there? */
void tally_expect(const struct tally *t, uint8_t sender, uint64_t first,
		  uint64_t nr);
bool tally_has(const struct tally *t, uint8_t sender, uint64_t seq);

#endif /* PTAP_TEST_CAPTURE_H */
