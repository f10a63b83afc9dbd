// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * What a user sees of memory that was somebody else's: nothing.
 *
 * Memory is filled with 0xa5 and freed, so that rings are made of it; the
 * kernel of make test is told not to clear what it allocates (init_on_alloc=0).
 * Fresh rings are zero, and of a used one everything behind the head still is.
 */
#define _GNU_SOURCE
#include "common.h"
#include "ring_test.h"

#define STAINED		(192U << 20)

static void stain(void)
{
	uint8_t *p = mmap(NULL, STAINED, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	REQUIRE(p != MAP_FAILED, "mmap: %m");
	memset(p, 0xa5, STAINED);
	munmap(p, STAINED);
}

static bool zero(const void *from, uint64_t len)
{
	const uint8_t *p = from;

	return !len || (!p[0] && !memcmp(p, p + 1, len - 1));
}

static void fresh(struct rings *rs)
{
	const struct ptap_ring_control *ctl;
	uint32_t i, page = rs->info.page_size;
	uint64_t first;

	for (i = 0; i < rs->info.nr_rings; i++) {
		ctl = rs->r[i].ctl;
		first = ctl->format == PTAP_FORMAT_PCAPNG ? 0 : 24;
		CHECK(rs->r[i].con->tail == ctl->head && ctl->head == first,
		      "position %llu", (unsigned long long)ctl->head);
		CHECK(!rs->r[i].con->awake &&
		      zero(rs->r[i].con + 1, page - sizeof(*rs->r[i].con)),
		      "consumer page %u", i);
		CHECK(zero(rs->r[i].data, 2 * rs->info.ring_size), "data %u", i);
		CHECK(zero(ctl->reserved0, sizeof(ctl->reserved0)) &&
		      zero(ctl->reserved1, sizeof(ctl->reserved1)) &&
		      zero(ctl + 1, page - sizeof(*ctl)),
		      "control page %u", i);
	}
}

/* No record was written there; clones of larger packets are not filled in. */
static void unused(struct rings *rs)
{
	uint64_t end;
	uint32_t i;

	for (i = 0; i < rs->info.nr_rings; i++) {
		end = ring_head(&rs->r[i]) + ring_waiting(&rs->r[i]);
		REQUIRE(end <= rs->info.ring_size, "the ring is too small");
		CHECK(zero(rs->r[i].data + end, rs->info.ring_size - end),
		      "something behind the head of ring %u", i);
	}
}

static void fresh_run(struct ptap_setup setup)
{
	struct sender snd = { .dev = "d0", .nr = 800, .size = 60,
			      .size_max = 1500 };
	struct capture c;
	struct rings rs;
	struct tally t;
	int fd;

	stain();
	fd = session_setup("d0", setup);
	rings_map(&rs, fd);
	fresh(&rs);
	REQUIRE(!ioctl(fd, PTAP_IOC_START), "START: %m");
	tally_init(&t);
	capture_init(&c, fd, setup.linktype ? NULL : tally_packet, &t);
	sender_run(&snd);
	unused(&rs);
	/* The reader checks each byte of each record, padding too. */
	rings_finish(&rs, &c);
	CHECK_EQ(c.packets, snd.nr, "packets");
}

void fresh_memory(void)
{
	net_dummy("d0");
	fresh_run(SETUP(.snaplen = 2000, .ring_size = 4 << 20));
	fresh_run(SETUP_COPYBREAK(0, .snaplen = 2001, .ring_size = 4 << 20,
				  .meta = PTAP_META_FLAGS | PTAP_META_PACKETID |
					  PTAP_META_QUEUE | PTAP_META_HASH));
	fresh_run(SETUP_COPYBREAK(600, .snaplen = 333, .ring_size = 4 << 20,
				  .format = PTAP_FORMAT_PCAP_NSEC));
	fresh_run(SETUP(.format = PTAP_FORMAT_PCAP_USEC, .ring_size = 4 << 20,
			.linktype = PTAP_LINKTYPE_LINUX_SLL));
}
