/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * sieve.h - the part of a filter that the kernel cannot run, on records.
 *
 * The kernel's part (offload.h) accepts more packets than the filter does, and
 * marks their records (PTAP_MARK_SIEVE).  The sieve runs libpcap's program on
 * what the filter saw: the whole packet, without a VLAN tag that the device had
 * taken out, with the ancillary data that libpcap asks for.  What it accepts is
 * cut to the snapshot length and looks as if the kernel had decided; of what it
 * does not accept nothing is left but a count.
 *
 * Filters change while records of the old one are in the rings: the mark has
 * the number of the filter, and the last PTAP_SIEVES are kept.
 *
 * Needs no device; one thread at a time.
 */
#ifndef PTAP_SIEVE_H
#define PTAP_SIEVE_H

#include <linux/filter.h>
#include <sys/uio.h>
#include "atomics.h"
#include "merge.h"

#define PTAP_SIEVES	8U
/* A record gets longer by epb_dropcount and the end of the options. */
#define PTAP_SIEVE_MORE	16U

/**
 * struct ptap_iface_key - what packets tell of their interface, or need of it
 * @ifindex: its index
 * @linktype: link type of its packets
 */
struct ptap_iface_key {
	u32 ifindex;
	u32 linktype;
};

/**
 * struct ptap_sieve_prog - a program, and where it applies
 * @linktype: of the interface, or PTAP_LINKTYPE_ANY
 * @header: bytes of the cooked header that records have, or 0
 * @nr: instructions
 * @insns: they; the sieve frees them
 */
struct ptap_sieve_prog {
	u32 linktype;
	u32 header;
	u32 nr;
	struct sock_filter *insns;
};

/**
 * struct ptap_sieve_set - the programs of one filter
 * @nr: their number
 * @progs: the first whose link type fits decides
 */
struct ptap_sieve_set {
	u32 nr;
	struct ptap_sieve_prog progs[PTAP_FILTER_PROGS_MAX];
};

/**
 * struct ptap_sieve_lost - packets that a record told to be lost and that went
 * with the record: the next one tells it
 * @iface: interface id
 * @ring: ring
 * @nr: their number
 */
struct ptap_sieve_lost {
	u32 iface;
	u32 ring;
	u64 nr;
};

/**
 * struct ptap_sieve - the sieve of a capture
 * @format: enum ptap_format
 * @snaplen: captured bytes of a packet, at most
 * @iface: asks for an interface by its id; false if there is none
 * @ring_of: tells the ring that memory is of, or PTAP_RING_ALL; may be NULL
 * @ctx: passed to both
 * @ring: what it told of the records that come
 * @sets: by number
 * @nr: number of the present one
 * @sieved: records that were not accepted
 * @by_iface: the same by interface id
 * @nr_ifaces: entries there
 * @by_ring: the same by ring, where that is known: by the memory that a record
 *	is in, or by its number
 * @nr_rings: entries there
 * @lost: what is still to be told
 * @nr_lost: entries there
 * @buf: records that were accepted
 * @room: bytes there
 * @iov: spans given out
 */
struct ptap_sieve {
	u32 format;
	u32 snaplen;
	bool (*iface)(void *ctx, u32 id, struct ptap_iface_key *key);
	u32 (*ring_of)(void *ctx, const void *memory);
	void *ctx;
	u32 ring;
	struct ptap_sieve_set sets[PTAP_SIEVES];
	u32 nr;
	u64 sieved;
	u64 *by_iface;
	u32 nr_ifaces;
	u64 *by_ring;
	u32 nr_rings;
	struct ptap_sieve_lost *lost;
	u32 nr_lost;
	u8 *buf;
	size_t room;
	struct iovec iov[2];
};

/**
 * struct ptap_sieve_packet - a packet as the filter saw it
 * @data: its bytes in the record
 * @caplen: their number
 * @len: what the program gets as length
 * @hole: so many bytes at the front, before a VLAN tag that it does not see
 * @tag: there is one
 * @pkttype: PACKET_* of <linux/if_packet.h>
 * @ifindex: its interface
 */
struct ptap_sieve_packet {
	const u8 *data;
	u32 caplen;
	u32 len;
	u32 hole;
	bool tag;
	u32 pkttype;
	u32 ifindex;
};

struct ptap_spans;

/* sieve_run.c */
const char *ptap_sieve_refuses(const struct sock_filter *insns, u32 nr,
			       bool ifindex);
u32 ptap_sieve_run(const struct sock_filter *insns,
		   const struct ptap_sieve_packet *pkt);

/* sieve.c */
u32 ptap_sieve_next(const struct ptap_sieve *s);
void ptap_sieve_replace(struct ptap_sieve *s, const struct ptap_sieve_set *set);
void ptap_sieve_free(struct ptap_sieve *s);
int ptap_sieve_spans(struct ptap_sieve *s, struct ptap_spans *spans);
u64 ptap_sieve_of_iface(const struct ptap_sieve *s, u32 iface);
u64 ptap_sieve_of_ring(const struct ptap_sieve *s, u32 ring);

/* sieve_record.c */
int ptap_sieve_record(struct ptap_sieve *s, const u8 *rec, u32 size, u8 *to,
		      u32 *len);

#endif /* PTAP_SIEVE_H */
