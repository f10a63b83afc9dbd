// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Structures that grow, pointers that lead nowhere, outputs.
 *
 * The same questions to every command that takes a structure; the table is in
 * ioctl_test.c.
 */
#define _GNU_SOURCE
#include "common.h"
#include "ioctl_test.h"

#define POISON	0xa5

/* A session in which the command works. */
static int session_for(const struct command *c)
{
	return session_in_state(c->nr == PTAP_IOC_SETUP ? PTAP_STATE_NEW :
							  PTAP_STATE_SETUP);
}

/* A state in which all commands but SETUP leave the session alone. */
static void still_usable(const struct command *c, int fd)
{
	uint8_t buf[4096];

	command_fill(c, buf);
	CHECK(!ioctl(fd, c->nr, buf), "%s after a refused one: %m", c->name);
}

void args_sizes(void)
{
	const uint32_t sizes[] = { 0, 1, 4, 8, 15 };
	uint8_t buf[4096];
	unsigned int i, j;
	uint32_t size;
	int fd;

	net_dummy("d0");
	for (i = 0; i < nr_commands; i++) {
		fd = session_for(&commands[i]);
		for (j = 0; j <= ARRAY_SIZE(sizes); j++) {
			command_fill(&commands[i], buf);
			size = j < ARRAY_SIZE(sizes) ? sizes[j] :
						       commands[i].first - 1;
			memcpy(buf, &size, sizeof(size));
			CHECK_ERRNO(ioctl(fd, commands[i].nr, buf), EINVAL,
				    commands[i].name);
		}
		still_usable(&commands[i], fd);
		close(fd);
	}
}

static void larger(const struct command *c, uint32_t extra)
{
	uint32_t size = c->size + extra, i;
	uint8_t buf[8192] = { 0 };
	int fd = session_for(c);

	command_fill(c, buf);
	memcpy(buf, &size, sizeof(size));
	buf[size - 1] = 1;
	CHECK_ERRNO(ioctl(fd, c->nr, buf), E2BIG, c->name);
	buf[size - 1] = 0;
	buf[c->size] = 1;
	CHECK_ERRNO(ioctl(fd, c->nr, buf), E2BIG, c->name);
	buf[c->size] = 0;
	/* Behind @size nothing is looked at. */
	memset(buf + size, POISON, 64);
	CHECK(!ioctl(fd, c->nr, buf), "%s with %u zero bytes more: %m", c->name,
	      extra);
	for (i = c->size; i < size; i++)
		CHECK(!buf[i], "%s: byte %u of %u is written", c->name, i,
		      c->size);
	for (; i < size + 64; i++)
		CHECK(buf[i] == POISON, "%s: writes behind size", c->name);
	CHECK(!memcmp(buf, &size, sizeof(size)), "%s: size is changed", c->name);
	close(fd);
}

void args_larger(void)
{
	unsigned int i;

	net_dummy("d0");
	for (i = 0; i < nr_commands; i++) {
		larger(&commands[i], 1);
		larger(&commands[i], 8);
		larger(&commands[i], 4096 - commands[i].size);
	}
}

static void pointers(const struct command *c, uint8_t *edge, uint8_t *readonly)
{
	uint32_t larger = c->size + 8;
	uint8_t buf[4096];
	int fd = session_for(c);

	CHECK_ERRNO(ioctl(fd, c->nr, NULL), EFAULT, c->name);
	CHECK_ERRNO(ioctl(fd, c->nr, 1UL), EFAULT, c->name);
	CHECK_ERRNO(ioctl(fd, c->nr, -4096UL), EFAULT, c->name);
	CHECK_ERRNO(ioctl(fd, c->nr, 0xffff888000000000UL), EFAULT, c->name);
	CHECK_ERRNO(ioctl(fd, c->nr, edge), EFAULT, c->name);
	CHECK_ERRNO(ioctl(fd, c->nr, edge - 2), EFAULT, c->name);
	/* The structure itself ends at the edge, what it claims does not. */
	command_fill(c, buf);
	memcpy(edge - c->size, buf, c->size);
	memcpy(edge - c->size, &larger, sizeof(larger));
	CHECK_ERRNO(ioctl(fd, c->nr, edge - c->size), EFAULT, c->name);
	if (c->outputs) {
		mprotect(readonly, getpagesize(), PROT_READ | PROT_WRITE);
		memcpy(readonly, buf, c->size);
		mprotect(readonly, getpagesize(), PROT_READ);
		CHECK_ERRNO(ioctl(fd, c->nr, readonly), EFAULT, c->name);
	}
	memcpy(edge - c->size, buf, c->size);
	CHECK(!ioctl(fd, c->nr, edge - c->size), "%s at the end of a page: %m",
	      c->name);
	close(fd);
}

