// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * A reader that writes nonsense to its page.  Only its own capture may suffer:
 * the kernel stays sane, the accounting holds, and another session on the same
 * interface loses nothing.  When the position is mended the capture goes on.
 */
#define _GNU_SOURCE
#include <sched.h>
#include "common.h"
#include "ring_test.h"

/* Frames that come through now, of 10 that are sent. */
static uint64_t captured_of_ten(int fd, uint64_t *seq)
{
	uint64_t before = session_stats(fd, PTAP_RING_ALL).captured;

	send_frames("d0", *seq, 10, 992);
	*seq += 10;
	return session_stats(fd, PTAP_RING_ALL).captured - before;
}

static void fill_ring(int fd, uint64_t *seq)
{
	while (captured_of_ten(fd, seq))
		;
}

static void hostile_value(int fd, struct ring *r, uint64_t tail, uint64_t *seq,
			  const char *what)
{
	struct ptap_stats a, b;

	fill_ring(fd, seq);
	a = session_stats(fd, PTAP_RING_ALL);
	ring_release(r, tail);
	CHECK_EQ(captured_of_ten(fd, seq), 0, what);
	b = session_stats(fd, PTAP_RING_ALL);
	CHECK(b.dropped[PTAP_DROP_BAD_CONSUMER] ==
	      a.dropped[PTAP_DROP_BAD_CONSUMER] + 10,
	      "%s: BAD_CONSUMER grew by %llu", what,
	      b.dropped[PTAP_DROP_BAD_CONSUMER] -
	      a.dropped[PTAP_DROP_BAD_CONSUMER]);
	ring_release(r, ring_head(r));
	CHECK_EQ(captured_of_ten(fd, seq), 10, "captured after mending");
}

static uint64_t ring_records(const struct rings *rs, const struct ring *r,
			     uint64_t from)
{
	uint64_t nr = 0, head = ring_head(r), mask = rs->info.ring_size - 1;
	uint32_t len;

	for (; from != head; from += len, nr++) {
		memcpy(&len, r->data + (from & mask) + 4, 4);
		REQUIRE(len >= 32 && len <= head - from, "no record");
	}
	return nr;
}

void hostile_values(void)
{
	struct ptap_stats st;
	struct rings rs;
	uint64_t seq = 0, size;
	struct ring *r;
	int fd;

	net_dummy("d0");
	pin_cpu(0);
	fd = session_start("d0", SETUP(.snaplen = 2000, .ring_size = 65536));
	rings_map(&rs, fd);
	r = &rs.r[0];
	size = rs.info.ring_size;
	hostile_value(fd, r, ring_head(r) + 100 * size, &seq, "far ahead");
	hostile_value(fd, r, UINT64_MAX, &seq, "all ones");
	hostile_value(fd, r, 1ULL << 63, &seq, "the highest bit");
	hostile_value(fd, r, 0, &seq, "a ring behind");
	fill_ring(fd, &seq);
	hostile_value(fd, r, ring_head(r) - size - 1, &seq, "a byte behind");
	fill_ring(fd, &seq);
	hostile_value(fd, r, ring_head(r) + 1, &seq, "a byte ahead");
	/* In the ring, but at no record: space, nothing else. */
	fill_ring(fd, &seq);
	ring_release(r, ring_head(r) - size + 1024 * 3 + 17);
	CHECK_EQ(captured_of_ten(fd, &seq), 3, "odd position in the ring");
	ring_release(r, ring_head(r));
	CHECK_EQ(captured_of_ten(fd, &seq), 10, "captured after mending");
	session_stop(fd);
	CHECK_EQ(ring_records(&rs, r, ring_tail(r)), 10, "records left");
	st = session_stats(fd, PTAP_RING_ALL);
	CHECK_EQ(st.seen, seq, "seen");
	CHECK_EQ(st.seen, st.captured + stats_dropped(&st), "identity");
	rings_unmap(&rs);
	close(fd);
}

struct scribbler {
	struct rings *rs;
	bool stop;
	bool page;
	unsigned int seed;
};

static uint64_t random64(unsigned int *seed)
{
	return (uint64_t)rand_r(seed) << 42 ^ (uint64_t)rand_r(seed) << 21 ^
	       rand_r(seed);
}

/* Ahead, behind, random, in the ring, mended: all ways to be wrong. */
static uint64_t nonsense(struct scribbler *s, struct ring *r)
{
	uint64_t head = ring_head(r), size = s->rs->info.ring_size;

	switch (rand_r(&s->seed) % 8) {
	case 0:
		return random64(&s->seed);
	case 1:
		return head + random64(&s->seed) % (4 * size);
	case 2:
		return head - random64(&s->seed) % (4 * size);
	case 3:
		return head - size + random64(&s->seed) % 4096;
	case 4:
		return head + 1;
	case 5:
		return UINT64_MAX - random64(&s->seed) % 4096;
	case 6:
		return head - random64(&s->seed) % size;
	default:
		return head;
	}
}

