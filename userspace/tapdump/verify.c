// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * verify.c - is a capture complete? (--verify)
 *
 * The files of a capture, in order, tell by themselves: the numbers of records
 * (--meta id) show what was captured and is not there, the losses that packets
 * name (--meta drops) what the kernel could not keep and where, and the
 * accounts of sums.c how many packets there have to be.  What the files cannot
 * tell is not taken for good.  A file that goes on begins with an account; one
 * that does not begins another capture, and the one before was cut off.
 *
 * Compressed files are unpacked on the way.
 *
 * Prints each place where packets are missing, and a verdict.  Needs no device.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "blocks.h"
#include "tapdump.h"
#include "unpack.h"
#include "verdict.h"

#define EPB_FIXED	20U	/* interface, time, two lengths */
#define IDB_FIXED	8U
#define ISB_FIXED	12U

enum {
	EPB_DROPCOUNT	= 4,
	EPB_PACKETID	= 5,
	IF_NAME		= 2,
	IF_TSRESOL	= 9,
	ISB_STARTTIME	= 2,
	ISB_ENDTIME	= 3,
	ISB_FILTERACCEPT = 6,
	ISB_OSDROP	= 7,
	ISB_USRDELIV	= 8,
};

/**
 * struct packet - what is looked at of a packet
 * @iface: its interface
 * @time: in the unit of its interface
 * @id: epb_packetid, or 0
 * @lost: epb_dropcount, or 0
 */
struct packet {
	uint32_t iface;
	uint64_t time;
	uint64_t id;
	uint64_t lost;
};

static int damaged(struct blocks *b, const char *why)
{
	b->why = why;
	return -1;
}

static struct viface *iface_of(struct verify *v, uint32_t id)
{
	return id < v->nr_section ? &v->ifaces[id] : NULL;
}

/* A section of the same capture describes the same interfaces again. */
static int see_interface(struct verify *v, struct blocks *b)
{
	struct block_option o = { .next = IDB_FIXED };
	struct viface *i;
	uint8_t tsresol = 6;
	int ret;

	if (b->len < IDB_FIXED)
		return damaged(b, "an interface block is too short");
	i = verify_iface(v, v->nr_section++);
	i->name[0] = '\0';
	while ((ret = blocks_option(b, &o)) > 0) {
		if (o.code == IF_TSRESOL && o.len == 1)
			tsresol = *o.data;
		if (o.code == IF_NAME)
			snprintf(i->name, sizeof(i->name), "%.*s", (int)o.len,
				 (const char *)o.data);
	}
	i->tsresol = tsresol;
	return ret;
}

static void see_section(struct verify *v)
{
	v->nr_section = 0;
	if (v->ended)
		verify_finish(v);
	v->fresh = true;
}

/* The section is none of the capture that was looked at, which is over. */
static void another_capture(struct verify *v)
{
	const char *file = v->place.file;
	uint64_t start = v->start;

	v->place.file = v->last_file;
	verify_finish(v);
	v->place.file = file;
	v->start_before = start;
}

/* The first packet of a section: does the capture go on? */
static void see_first(struct verify *v, const struct packet *p)
{
	bool goes_on = p->id && !v->start &&
		       !(PTAP_PACKETID_SEQ(p->id) == 1 &&
			 verify_ring(v, PTAP_PACKETID_RING(p->id))->seq);

	if (v->packets && !goes_on)
		another_capture(v);
	v->fresh = false;
}

static uint64_t to_ns(const struct viface *i, uint64_t time)
{
	unsigned int n = i->tsresol & 0x7f;

	if (i->tsresol & 0x80)
		return n > 63 ? time : (uint64_t)(((__uint128_t)time *
						   1000000000) >> n);
	for (; n < 9; n++)
		time *= 10;
	for (; n > 9; n--)
		time /= 10;
	return time;
}

static int parse_packet(const struct verify *v, struct blocks *b,
			struct packet *p)
{
	struct block_option o = { 0 };
	uint32_t caplen;
	int ret;

	if (b->len < EPB_FIXED)
		return damaged(b, "a packet block is too short");
	p->iface = blocks_u32(b, b->body);
	p->time = blocks_time(b, b->body + 4);
	caplen = blocks_u32(b, b->body + 12);
	if (caplen > b->len - EPB_FIXED)
		return damaged(b, "a packet is longer than its block");
	if (p->iface >= v->nr_section)
		return damaged(b, "a packet's interface is not described");
	o.next = EPB_FIXED + ((caplen + 3) & ~3U);
	while ((ret = blocks_option(b, &o)) > 0) {
		if (o.code == EPB_PACKETID && o.len == 8)
			p->id = blocks_u64(b, o.data);
		if (o.code == EPB_DROPCOUNT && o.len == 8)
			p->lost = blocks_u64(b, o.data);
	}
	return ret;
}

/* What is in front of the packet by its number, of which none is left out. */
static int see_id(struct verify *v, struct blocks *b, const struct packet *p)
{
	uint64_t seq = PTAP_PACKETID_SEQ(p->id);
	struct vring *r = verify_ring(v, PTAP_PACKETID_RING(p->id));

	v->has_ids = true;
	/* A set need not begin with the capture. */
	if (!r->seq && v->late)
		r->seq = seq - 1;
	if (seq <= r->seq)
		return damaged(b, "packet numbers go back: packets are there twice, or files not in order");
	if (seq > r->seq + 1)
		verify_missing(v, VERIFY_NOT_WRITTEN, seq - r->seq - 1);
	r->seq = seq;
	return 0;
}

