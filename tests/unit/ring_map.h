/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Memory mapped twice in a row, as a ring's data is, between guard pages: who
 * leaves it is killed.  The file that includes this defines _GNU_SOURCE first.
 */
#ifndef PTAP_UNIT_RING_MAP_H
#define PTAP_UNIT_RING_MAP_H

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define RING_MAP_GUARD	((size_t)64 << 10)

/* @size is a multiple of the page size.  Does not fail. */
static inline uint8_t *ring_map(size_t size)
{
	int fd = memfd_create("ring", MFD_CLOEXEC);
	uint8_t *area;

	if (fd < 0 || ftruncate(fd, size))
		goto fail;
	area = mmap(NULL, 2 * size + 2 * RING_MAP_GUARD, PROT_NONE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (area == MAP_FAILED)
		goto fail;
	area += RING_MAP_GUARD;
	if (mmap(area, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
		 fd, 0) == MAP_FAILED ||
	    mmap(area + size, size, PROT_READ | PROT_WRITE,
		 MAP_SHARED | MAP_FIXED, fd, 0) == MAP_FAILED)
		goto fail;
	close(fd);
	return area;
fail:
	printf("Bail out! cannot map a ring: %s\n", strerror(errno));
	exit(EXIT_FAILURE);
}

static inline void ring_unmap(uint8_t *data, size_t size)
{
	munmap(data - RING_MAP_GUARD, 2 * size + 2 * RING_MAP_GUARD);
}

#endif /* PTAP_UNIT_RING_MAP_H */
