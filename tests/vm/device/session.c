// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * System calls on /dev/tap with their success required, and the accounting
 * identity of <linux/ptap.h>.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include "net.h"
#include "session.h"
#include "tap.h"

int session_open(int flags)
{
	int fd = open(PTAP_DEVICE, flags | O_CLOEXEC);

	REQUIRE(fd >= 0, "%s: %m", PTAP_DEVICE);
	return fd;
}

int session_setup(const char *dev, struct ptap_setup setup)
{
	int fd = session_open(O_RDWR);
	uint32_t index;

	if (dev) {
		index = net_index(dev);
		setup.ifaces = (uintptr_t)&index;
		setup.nr_ifaces = 1;
	}
	REQUIRE(!ioctl(fd, PTAP_IOC_SETUP, &setup), "SETUP: %m");
	return fd;
}

int session_start(const char *dev, struct ptap_setup setup)
{
	int fd = session_setup(dev, setup);

	REQUIRE(!ioctl(fd, PTAP_IOC_START), "START: %m");
	return fd;
}

void session_stop(int fd)
{
	REQUIRE(!ioctl(fd, PTAP_IOC_STOP), "STOP: %m");
}

struct ptap_info session_info(int fd)
{
	struct ptap_info info = { .size = sizeof(info) };

	REQUIRE(!ioctl(fd, PTAP_IOC_INFO, &info), "INFO: %m");
	return info;
}

uint32_t session_state(int fd)
{
	return session_info(fd).state;
}

struct ptap_stats session_stats(int fd, uint32_t ring)
{
	struct ptap_stats st = { .size = sizeof(st), .ring = ring };

	REQUIRE(!ioctl(fd, PTAP_IOC_STATS, &st), "STATS: %m");
	return st;
}

uint64_t session_drain(int fd)
{
	struct ptap_drain drain = {
		.size = sizeof(drain), .ring = PTAP_RING_ALL,
	};

	REQUIRE(!ioctl(fd, PTAP_IOC_DRAIN, &drain), "DRAIN: %m");
	return drain.filled;
}

uint64_t session_sync(int fd)
{
	struct ptap_sync sync = { .size = sizeof(sync) };

	REQUIRE(!ioctl(fd, PTAP_IOC_SYNC, &sync), "SYNC: %m");
	return sync.horizon_ns;
}

void session_wait_seen(int fd, uint64_t nr)
{
	uint64_t until = mono_ns() + 10000000000ULL, seen;

	do {
		seen = session_stats(fd, PTAP_RING_ALL).seen;
		if (seen >= nr)
			return;
		sleep_us(2000);
	} while (mono_ns() < until);
	CHECK(false, "seen %llu of %llu packets after 10 s",
	      (unsigned long long)seen, (unsigned long long)nr);
}

uint64_t stats_dropped(const struct ptap_stats *st)
{
	uint64_t sum = 0;
	uint32_t i;

	for (i = 0; i < ARRAY_SIZE(st->dropped); i++)
		sum += st->dropped[i];
	return sum;
}

static void stats_identity(const char *what, uint32_t ring,
			   const struct ptap_stats *st)
{
	uint32_t i;

	CHECK(st->seen == st->captured + st->filtered + stats_dropped(st),
	      "%s %u: seen %llu != captured %llu + filtered %llu + dropped %llu",
	      what, ring, st->seen, st->captured, st->filtered,
	      (unsigned long long)stats_dropped(st));
	for (i = PTAP_DROP_NR; i < ARRAY_SIZE(st->dropped); i++)
		CHECK(!st->dropped[i], "%s %u: drop reason %u is not 0", what,
		      ring, i);
	CHECK(st->cloned + st->clone_fallback <= st->captured,
	      "%s %u: cloned %llu + fallback %llu > captured %llu", what, ring,
	      st->cloned, st->clone_fallback, st->captured);
	CHECK(!st->fill_faults, "%s %u: %llu fill faults", what, ring,
	      st->fill_faults);
}

/* Both are arrays of __u64 from @seen on, the last of which is no sum. */
static void stats_add(struct ptap_stats *sum, const struct ptap_stats *st)
{
	uint32_t nr = (offsetof(struct ptap_stats, high_water) -
		       offsetof(struct ptap_stats, seen)) / 8;
	const __u64 *from = &st->seen;
	__u64 *to = &sum->seen;
	uint32_t i;

	for (i = 0; i < nr; i++)
		to[i] += from[i];
	if (st->high_water > sum->high_water)
		sum->high_water = st->high_water;
}

void session_account(int fd, const uint64_t *taken, const uint64_t *left)
{
	struct ptap_info info = session_info(fd);
	struct ptap_stats st, all, sum = { 0 };
	uint64_t consumed;
	uint32_t i;

	CHECK(info.state == PTAP_STATE_STOPPED, "accounting in state %u",
	      info.state);
	for (i = 0; i < info.nr_rings; i++) {
		st = session_stats(fd, i);
		stats_identity("ring", i, &st);
		consumed = taken ? taken[i] : st.consumed;
		CHECK(st.captured == consumed + (left ? left[i] : 0),
		      "ring %u: captured %llu != consumed %llu + left %llu", i,
		      st.captured, (unsigned long long)consumed,
		      (unsigned long long)(left ? left[i] : 0));
		if (!taken && !left)
			CHECK_EQ(st.consumed_bytes, st.captured_bytes,
				 "consumed bytes");
		stats_add(&sum, &st);
	}
	all = session_stats(fd, PTAP_RING_ALL);
	stats_identity("all rings", all.ring, &all);
	CHECK(!memcmp(&sum.seen, &all.seen,
		      sizeof(sum) - offsetof(struct ptap_stats, seen)),
	      "the sum of the rings is not PTAP_RING_ALL");
}

/* Of whatever may be in the rings: each packet that was seen is counted. */
void session_end(int fd)
{
	struct ptap_stats st;
	uint32_t i, nr;

	if (session_state(fd) < PTAP_STATE_RUNNING)
		return;
	if (session_state(fd) == PTAP_STATE_RUNNING)
		session_stop(fd);
	nr = session_info(fd).nr_rings;
	for (i = 0; i < nr; i++) {
		st = session_stats(fd, i);
		stats_identity("ring", i, &st);
	}
}

int session_filter(int fd, const struct sock_filter *insns, uint32_t nr)
{
	struct ptap_filter_prog prog = {
		.linktype = PTAP_LINKTYPE_ANY,
		.len = nr,
		.insns = (uintptr_t)insns,
	};
	struct ptap_filter filter = {
		.size = sizeof(filter),
		.nr_progs = 1,
		.progs = (uintptr_t)&prog,
	};

	return ioctl(fd, PTAP_IOC_FILTER, &filter);
}

int session_filter_remove(int fd)
{
	struct ptap_filter filter = { .size = sizeof(filter) };

	return ioctl(fd, PTAP_IOC_FILTER, &filter);
}