static int see_packet(struct verify *v, struct blocks *b)
{
	struct packet p = { 0 };
	struct viface *i;

	if (parse_packet(v, b, &p))
		return -1;
	if (v->fresh)
		see_first(v, &p);
	i = &v->ifaces[p.iface];
	v->last_file = v->place.file;
	v->packets++;
	v->in_file++;
	v->after_sums = 0;
	i->packets++;
	v->place.iface = i->name;
	v->place.time_ns = to_ns(i, p.time);
	v->place.ring = p.id ? (int)PTAP_PACKETID_RING(p.id) : -1;
	if (v->place.time_ns < v->last_ns)
		verify_unordered(v);
	v->last_ns = v->place.time_ns;
	if (p.lost) {
		i->told += p.lost;
		verify_missing(v, VERIFY_DROPPED, p.lost);
	}
	return p.id ? see_id(v, b, &p) : 0;
}

/* Packets of other programs' kinds: there is nothing to check in them. */
static void see_other_packet(struct verify *v)
{
	v->packets++;
	v->in_file++;
	v->after_sums = 0;
	v->fresh = false;
	v->last_file = v->place.file;
	if (v->nr_section)
		v->ifaces[0].packets++;
}

/* An account: what has been delivered has to be here. */
static int account(struct verify *v, struct blocks *b, struct viface *i,
		   const struct vsums *s)
{
	uint64_t have;

	if (!v->packets && !i->has_sums && s->delivered) {
		/* That of the file before, which we have not got. */
		i->base = s->delivered;
		i->base_dropped = s->dropped;
		v->late = true;
	}
	have = i->base + i->packets + i->short_of;
	if (s->delivered < have)
		return damaged(b, "there are more packets than the account says");
	if (s->delivered > have) {
		v->place.iface = i->name;
		verify_short(v, i, s->delivered - have);
	}
	i->sums = *s;
	i->has_sums = true;
	v->after_sums++;
	v->ended |= s->last;
	v->last_file = v->place.file;
	return 0;
}

/* All accounts of a capture tell when it began. */
static int see_start(struct verify *v, struct blocks *b, uint64_t start)
{
	if (v->start_before && start == v->start_before)
		return damaged(b, "this is a part of a capture that others came behind: the files are not in order");
	if (v->fresh && v->start && start != v->start)
		another_capture(v);
	v->start = start;
	v->fresh = false;
	return 0;
}

static int see_sums(struct verify *v, struct blocks *b)
{
	struct block_option o = { .next = ISB_FIXED };
	struct vsums s = { 0 };
	unsigned int have = 0;
	uint64_t start = 0;
	uint32_t id;
	int ret;

	if (b->len < ISB_FIXED)
		return damaged(b, "a statistics block is too short");
	id = blocks_u32(b, b->body);
	if (!iface_of(v, id))
		return damaged(b, "statistics of an interface that is not described");
	while ((ret = blocks_option(b, &o)) > 0) {
		if (o.len != 8)
			continue;
		have |= 1U << (o.code & 15);
		s.last |= o.code == ISB_ENDTIME;
		if (o.code == ISB_STARTTIME)
			start = blocks_time(b, o.data);
		if (o.code == ISB_FILTERACCEPT)
			s.accepted = blocks_u64(b, o.data);
		if (o.code == ISB_OSDROP)
			s.dropped = blocks_u64(b, o.data);
		if (o.code == ISB_USRDELIV)
			s.delivered = blocks_u64(b, o.data);
	}
	if (ret < 0)
		return ret;
	/* Other programs have other sums. */
	if (~have & (1U << ISB_FILTERACCEPT | 1U << ISB_OSDROP |
		     1U << ISB_USRDELIV))
		return 0;
	if (see_start(v, b, start))
		return -1;
	return account(v, b, iface_of(v, id), &s);
}

static int see_block(struct verify *v, struct blocks *b)
{
	switch (b->type) {
	case BLOCK_SHB:
		see_section(v);
		return 0;
	case BLOCK_IDB:
		return see_interface(v, b);
	case BLOCK_EPB:
		return see_packet(v, b);
	case BLOCK_ISB:
		return see_sums(v, b);
	case BLOCK_PB:
	case BLOCK_SPB:
		see_other_packet(v);
	}
	return 0;
}

static void verify_file(struct verify *v, const char *name)
{
	bool is_stdin = !strcmp(name, "-");
	FILE *raw = is_stdin ? stdin : fopen(name, "re");
	struct blocks b = { 0 };
	struct unpack *u;
	const char *why;
	int ret;

	if (!raw) {
		verify_unreadable(v, name, strerror(errno));
		return;
	}
	u = unpack_create(raw);
	if (!u)
		die("no memory");
	b.f = unpack_stream(u);
	verify_begin(v, name);
	do {
		ret = blocks_next(&b);
		if (ret > 0 && see_block(v, &b))
			ret = -1;
	} while (ret > 0);
	why = unpack_why(u);
	if (ret < 0)
		verify_damaged(v, b.off, why ? why : b.why);
	else if (!b.begun)
		verify_damaged(v, 0, "it is empty");
	blocks_free(&b);
	unpack_destroy(u);
	if (!is_stdin)
		fclose(raw);
}

/**
 * verify_files - say whether a capture is complete
 * @names: its files, in order
 * @verbose: print every place
 *
 * Return: 0 complete, 1 not, or not to be known, 2 damaged.
 */
int verify_files(char *const *names, bool verbose)
{
	struct verify v = { .verbose = verbose };
	int status;

	for (; *names; names++)
		verify_file(&v, *names);
	status = verify_end(&v);
	verify_free(&v);
	return status;
}
