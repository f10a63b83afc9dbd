// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * A reader of mapped rings.  (1), (2) and (3) are those of struct
 * ptap_ring_control.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include "net.h"
#include "rings.h"
#include "session.h"
#include "tap.h"

off_t ring_offset(const struct ptap_info *info, uint32_t ring, uint64_t page)
{
	return ring * info->ring_stride + page * info->page_size;
}

static void ring_map(struct rings *rs, uint32_t i)
{
	const struct ptap_info *info = &rs->info;
	struct ring *r = &rs->r[i];
	uint8_t *p;

	r->con = mmap(NULL, info->page_size, PROT_READ | PROT_WRITE, MAP_SHARED,
		      rs->fd, ring_offset(info, i, 0));
	REQUIRE(r->con != MAP_FAILED, "mapping consumer page %u: %m", i);
	p = mmap(NULL, info->page_size + 2 * info->ring_size, PROT_READ,
		 MAP_SHARED, rs->fd, ring_offset(info, i, 1));
	REQUIRE(p != MAP_FAILED, "mapping ring %u: %m", i);
	r->ctl = (void *)p;
	r->data = p + info->page_size;
	CHECK(r->ctl->size == sizeof(*r->ctl) && r->ctl->abi == PTAP_ABI &&
	      r->ctl->ring == i && r->ctl->format == info->format &&
	      r->ctl->data_size == info->ring_size,
	      "control page of ring %u", i);
	r->pos = r->con->tail;
	r->head = r->pos;
}

void rings_map(struct rings *rs, int fd)
{
	uint32_t i;

	memset(rs, 0, sizeof(*rs));
	rs->fd = fd;
	rs->info = session_info(fd);
	REQUIRE(rs->info.nr_rings <= RINGS_MAX, "%u rings", rs->info.nr_rings);
	for (i = 0; i < rs->info.nr_rings; i++)
		ring_map(rs, i);
}

void rings_unmap(struct rings *rs)
{
	uint32_t i;

	for (i = 0; i < rs->info.nr_rings; i++) {
		munmap((void *)rs->r[i].ctl,
		       rs->info.page_size + 2 * rs->info.ring_size);
		munmap(rs->r[i].con, rs->info.page_size);
	}
}

uint64_t ring_head(const struct ring *r)
{
	return __atomic_load_n(&r->ctl->head, __ATOMIC_ACQUIRE);
}

uint64_t ring_tail(const struct ring *r)
{
	return __atomic_load_n(&r->con->tail, __ATOMIC_RELAXED);
}

uint64_t ring_waiting(const struct ring *r)
{
	uint64_t pending = __atomic_load_n(&r->ctl->pending, __ATOMIC_ACQUIRE);
	uint64_t head = ring_head(r);

	return (int64_t)(pending - head) > 0 ? pending - head : 0;
}

void ring_release(struct ring *r, uint64_t tail)
{
	__atomic_store_n(&r->con->tail, tail, __ATOMIC_RELEASE);
}

static const uint8_t *ring_at(const struct rings *rs, const struct ring *r,
			      uint64_t pos)
{
	return r->data + (pos & (rs->info.ring_size - 1));
}

uint64_t rings_readable(const struct rings *rs)
{
	uint64_t sum = 0;
	uint32_t i;

	for (i = 0; i < rs->info.nr_rings; i++)
		sum += ring_head(&rs->r[i]) - rs->r[i].pos;
	return sum;
}

void rings_ifaces(struct rings *rs, struct capture *c)
{
	static __thread uint8_t buf[16384];
	struct ptap_preamble pre = {
		.size = sizeof(pre),
		.flags = c->header ? 0 : PTAP_PREAMBLE_HEADER,
		.first_iface = c->nr_ifaces,
		.len = sizeof(buf),
		.buf = (uintptr_t)buf,
	};

	REQUIRE(!ioctl(rs->fd, PTAP_IOC_PREAMBLE, &pre), "PREAMBLE: %m");
	capture_file(c, buf, pre.len);
}

