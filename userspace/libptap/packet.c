// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * packet.c - spans cut into packets.
 *
 * Packets lie where the spans lie, nothing is copied: the memory of a batch is
 * given back when its last packet has been looked at.
 *
 * Formats: draft-ietf-opsawg-pcapng (Enhanced Packet Block), draft-ietf-opsawg-
 * pcap, and the cooked headers of the tcpdump group's list of link types.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include "internal.h"

#define PTAP_EPB_FLAGS		2
#define PTAP_SLL_LEN		16U
#define PTAP_SLL2_LEN		20U
#define PTAP_SLL_OUTGOING	4

/* The next spans, without their headers. */
static int ptap_packet_refill(struct ptap *p)
{
	int ret;

	ptap_spans_release(p);
	do {
		ret = ptap_spans_next(p, 0, &p->spans);
		if (ret <= 0)
			return ret;
		p->span = p->spans.nr_headers;
		p->span_off = 0;
		if (p->span == p->spans.nr)
			ptap_spans_release(p);
	} while (p->span == p->spans.nr);
	return 1;
}

/* Interfaces never change, so each is asked for once. */
static bool ptap_packet_learn(struct ptap *p)
{
	struct ptap_iface_info info = {
		.size = sizeof(info),
		.id = p->nr_ifaces,
	};
	struct ptap_iface_key *more;

	if (ioctl(p->fd, PTAP_IOC_IFACE, &info))
		return false;
	more = realloc(p->ifaces, (p->nr_ifaces + 1) * sizeof(*more));
	if (!more)
		return false;
	p->ifaces = more;
	more[p->nr_ifaces++] = (struct ptap_iface_key){
		.ifindex = info.ifindex,
		.linktype = info.linktype,
	};
	return true;
}

bool ptap_iface_key_get(void *ctx, u32 id, struct ptap_iface_key *key)
{
	struct ptap *p = ctx;

	while (id >= p->nr_ifaces)
		if (!ptap_packet_learn(p))
			return false;
	*key = p->ifaces[id];
	return true;
}

static u32 ptap_packet_linktype(struct ptap *p, u32 iface)
{
	struct ptap_iface_key key;

	return ptap_iface_key_get(p, iface, &key) ? key.linktype :
						    PTAP_LINKTYPE_ANY;
}

/* epb_flags, the first option if it is there */
static u32 ptap_packet_flags(const u8 *rec, u32 size, u32 caplen)
{
	u32 opt = PTAP_EPB_HEAD_LEN + ((caplen + 3) & ~3U);
	u16 code[2];

	if (opt + 2 * sizeof(u32) + sizeof(u32) > size)
		return 0;
	memcpy(code, rec + opt, sizeof(code));
	if (code[0] != PTAP_EPB_FLAGS || code[1] != sizeof(u32))
		return 0;
	return get_unaligned_u32(rec + opt + sizeof(u32));
}

static int ptap_packet_epb(struct ptap *p, const u8 *rec, u32 size,
			   struct ptap_packet *pkt)
{
	u32 flags;

	pkt->caplen = get_unaligned_u32(rec + 20);
	if (pkt->caplen > size - PTAP_EPB_MIN_LEN)
		return -EIO;
	pkt->data = rec + PTAP_EPB_HEAD_LEN;
	pkt->len = get_unaligned_u32(rec + 24);
	pkt->iface = get_unaligned_u32(rec + 8);
	pkt->linktype = ptap_packet_linktype(p, pkt->iface);
	flags = ptap_packet_flags(rec, size, pkt->caplen) & 3;
	if (flags)
		pkt->direction = flags == 1 ? PTAP_DIR_IN : PTAP_DIR_OUT;
	return 0;
}

/* An index may be used again: the latest interface that has it. */
static u32 ptap_packet_iface_of(struct ptap *p, u32 ifindex)
{
	u32 id;

	do {
		for (id = p->nr_ifaces; id--;)
			if (p->ifaces[id].ifindex == ifindex)
				return id;
	} while (ptap_packet_learn(p));
	return PTAP_IFACE_UNKNOWN;
}

static void ptap_packet_pcap(struct ptap *p, const u8 *rec,
			     struct ptap_packet *pkt)
{
	const u8 *d = rec + PTAP_PCAP_RECORD_LEN;
	u32 type = 0;

	pkt->caplen = get_unaligned_u32(rec + 8);
	pkt->data = d;
	pkt->len = get_unaligned_u32(rec + 12);
	pkt->linktype = p->info.linktype;
	pkt->iface = p->info.nr_ifaces == 1 && !p->all_ifaces ?
		     0 : PTAP_IFACE_UNKNOWN;
	if (pkt->linktype == PTAP_LINKTYPE_LINUX_SLL2 &&
	    pkt->caplen >= PTAP_SLL2_LEN) {
		type = d[10];
		if (pkt->iface)
			pkt->iface = ptap_packet_iface_of(p, (u32)d[4] << 24 |
							  d[5] << 16 |
							  d[6] << 8 | d[7]);
	} else if (pkt->linktype == PTAP_LINKTYPE_LINUX_SLL &&
		   pkt->caplen >= PTAP_SLL_LEN) {
		type = d[1];
	} else {
		return;
	}
	pkt->direction = type == PTAP_SLL_OUTGOING ? PTAP_DIR_OUT : PTAP_DIR_IN;
}

int ptap_packet_next(struct ptap *p, struct ptap_packet *pkt)
{
	const struct iovec *iov;
	const u8 *rec;
	u64 size;
	int ret;

	if (!p->held || p->span == p->spans.nr) {
		ret = ptap_packet_refill(p);
		if (ret <= 0)
			return ret;
	}
	iov = &p->spans.iov[p->span];
	rec = (const u8 *)iov->iov_base + p->span_off;
	size = ptap_record_size(p->info.format, rec,
				iov->iov_len - p->span_off);
	*pkt = (struct ptap_packet){
		.ts_ns = ptap_record_time(p->info.format, rec),
	};
	ret = 0;
	if (!size)
		ret = -EIO;
	else if (p->info.format == PTAP_FORMAT_PCAPNG)
		ret = ptap_packet_epb(p, rec, size, pkt);
	else
		ptap_packet_pcap(p, rec, pkt);
	if (ret)
		return ptap_fail(p, ret, "a record makes no sense");
	p->span_off += size;
	if (p->span_off == iov->iov_len) {
		p->span++;
		p->span_off = 0;
	}
	return 1;
}
