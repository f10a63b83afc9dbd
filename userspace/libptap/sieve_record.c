// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * sieve_record.c - a record that the kernel leaves to the reader: judged, and
 * if it is accepted, as the kernel would have made it.
 *
 * It is cut to the snapshot length.  The numbers of the packets of a ring leave
 * none out, so they count without those that were not accepted; and what such a
 * packet told of losses before it, the next one of its interface tells.
 *
 * Format: draft-ietf-opsawg-pcapng, section 4.3.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "offload.h"
#include "ptap.h"
#include "sieve.h"

#define OPT_HEAD_LEN		4U
#define EPB_FLAGS		2
#define EPB_DROPCOUNT		4
#define EPB_PACKETID		5
#define ETHER_ADDRS_LEN		12U
#define TAG_LEN			4U

/**
 * struct ptap_epb - an Enhanced Packet Block
 * @rec: it
 * @size: its bytes
 * @iface: interface id
 * @ring: ring
 * @options: offset of its options
 * @after_flags: offset behind epb_flags, or where that would stand
 * @lost_at: offset of epb_dropcount's value, or 0
 * @id_at: offset of epb_packetid's value, or 0
 * @lost: the former
 * @id: the latter
 */
struct ptap_epb {
	const u8 *rec;
	u32 size;
	u32 iface;
	u32 ring;
	u32 options;
	u32 after_flags;
	u32 lost_at;
	u32 id_at;
	u64 lost;
	u64 id;
};

static u32 ptap_padded(u32 len)
{
	return (len + 3) & ~3U;
}

static void ptap_put_u32(u8 *to, u32 v)
{
	memcpy(to, &v, sizeof(v));
}

/* An array of zeroes that grows to @nr entries. */
static int ptap_grow(u64 **array, u32 *have, u32 nr)
{
	u64 *more;

	if (nr <= *have)
		return 0;
	more = realloc(*array, nr * sizeof(*more));
	if (!more)
		return -ENOMEM;
	memset(more + *have, 0, (nr - *have) * sizeof(*more));
	*array = more;
	*have = nr;
	return 0;
}

static const struct ptap_sieve_prog *ptap_prog_of(const struct ptap_sieve *s,
						  u32 marks, u32 linktype)
{
	const struct ptap_sieve_set *set = &s->sets[PTAP_MARK_NR(marks)];
	u32 i;

	for (i = 0; i < set->nr; i++)
		if (set->progs[i].linktype == PTAP_LINKTYPE_ANY ||
		    set->progs[i].linktype == linktype)
			return &set->progs[i];
	return NULL;
}

/* Bytes that the filter wants of a packet with marks. */
static u32 ptap_judge(const struct ptap_sieve *s, u32 iface, const u8 *data,
		      u32 caplen, u32 marks)
{
	struct ptap_sieve_packet pkt = {
		.data = data,
		.caplen = caplen,
		.len = PTAP_MARK_LEN(marks),
		.pkttype = PTAP_MARK_PKTTYPE(marks),
	};
	struct ptap_iface_key key = { .linktype = PTAP_LINKTYPE_ANY };
	const struct ptap_sieve_prog *prog;

	s->iface(s->ctx, iface, &key);
	pkt.ifindex = key.ifindex;
	prog = ptap_prog_of(s, marks, key.linktype);
	if (!prog)
		return 0;
	pkt.len -= prog->header;
	/* In LINUX_SLL the tag follows its protocol, as in Ethernet. */
	pkt.hole = prog->header ? PTAP_SLL_LEN - 2 : ETHER_ADDRS_LEN;
	pkt.tag = marks & PTAP_MARK_VLAN && caplen >= pkt.hole + TAG_LEN;
	if (pkt.tag)
		pkt.len -= TAG_LEN;
	return ptap_sieve_run(prog->insns, &pkt);
}

static u32 ptap_least(u32 a, u32 b)
{
	return a < b ? a : b;
}

/* A record is not accepted. */
static int ptap_count_refused(struct ptap_sieve *s, u32 ring)
{
	if (ring != PTAP_RING_ALL) {
		if (ptap_grow(&s->by_ring, &s->nr_rings, ring + 1))
			return -ENOMEM;
		s->by_ring[ring]++;
	}
	s->sieved++;
	return 0;
}

static int ptap_record_pcap(struct ptap_sieve *s, const u8 *rec, u32 size,
			    u8 *to, u32 *len)
{
	u32 caplen = get_unaligned_u32(rec + 8);
	u32 marks = get_unaligned_u32(rec + 12);
	u32 limit = UINT32_MAX;

	if (marks & PTAP_MARK_SIEVE) {
		limit = ptap_judge(s, 0, rec + PTAP_PCAP_RECORD_LEN, caplen,
				   marks);
		size = PTAP_PCAP_RECORD_LEN +
		       ptap_least(caplen, ptap_least(limit, s->snaplen));
		marks = PTAP_MARK_LEN(marks);
	}
	if (limit) {
		memcpy(to, rec, size);
		ptap_put_u32(to + 8, size - PTAP_PCAP_RECORD_LEN);
		ptap_put_u32(to + 12, marks);
	}
	*len = limit ? size : 0;
	return limit ? 0 : ptap_count_refused(s, s->ring);
}