/* (1) and (3): what may be read of this ring, and what it may still bring. */
static void ring_look(struct rings *rs, struct ring *r, struct capture *c)
{
	uint64_t bound = now_ns() - PTAP_HOLDBACK_NS;
	bool busy = __atomic_load_n(&r->ctl->busy, __ATOMIC_ACQUIRE);
	struct ptap_drain drain = {
		.size = sizeof(drain), .ring = r - rs->r,
	};

	if (ring_waiting(r))
		REQUIRE(!ioctl(rs->fd, PTAP_IOC_DRAIN, &drain), "DRAIN: %m");
	r->head = ring_head(r);
	CHECK(r->head - r->pos <= rs->info.ring_size, "head %llu, tail %llu",
	      (unsigned long long)r->head, (unsigned long long)r->pos);
	r->bound = busy ? r->last_ts : bound;
	if (!c->header || c->nr_ifaces < r->ctl->nr_ifaces)
		rings_ifaces(rs, c);
}

/* Take one record; time within a ring never goes back. */
static void ring_take(struct rings *rs, struct ring *r, struct capture *c)
{
	const uint8_t *rec = ring_at(rs, r, r->pos);
	uint64_t ts = record_time(c->format, rec);

	CHECK(ts >= r->last_ts, "time goes back in ring %td", r - rs->r);
	r->last_ts = ts;
	r->pos += capture_record(c, rec, r->head - r->pos, r - rs->r);
	r->taken++;
	/* (2) */
	if (!rs->hold)
		ring_release(r, r->pos);
}

uint64_t rings_read(struct rings *rs, struct capture *c)
{
	uint64_t before = c->packets;
	uint32_t i;

	for (i = 0; i < rs->info.nr_rings; i++) {
		ring_look(rs, &rs->r[i], c);
		while (rs->r[i].pos != rs->r[i].head) {
			/* Between rings, time may go back. */
			c->last_ts = rs->r[i].last_ts;
			ring_take(rs, &rs->r[i], c);
		}
	}
	return c->packets - before;
}

/* The ring with the oldest record that may go out now, or NULL. */
static struct ring *rings_oldest(struct rings *rs, struct capture *c, bool all)
{
	uint64_t oldest = UINT64_MAX, bound = UINT64_MAX, ts;
	struct ring *best = NULL, *r;
	uint32_t i;

	for (i = 0; i < rs->info.nr_rings; i++) {
		r = &rs->r[i];
		if (r->pos == r->head) {
			if (!all && r->bound < bound)
				bound = r->bound;
			continue;
		}
		ts = record_time(c->format, ring_at(rs, r, r->pos));
		if (ts < oldest) {
			oldest = ts;
			best = r;
		}
	}
	return oldest < bound ? best : NULL;
}

uint64_t rings_merge(struct rings *rs, struct capture *c, bool all)
{
	uint64_t before = c->packets;
	struct ring *r;
	uint32_t i;

	for (i = 0; i < rs->info.nr_rings; i++)
		ring_look(rs, &rs->r[i], c);
	while ((r = rings_oldest(rs, c, all)))
		ring_take(rs, r, c);
	return c->packets - before;
}

void rings_read_until(struct rings *rs, struct capture *c, uint64_t packets)
{
	struct pollfd pfd = { .fd = rs->fd, .events = POLLIN };
	int n;

	while (c->packets < packets) {
		n = poll(&pfd, 1, 10000);
		REQUIRE(n >= 0, "poll: %m");
		CHECK(n, "nothing for 10 s after %llu of %llu packets",
		      (unsigned long long)c->packets,
		      (unsigned long long)packets);
		if (!n || pfd.revents & POLLHUP)
			break;
		rings_merge(rs, c, false);
	}
}

void rings_finish(struct rings *rs, struct capture *c)
{
	uint64_t taken[RINGS_MAX], total = 0;
	struct ptap_stats st;
	uint32_t i;

	if (session_state(rs->fd) == PTAP_STATE_RUNNING)
		session_stop(rs->fd);
	rings_merge(rs, c, true);
	for (i = 0; i < rs->info.nr_rings; i++) {
		CHECK(!ring_waiting(&rs->r[i]), "deferred records after STOP");
		CHECK_EQ(ring_head(&rs->r[i]), rs->r[i].pos, "head after STOP");
		taken[i] = rs->r[i].taken;
		total += taken[i];
	}
	session_account(rs->fd, taken, NULL);
	st = session_stats(rs->fd, PTAP_RING_ALL);
	CHECK_EQ(total, c->packets, "packets read");
	CHECK_EQ(c->bytes, st.captured_bytes, "bytes read");
	rings_unmap(rs);
	close(rs->fd);
}