void args_pointers(void)
{
	int page = getpagesize();
	unsigned int i;
	uint8_t *p;

	net_dummy("d0");
	p = mmap(NULL, 3 * page, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	REQUIRE(p != MAP_FAILED, "mmap: %m");
	REQUIRE(!mprotect(p + page, page, PROT_NONE), "mprotect: %m");
	for (i = 0; i < nr_commands; i++)
		pointers(&commands[i], p + page, p + 2 * page);
}

/* Outputs of a structure that was full of rubbish where no input is. */
static void *poisoned(uint8_t *buf, uint32_t size)
{
	memset(buf, POISON, 4096);
	memcpy(buf, &size, sizeof(size));
	return buf;
}

static void untouched(const uint8_t *buf, uint32_t size, const char *name)
{
	uint32_t i;

	for (i = size; i < 4096; i++)
		CHECK(buf[i] == POISON, "%s: writes behind its structure", name);
}

void args_outputs(void)
{
	uint8_t buf[4096];
	struct ptap_info *info = poisoned(buf, sizeof(*info));
	struct ptap_iface_info *iface;
	struct ptap_drain *drain;
	struct ptap_stats *stats;
	struct ptap_sync *sync;
	uint64_t before;
	int fd;

	net_dummy("d0");
	fd = session_in_state(PTAP_STATE_RUNNING);
	CHECK(!ioctl(fd, PTAP_IOC_INFO, info), "INFO: %m");
	CHECK(info->state == PTAP_STATE_RUNNING && info->nr_ifaces == 1 &&
	      info->nr_hooks == 1 && !info->linktype && !info->meta &&
	      !info->flags, "INFO's outputs");
	untouched(buf, sizeof(*info), "INFO");

	drain = poisoned(buf, sizeof(*drain));
	drain->ring = PTAP_RING_ALL;
	CHECK(!ioctl(fd, PTAP_IOC_DRAIN, drain) && !drain->filled &&
	      drain->ring == PTAP_RING_ALL, "DRAIN's outputs");
	untouched(buf, sizeof(*drain), "DRAIN");

	sync = poisoned(buf, sizeof(*sync));
	sync->flags = 0;
	before = now_ns();
	CHECK(!ioctl(fd, PTAP_IOC_SYNC, sync) && sync->horizon_ns >= before &&
	      sync->horizon_ns <= now_ns(), "SYNC's outputs");
	untouched(buf, sizeof(*sync), "SYNC");

	iface = poisoned(buf, sizeof(*iface));
	iface->id = 0;
	CHECK(!ioctl(fd, PTAP_IOC_IFACE, iface) && !iface->reserved &&
	      !iface->flags && !iface->addr[31] && !iface->name[15],
	      "IFACE's outputs");
	untouched(buf, sizeof(*iface), "IFACE");

	stats = poisoned(buf, sizeof(*stats));
	stats->ring = PTAP_RING_ALL;
	CHECK(!ioctl(fd, PTAP_IOC_STATS, stats) && !stats->seen &&
	      !stats->dropped[15] && !stats->wakeups &&
	      stats->ring == PTAP_RING_ALL, "STATS' outputs");
	untouched(buf, sizeof(*stats), "STATS");
	close(fd);
}

static void refuse(uint32_t state, unsigned long nr, const void *arg,
		   const char *what)
{
	int fd = session_in_state(state);

	CHECK_ERRNO(ioctl(fd, nr, arg), EINVAL, what);
	CHECK_EQ(session_state(fd), state, what);
	close(fd);
}

void args_reserved(void)
{
	struct ptap_filter_prog prog = { .len = 1, .reserved = 1 };
	uint8_t bytes[64];
	uint32_t bit;

	net_dummy("d0");
	for (bit = 0; bit < 32; bit++) {
		if (1U << bit & ~(PTAP_SETUP_PROMISC | PTAP_SETUP_COPYBREAK |
				  PTAP_SETUP_CLOCK_TSC |
				  PTAP_SETUP_CLOCK_ADAPTER))
			refuse(PTAP_STATE_NEW, PTAP_IOC_SETUP,
			       &SETUP(.flags = 1U << bit), "SETUP flags");
	}
	refuse(PTAP_STATE_NEW, PTAP_IOC_SETUP,
	       &SETUP(.flags = PTAP_SETUP_CLOCK_TSC | PTAP_SETUP_CLOCK_ADAPTER),
	       "SETUP flags, two clocks");
	refuse(PTAP_STATE_NEW, PTAP_IOC_SETUP, &SETUP(.reserved = 1),
	       "SETUP reserved");
	for (bit = 0; bit < 32; bit += 31) {
		refuse(PTAP_STATE_SETUP, PTAP_IOC_FILTER,
		       &(struct ptap_filter){ .size = 24, .flags = 1U << bit },
		       "FILTER flags");
		refuse(PTAP_STATE_SETUP, PTAP_IOC_FILTER,
		       &(struct ptap_filter){ .size = 24,
					      .reserved = 1U << bit },
		       "FILTER reserved");
		refuse(PTAP_STATE_SETUP, PTAP_IOC_SYNC,
		       &(struct ptap_sync){ .size = 16, .flags = 1U << bit },
		       "SYNC flags");
		refuse(PTAP_STATE_SETUP, PTAP_IOC_PREAMBLE,
		       &(struct ptap_preamble){ .size = 32, .len = 64,
			.flags = 2U << (bit ? 30 : 0),
			.buf = (uintptr_t)bytes }, "PREAMBLE flags");
		refuse(PTAP_STATE_SETUP, PTAP_IOC_PREAMBLE,
		       &(struct ptap_preamble){ .size = 32, .len = 64,
			.reserved = 1U << bit, .buf = (uintptr_t)bytes },
		       "PREAMBLE reserved");
	}
	refuse(PTAP_STATE_SETUP, PTAP_IOC_FILTER,
	       &(struct ptap_filter){ .size = 24, .nr_progs = 1,
				      .progs = (uintptr_t)&prog },
	       "program's reserved");
}