static void *scribble(void *arg)
{
	struct scribbler *s = arg;
	uint64_t *page;
	struct ring *r;
	uint32_t i, k;

	while (!__atomic_load_n(&s->stop, __ATOMIC_RELAXED)) {
		for (i = 0; i < s->rs->info.nr_rings; i++) {
			r = &s->rs->r[i];
			ring_release(r, nonsense(s, r));
			if (!s->page)
				continue;
			page = (uint64_t *)r->con;
			for (k = 1; k < 512; k++)
				page[k] = random64(&s->seed);
		}
		/* In User-Mode Linux a thread that spins stops the others. */
		sched_yield();
	}
	return NULL;
}

/* A thread that uses the scribbled session as a reader would. */
static void *use_scribbled(void *arg)
{
	struct scribbler *s = arg;
	struct pollfd p = { .fd = s->rs->fd, .events = POLLIN };

	while (!__atomic_load_n(&s->stop, __ATOMIC_RELAXED)) {
		poll(&p, 1, 1);
		session_drain(p.fd);
		session_stats(p.fd, PTAP_RING_ALL);
	}
	return NULL;
}

static void scribble_join(struct scribbler *s, pthread_t *threads)
{
	__atomic_store_n(&s->stop, true, __ATOMIC_RELAXED);
	pthread_join(threads[0], NULL);
	pthread_join(threads[1], NULL);
}

/* Mend, and see that the session captures again, byte by byte. */
static void mended(struct rings *rs)
{
	struct ptap_stats st = { 0 };
	struct capture c;
	struct tally t;
	uint32_t i;

	session_drain(rs->fd);
	tally_init(&t);
	capture_init(&c, rs->fd, tally_packet, &t);
	for (i = 0; i < rs->info.nr_rings; i++) {
		rs->r[i].pos = ring_head(&rs->r[i]);
		memset(rs->r[i].con, 0, 4096);
		ring_release(&rs->r[i], rs->r[i].pos);
	}
	send_frames("d0", 0, 80, 700);
	session_stop(rs->fd);
	rings_merge(rs, &c, true);
	tally_expect(&t, 0, 0, 80);
	for (i = 0; i <= rs->info.nr_rings; i++) {
		st = session_stats(rs->fd, i < rs->info.nr_rings ? i :
							PTAP_RING_ALL);
		CHECK_EQ(st.seen, st.captured + st.filtered +
			 stats_dropped(&st), "identity of the scribbled session");
	}
	CHECK(st.dropped[PTAP_DROP_BAD_CONSUMER], "BAD_CONSUMER is 0");
}

static void scribble_run(uint32_t copybreak, bool page)
{
	struct scribbler s = { .seed = 7, .page = page };
	struct sender snd = { .dev = "d0", .nr = 25000, .size = 60,
			      .size_max = 1500, .pause_us = 200, .batch = 20 };
	struct rings bad, good;
	pthread_t threads[2], sending;
	struct capture c;
	struct tally t;
	int fd, fd2;

	net_dummy("d0");
	fd = session_start("d0", SETUP_COPYBREAK(copybreak, .snaplen = 2000,
						 .ring_size = 65536));
	fd2 = session_start("d0", SETUP_COPYBREAK(copybreak,
						  .ring_size = 64 << 20));
	rings_map(&bad, fd);
	rings_map(&good, fd2);
	tally_init(&t);
	capture_init(&c, fd2, tally_packet, &t);
	s.rs = &bad;
	TEST_THREAD(threads[0], scribble, &s);
	TEST_THREAD(threads[1], use_scribbled, &s);
	TEST_THREAD(sending, sender_thread, &snd);
	rings_read_until(&good, &c, snd.nr);
	pthread_join(sending, NULL);
	scribble_join(&s, threads);
	rings_finish(&good, &c);
	tally_expect(&t, 0, 0, snd.nr);
	CHECK_EQ(session_stats(fd, PTAP_RING_ALL).seen, snd.nr, "seen");
	mended(&bad);
	rings_unmap(&bad);
	close(fd);
}

void hostile_scribbler(void)
{
	scribble_run(2048, false);
}

void hostile_scribbler_cloned(void)
{
	scribble_run(0, false);
}

void hostile_whole_page(void)
{
	scribble_run(400, true);
}
