// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * mapping.c - the rings of the device in our memory.
 *
 * Two mappings for each ring: the consumer's page, writable, and control page
 * and data (twice in a row), read-only.  Their layout is described at struct
 * ptap_ring_control in <linux/ptap.h>.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include "internal.h"

u64 ptap_realtime_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (u64)ts.tv_sec * NSEC_PER_SEC + ts.tv_nsec;
}

/* Who has just been woken knows the time, and needs no clock. */
static u64 ptap_clock_now(void *ctx)
{
	struct ptap *p = ctx;
	u64 now = p->now_ns;

	p->now_ns = 0;
	return now ? now : ptap_realtime_ns();
}

static void ptap_ring_fill(void *ctx, u32 ring)
{
	struct ptap_drain drain = { .size = sizeof(drain), .ring = ring };
	struct ptap *p = ctx;

	/* Fails for no reason; what is not filled in is not readable yet. */
	ioctl(p->fd, PTAP_IOC_DRAIN, &drain);
}

static const struct ptap_rings_ops ptap_device_ops = {
	.now_ns = ptap_clock_now,
	.drain = ptap_ring_fill,
};

static size_t ptap_mapping_len(const struct ptap *p)
{
	return p->info.page_size + 2 * p->info.ring_size;
}

static int ptap_mapping_one(struct ptap *p, u32 i)
{
	off_t at = (off_t)(i * p->info.ring_stride);
	struct ptap_ring_map *map = &p->maps[i];
	void *addr;

	addr = mmap(NULL, p->info.page_size, PROT_READ | PROT_WRITE, MAP_SHARED,
		    p->fd, at);
	if (addr == MAP_FAILED)
		return -errno;
	map->con = addr;
	addr = mmap(NULL, ptap_mapping_len(p), PROT_READ, MAP_SHARED, p->fd,
		    at + p->info.page_size);
	if (addr == MAP_FAILED)
		return -errno;
	map->ctl = addr;
	map->data = (const u8 *)addr + p->info.page_size;
	if (map->ctl->abi != PTAP_ABI || map->ctl->format != p->info.format ||
	    map->ctl->data_size != p->info.ring_size)
		return -EPROTO;
	return 0;
}

/**
 * ptap_mapping_create - map all rings
 * @p: handle, set up
 *
 * Return: 0 or a negative errno.
 */
int ptap_mapping_create(struct ptap *p)
{
	int err = -ENOMEM;
	u32 i;

	p->maps = calloc(p->info.nr_rings, sizeof(*p->maps));
	if (!p->maps)
		goto fail;
	for (i = 0; i < p->info.nr_rings; i++) {
		err = ptap_mapping_one(p, i);
		if (err)
			goto fail;
	}
	err = ptap_rings_init(&p->rings, p->maps, p->info.nr_rings,
			      &ptap_device_ops, p);
	if (err)
		goto fail;
	return 0;

fail:
	ptap_mapping_destroy(p);
	return ptap_fail(p, err, "cannot map the rings of %s: %s", PTAP_DEVICE,
			 ptap_strerror(err));
}

void ptap_mapping_destroy(struct ptap *p)
{
	u32 i;

	ptap_rings_exit(&p->rings);
	for (i = 0; p->maps && i < p->info.nr_rings; i++) {
		if (p->maps[i].con)
			munmap(p->maps[i].con, p->info.page_size);
		if (p->maps[i].ctl)
			munmap((void *)p->maps[i].ctl, ptap_mapping_len(p));
	}
	free(p->maps);
	p->maps = NULL;
}
