// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Reading pcap and pcapng, byte by byte, and read() of a session.
 *
 * Whatever <linux/ptap.h> and the drafts do not allow fails the test: other
 * blocks, other options, padding that is not zero, a length that does not fit,
 * time that goes back, an interface that has not been described.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "capture.h"
#include "net.h"
#include "session.h"
#include "tap.h"

#define SHB_TYPE	0x0a0d0d0aU
#define IDB_TYPE	1U
#define EPB_TYPE	6U

static uint32_t u32_at(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static uint16_t u16_at(const uint8_t *p)
{
	uint16_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

void capture_init(struct capture *c, int fd,
		  void (*fn)(void *arg, const struct packet *p), void *arg)
{
	struct ptap_info info = session_info(fd);

	*c = (struct capture){
		.format = info.format,
		.snaplen = info.snaplen,
		.meta = info.meta,
		.fn = fn,
		.arg = arg,
	};
}

uint64_t record_time(uint32_t format, const uint8_t *rec)
{
	if (format == PTAP_FORMAT_PCAPNG)
		return (uint64_t)u32_at(rec + 12) << 32 | u32_at(rec + 16);
	return u32_at(rec) * 1000000000ULL + u32_at(rec + 4) *
	       (format == PTAP_FORMAT_PCAP_USEC ? 1000ULL : 1ULL);
}

static void capture_packet(struct capture *c, struct packet *p)
{
	/* A microsecond time stamp is cut off. */
	uint64_t unit = c->format == PTAP_FORMAT_PCAP_USEC ? 1000 : 1;

	CHECK(p->caplen <= p->len && p->caplen <= c->snaplen,
	      "caplen %u of %u, snaplen %u", p->caplen, p->len, c->snaplen);
	CHECK(p->ts >= c->last_ts, "time goes back by %lld ns",
	      (long long)(c->last_ts - p->ts));
	CHECK(p->ts + unit > c->from_ns && p->ts <= now_ns(),
	      "time stamp outside of the capture");
	c->last_ts = p->ts;
	c->packets++;
	if (c->fn)
		c->fn(c->arg, p);
}

/* What stands between the data and the trailing length. */
static void epb_options(const struct capture *c, const uint8_t *opt,
			uint32_t len, struct packet *p)
{
	static const uint32_t lens[] = {
		[2] = 4, [3] = 5, [4] = 8, [5] = 8, [6] = 4,
	};
	static const uint32_t bits[] = {
		[2] = PTAP_META_FLAGS, [3] = PTAP_META_HASH,
		[4] = PTAP_META_DROPCOUNT, [5] = PTAP_META_PACKETID,
		[6] = PTAP_META_QUEUE,
	};
	uint32_t code, size, seen = 0;

	while (len > 4) {
		code = u16_at(opt);
		size = u16_at(opt + 2);
		REQUIRE(code >= 2 && code <= 6 && size == lens[code] &&
			4 + ((size + 3) & ~3U) <= len - 4,
			"option %u of %u bytes, %u left", code, size, len);
		CHECK(c->meta & bits[code] && !(seen & bits[code]),
		      "option %u, which nobody asked for", code);
		seen |= bits[code];
		if (code == 2)
			p->flags = u32_at(opt + 4);
		if (code == 4)
			memcpy(&p->lost, opt + 4, sizeof(p->lost));
		if (code == 5)
			memcpy(&p->id, opt + 4, sizeof(p->id));
		len -= 4 + ((size + 3) & ~3U);
		opt += 4 + ((size + 3) & ~3U);
	}
	CHECK(len == (seen ? 4 : 0) && (!len || !u32_at(opt)),
	      "%u bytes of options at their end", len);
	CHECK((seen & c->meta & (PTAP_META_FLAGS | PTAP_META_PACKETID)) ==
	      (c->meta & (PTAP_META_FLAGS | PTAP_META_PACKETID)),
	      "options %#x, without flags or id", seen);
}

/* Each ring's records have the numbers from 1 on. */
static void epb_id(struct capture *c, const struct packet *p)
{
	uint64_t ring = PTAP_PACKETID_RING(p->id);

	if (!(c->meta & PTAP_META_PACKETID))
		return;
	REQUIRE(ring < CAPTURE_RINGS_MAX, "packet id of ring %llu",
		(unsigned long long)ring);
	CHECK_EQ(PTAP_PACKETID_SEQ(p->id), ++c->seq[ring], "packet id");
}

static uint32_t capture_epb(struct capture *c, const uint8_t *rec,
			    uint64_t left, struct packet *p)
{
	uint32_t len, padded, i;

	REQUIRE(left >= 32 && u32_at(rec) == EPB_TYPE,
		"no packet block: type %#x", u32_at(rec));
	len = u32_at(rec + 4);
	REQUIRE(len >= 32 && len % 4 == 0 && len <= left,
		"packet block of %u bytes, %llu left", len,
		(unsigned long long)left);
	CHECK(u32_at(rec + len - 4) == len, "trailing length %u, not %u",
	      u32_at(rec + len - 4), len);
	p->iface = u32_at(rec + 8);
	p->ts = record_time(c->format, rec);
	p->caplen = u32_at(rec + 20);
	p->len = u32_at(rec + 24);
	p->data = rec + 28;
	padded = (p->caplen + 3) & ~3U;
	REQUIRE(32 + (uint64_t)padded <= len, "caplen %u in a block of %u",
		p->caplen, len);
	for (i = p->caplen; i < padded; i++)
		CHECK(!p->data[i], "padding is not zero");
	epb_options(c, p->data + padded, len - 32 - padded, p);
	epb_id(c, p);
	REQUIRE(p->iface < c->nr_ifaces, "interface %u is not described",
		p->iface);
	p->linktype = c->linktypes[p->iface];
	return len;
}

static uint32_t capture_pcap(struct capture *c, const uint8_t *rec,
			     uint64_t left, struct packet *p)
{
	uint32_t parts = c->format == PTAP_FORMAT_PCAP_USEC ? 1000000 :
							     1000000000;

	REQUIRE(left >= 16, "record of %llu bytes", (unsigned long long)left);
	CHECK(u32_at(rec + 4) < parts, "fraction of a second: %u",
	      u32_at(rec + 4));
	p->ts = record_time(c->format, rec);
	p->caplen = u32_at(rec + 8);
	p->len = u32_at(rec + 12);
	p->data = rec + 16;
	p->linktype = c->linktypes[0];
	REQUIRE(16 + (uint64_t)p->caplen <= left, "caplen %u, %llu left",
		p->caplen, (unsigned long long)left - 16);
	return 16 + p->caplen;
}

uint32_t capture_record(struct capture *c, const uint8_t *rec, uint64_t left,
			uint32_t ring)
{
	struct packet p = { .ring = ring };
	uint32_t len;

	if (c->format == PTAP_FORMAT_PCAPNG)
		len = capture_epb(c, rec, left, &p);
	else
		len = capture_pcap(c, rec, left, &p);
	capture_packet(c, &p);
	c->bytes += len;
	return len;
}

static uint32_t file_pcap_header(struct capture *c, const uint8_t *b,
				 uint64_t left)
{
	uint32_t magic = c->format == PTAP_FORMAT_PCAP_USEC ? 0xa1b2c3d4 :
							     0xa1b23c4d;

	REQUIRE(left >= 24 && u32_at(b) == magic && u16_at(b + 4) == 2 &&
		u16_at(b + 6) == 4 && !u32_at(b + 8) && !u32_at(b + 12),
		"no pcap header");
	CHECK_EQ(u32_at(b + 16), c->snaplen, "snaplen of the file");
	c->linktypes[0] = u32_at(b + 20);
	return 24;
}

static uint32_t file_shb(const uint8_t *b, uint64_t left)
{
	uint32_t len;

	REQUIRE(left >= 28 && u32_at(b) == SHB_TYPE, "no section header");
	len = u32_at(b + 4);
	REQUIRE(len >= 28 && len <= left && u32_at(b + len - 4) == len,
		"section header of %u bytes", len);
	CHECK(u32_at(b + 8) == 0x1a2b3c4d && u16_at(b + 12) == 1 &&
	      u16_at(b + 14) == 0, "section header's magic and version");
	return len;
}

static void idb_option(struct capture *c, uint16_t code, const uint8_t *data,
		       uint16_t len, bool *resolution)
{
	if (code == 2 && len <= 16) {
		memcpy(c->names[c->nr_ifaces], data, len);
		c->names[c->nr_ifaces][len] = 0;
	} else if (code == 9) {
		CHECK(len == 1 && data[0] == 9, "if_tsresol is not 10^-9");
		*resolution = true;
	}
}

static uint32_t file_idb(struct capture *c, const uint8_t *b, uint64_t left)
{
	uint32_t len = u32_at(b + 4), off = 16;
	bool resolution = false;
	uint16_t code = 1, size;

	REQUIRE(len >= 20 && len % 4 == 0 && len <= left &&
		u32_at(b + len - 4) == len, "interface block of %u bytes", len);
	REQUIRE(c->nr_ifaces < CAPTURE_IFACES_MAX, "too many interfaces");
	c->linktypes[c->nr_ifaces] = u16_at(b + 8);
	CHECK(!u16_at(b + 10), "reserved bytes of an interface block");
	CHECK_EQ(u32_at(b + 12), c->snaplen, "snaplen of the interface");
	while (code && off + 4 <= len - 4) {
		code = u16_at(b + off);
		size = u16_at(b + off + 2);
		REQUIRE(off + 4 + size <= len - 4, "option beyond its block");
		idb_option(c, code, b + off + 4, size, &resolution);
		off += 4 + ((size + 3) & ~3U);
	}
	CHECK(!code && off == len - 4, "interface block without end of options");
	CHECK(resolution, "interface block without if_tsresol");
	c->nr_ifaces++;
	return len;
}

void capture_file(struct capture *c, const void *buf, uint64_t len)
{
	bool pcapng = c->format == PTAP_FORMAT_PCAPNG;
	const uint8_t *b = buf;
	uint32_t n;

	while (len) {
		if (!c->header)
			n = pcapng ? file_shb(b, len) :
				     file_pcap_header(c, b, len);
		else if (pcapng && len >= 20 && u32_at(b) == IDB_TYPE)
			n = file_idb(c, b, len);
		else
			n = capture_record(c, b, len, 0);
		c->header = true;
		b += n;
		len -= n;
	}
}

#define READ_SIZE	(256U << 10)

long capture_read_once(struct capture *c, int fd, size_t size)
{
	static __thread uint8_t *buf;
	static __thread size_t room;
	long n;

	size = size ? size : READ_SIZE;
	if (room < size) {
		free(buf);
		buf = malloc(size);
		room = size;
	}
	REQUIRE(buf, "no memory");
	n = read(fd, buf, size);
	if (n > 0)
		capture_file(c, buf, n);
	return n;
}

void capture_read(struct capture *c, int fd, uint64_t until, size_t size)
{
	long n;

	while (!until || c->packets < until) {
		n = capture_read_once(c, fd, size);
		REQUIRE(n >= 0, "read: %m");
		if (!n)
			break;
	}
	CHECK(!until || c->packets >= until, "end after %llu of %llu packets",
	      (unsigned long long)c->packets, (unsigned long long)until);
}

void capture_finish(struct capture *c, int fd)
{
	struct ptap_stats st;

	if (session_state(fd) == PTAP_STATE_RUNNING)
		session_stop(fd);
	capture_read(c, fd, 0, 0);
	CHECK_EQ(read(fd, &st, sizeof(st)), 0, "read after the end");
	session_account(fd, NULL, NULL);
	st = session_stats(fd, PTAP_RING_ALL);
	CHECK_EQ(c->packets, st.consumed, "packets read");
	CHECK_EQ(c->bytes, st.consumed_bytes, "bytes of packets read");
	close(fd);
}

void capture_discard(int fd)
{
	struct capture c;

	capture_init(&c, fd, NULL, NULL);
	capture_finish(&c, fd);
}
