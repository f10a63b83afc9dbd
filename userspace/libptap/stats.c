// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * stats.c - what the kernel tells of a session: configuration, interfaces,
 * counters.
 *
 * The kernel counts as consumed what read() has delivered.  It does not know
 * what the reader of a mapping has done with the records; the rings do.  Nor
 * does it know of the sieve: what that did not accept was captured and consumed
 * for the kernel, and is filtered for the caller.
 */
#include <errno.h>
#include <sys/ioctl.h>
#include "internal.h"

int ptap_info_read(int fd, struct ptap_info *info)
{
	*info = (struct ptap_info){ .size = sizeof(*info) };
	return ioctl(fd, PTAP_IOC_INFO, info) ? -errno : 0;
}

int ptap_info_get(struct ptap *p, struct ptap_info *info)
{
	int err = ptap_check_open(p);

	if (err)
		return err;
	err = ptap_info_read(p->fd, info);
	if (!err)
		return 0;
	return ptap_fail(p, err, "cannot ask for the configuration: %s",
			 ptap_strerror(err));
}

/* Interfaces are not always counted. */
static void ptap_iface_sieved(const struct ptap *p,
			      struct ptap_iface_info *info)
{
	u64 nr = p->sieve ? ptap_sieve_of_iface(p->sieve, info->id) : 0;

	if (nr > info->captured)
		return;
	info->captured -= nr;
	info->filtered += nr;
}

int ptap_iface_get(struct ptap *p, uint32_t id, struct ptap_iface_info *info)
{
	int err = ptap_check_open(p);

	if (err)
		return err;
	*info = (struct ptap_iface_info){ .size = sizeof(*info), .id = id };
	if (!ioctl(p->fd, PTAP_IOC_IFACE, info)) {
		ptap_iface_sieved(p, info);
		return 0;
	}
	err = -errno;
	return ptap_fail(p, err, "cannot ask for interface %u: %s", id,
			 ptap_strerror(err));
}

static void ptap_stats_taken(const struct ptap *p, struct ptap_stats *stats)
{
	const struct ptap_ring_use *use;
	u32 i;

	stats->consumed = 0;
	stats->consumed_bytes = 0;
	stats->high_water = 0;
	for (i = 0; i < p->rings.nr; i++) {
		if (stats->ring != PTAP_RING_ALL && stats->ring != i)
			continue;
		use = &p->rings.use[i];
		stats->consumed += use->records;
		stats->consumed_bytes += use->tail;
		if (use->high_water > stats->high_water)
			stats->high_water = use->high_water;
	}
}

static void ptap_stats_sieved(struct ptap_stats *stats, u64 nr)
{
	stats->captured -= nr;
	/* Of spans that are held, the rings know nothing yet. */
	stats->consumed -= stats->consumed < nr ? stats->consumed : nr;
	stats->filtered += nr;
}

int ptap_stats_get(struct ptap *p, uint32_t ring, struct ptap_stats *stats)
{
	int err = ptap_check_open(p);

	if (err)
		return err;
	*stats = (struct ptap_stats){ .size = sizeof(*stats), .ring = ring };
	if (ioctl(p->fd, PTAP_IOC_STATS, stats)) {
		err = -errno;
		return ptap_fail(p, err, "cannot ask for the counters: %s",
				 ptap_strerror(err));
	}
	if (p->mode == PTAP_MODE_MMAP)
		ptap_stats_taken(p, stats);
	if (p->sieve)
		ptap_stats_sieved(stats, ptap_sieve_of_ring(p->sieve, ring));
	return 0;
}

uint64_t ptap_stats_dropped(const struct ptap_stats *stats)
{
	uint64_t sum = 0;
	unsigned int i;

	for (i = 0; i < sizeof(stats->dropped) / sizeof(*stats->dropped); i++)
		sum += stats->dropped[i];
	return sum;
}