/* Which options does it have? */
static void ptap_epb_read(struct ptap_epb *e)
{
	u32 at = e->options, end = e->size - sizeof(u32), n;
	u16 head[2];

	e->after_flags = at;
	while (at + OPT_HEAD_LEN <= end) {
		memcpy(head, e->rec + at, sizeof(head));
		n = OPT_HEAD_LEN + ptap_padded(head[1]);
		if (!head[0] || at + n > end)
			return;
		if (head[0] == EPB_FLAGS) {
			e->after_flags = at + n;
		} else if (head[0] == EPB_DROPCOUNT && head[1] == sizeof(u64)) {
			e->lost_at = at + OPT_HEAD_LEN;
			memcpy(&e->lost, e->rec + e->lost_at, sizeof(u64));
		} else if (head[0] == EPB_PACKETID && head[1] == sizeof(u64)) {
			e->id_at = at + OPT_HEAD_LEN;
			memcpy(&e->id, e->rec + e->id_at, sizeof(u64));
		}
		at += n;
	}
}

static struct ptap_sieve_lost *ptap_lost_of(const struct ptap_sieve *s,
					    u32 iface, u32 ring)
{
	u32 i;

	for (i = 0; i < s->nr_lost; i++)
		if (s->lost[i].iface == iface && s->lost[i].ring == ring)
			return &s->lost[i];
	return NULL;
}

/* The record goes; what it told of losses stays. */
static int ptap_epb_refuse(struct ptap_sieve *s, const struct ptap_epb *e)
{
	struct ptap_sieve_lost *more;

	if (ptap_grow(&s->by_iface, &s->nr_ifaces, e->iface + 1))
		return -ENOMEM;
	if (e->lost && !ptap_lost_of(s, e->iface, e->ring)) {
		more = realloc(s->lost, (s->nr_lost + 1) * sizeof(*more));
		if (!more)
			return -ENOMEM;
		s->lost = more;
		more[s->nr_lost++] = (struct ptap_sieve_lost){
			.iface = e->iface, .ring = e->ring,
		};
	}
	if (e->lost)
		ptap_lost_of(s, e->iface, e->ring)->nr += e->lost;
	s->by_iface[e->iface]++;
	return ptap_count_refused(s, e->ring);
}

static u8 *ptap_copy_part(u8 *to, const struct ptap_epb *e, u32 from, u32 end)
{
	memcpy(to, e->rec + from, end - from);
	return to + (end - from);
}

/* The options, with a number and losses that are true of the file. */
static u8 *ptap_epb_options(struct ptap_sieve *s, const struct ptap_epb *e,
			    u8 *to)
{
	struct ptap_sieve_lost *l = ptap_lost_of(s, e->iface, e->ring);
	u32 end = e->size - sizeof(u32);
	u16 head[2] = { EPB_DROPCOUNT, sizeof(u64) };
	u64 lost = e->lost, id = e->id;
	u8 *tail;

	if (l) {
		lost += l->nr;
		l->nr = 0;
	}
	id -= ptap_sieve_of_ring(s, e->ring);
	to = ptap_copy_part(to, e, e->options, e->after_flags);
	if (lost && !e->lost_at) {
		memcpy(to, head, sizeof(head));
		memcpy(to + OPT_HEAD_LEN, &lost, sizeof(lost));
		to += OPT_HEAD_LEN + sizeof(lost);
	}
	tail = to - e->after_flags;
	to = ptap_copy_part(to, e, e->after_flags, end);
	if (e->lost_at)
		memcpy(tail + e->lost_at, &lost, sizeof(lost));
	if (e->id_at)
		memcpy(tail + e->id_at, &id, sizeof(id));
	if (lost && end == e->options) {
		ptap_put_u32(to, 0);
		to += OPT_HEAD_LEN;
	}
	return to;
}

static int ptap_record_epb(struct ptap_sieve *s, const u8 *rec, u32 size,
			   u8 *to, u32 *len)
{
	u32 caplen = get_unaligned_u32(rec + 20);
	u32 marks = get_unaligned_u32(rec + 24), limit = UINT32_MAX;
	struct ptap_epb e = {
		.rec = rec, .size = size, .iface = get_unaligned_u32(rec + 8),
		.ring = s->ring,
	};
	u8 *at;

	*len = 0;
	if (caplen > size - PTAP_EPB_MIN_LEN)
		return -EIO;
	e.options = PTAP_EPB_HEAD_LEN + ptap_padded(caplen);
	ptap_epb_read(&e);
	if (e.id_at)
		e.ring = (u32)PTAP_PACKETID_RING(e.id);
	if (marks & PTAP_MARK_SIEVE) {
		limit = ptap_judge(s, e.iface, rec + PTAP_EPB_HEAD_LEN, caplen,
				   marks);
		if (!limit)
			return ptap_epb_refuse(s, &e);
		caplen = ptap_least(caplen, ptap_least(limit, s->snaplen));
		marks = PTAP_MARK_LEN(marks);
	}
	memcpy(to, rec, PTAP_EPB_HEAD_LEN + caplen);
	memset(to + PTAP_EPB_HEAD_LEN + caplen, 0,
	       ptap_padded(caplen) - caplen);
	at = ptap_epb_options(s, &e, to + PTAP_EPB_HEAD_LEN +
				     ptap_padded(caplen));
	*len = (u32)(at - to) + sizeof(u32);
	ptap_put_u32(to + 4, *len);
	ptap_put_u32(to + 20, caplen);
	ptap_put_u32(to + 24, marks);
	ptap_put_u32(at, *len);
	return 0;
}

/**
 * ptap_sieve_record - sift a record
 * @s: sieve
 * @rec: record
 * @size: its bytes
 * @to: room for PTAP_SIEVE_MORE bytes more than @size
 * @len: set to the bytes at @to, 0 if the filter does not accept it
 *
 * Return: 0, -ENOMEM, -EIO the record makes no sense.
 */
int ptap_sieve_record(struct ptap_sieve *s, const u8 *rec, u32 size, u8 *to,
		      u32 *len)
{
	if (s->format == PTAP_FORMAT_PCAPNG)
		return ptap_record_epb(s, rec, size, to, len);
	return ptap_record_pcap(s, rec, size, to, len);
}
