// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * libptap's rings, step by step: what ptap_rings_look() learns, what
 * ptap_rings_peek() gives out within its limits, when memory goes back, and
 * what is held back because an idle or busy ring may still have older records.
 *
 * One thread and a clock that the test sets; rings_thread_test.c has several
 * producers and the real clock.
 */
#define _GNU_SOURCE
#include "lib_source.h"
#include "lib_rings.h"
#if LIB_SOURCE
#include "rings.c"
#endif

#define T0		1000000000000ULL
#define HOLD		((u64)PTAP_HOLDBACK_NS)
#define AHEAD		((u64)PTAP_SET_BACK_NS)
#define IOVS		4096U

static u64 fake_now, fake_step;	/* the clock goes on at each look at it */
static struct iovec iov[IOVS];
static struct ptap_batch all;

static u64 fake_now_ns(void *ctx)
{
	u64 now = fake_now;

	TAP_CHECK(ctx == NULL);
	fake_now += fake_step;
	return now;
}

static const struct ptap_rings_ops ops = {
	.now_ns = fake_now_ns,
	.drain = real_drain,
};

static void begin(u32 nr, u32 fmt, u64 start)
{
	fake_now = T0;
	fake_step = 0;
	rings_begin(nr, fmt, start, &ops);
}

static void put(u32 ring, u64 time_ns, u32 body, bool defer)
{
	struct bed_packet pkt = { .defer = defer };

	pkt.size = record_overhead() + RINGS_BODY_MIN + body;
	rings[ring].time_ns = time_ns;
	bed_hook(&rings[ring].bed, &pkt);
}

/* Look and take everything that may go out: number of records. */
static u64 take(void)
{
	all = (struct ptap_batch){
		.iov = iov, .nr_iov = IOVS, .max_bytes = U64_MAX,
		.max_records = U64_MAX,
	};
	ptap_rings_look(&lib);
	ptap_rings_peek(&lib, &all);
	batch_check(&all, true);
	TAP_CHECK(!all.cut);
	ptap_rings_release(&lib);
	return all.records;
}

static void test_empty(void)
{
	begin(RINGS, PTAP_FORMAT_PCAPNG, 0);
	TAP_CHECK(take() == 0 && all.nr == 0 && all.bytes == 0);
	lib.ended = true;
	TAP_CHECK(take() == 0 && all.nr == 0);
	ptap_rings_exit(&lib);
	TAP_CHECK(!lib.cursors && !lib.use);
}

/* Nobody holds a single ring back, and its records are one span. */
static void test_single(void)
{
	u32 fmt, i, round;

	for (fmt = 0; fmt < 3; fmt++) {
		/* The positions wrap as numbers on the way. */
		begin(1, fmt, 0 - 3ULL * RINGS_SIZE);
		for (round = 0; round < 100; round++) {
			for (i = 0; i < 50; i++)
				put(0, T0 + i + 50 * round, 4 * i * 5, false);
			TAP_CHECK(take() == 50 && all.nr == 1);
		}
		TAP_CHECK(rings[0].con.tail == rings[0].ctl.head);
		TAP_CHECK(lib.use[0].records == 5000 && !lib.use[0].held);
		TAP_CHECK(lib.use[0].tail == rings[0].con.tail);
		ptap_rings_exit(&lib);
	}
}

/* Memory goes back when it is released, and not before. */
static void test_release(void)
{
	struct bed *b = &rings[0].bed;
	struct ptap_batch few = { .iov = iov, .nr_iov = 1,
				  .max_bytes = U64_MAX, .max_records = 5 };
	u64 tail;

	begin(1, PTAP_FORMAT_PCAP_NSEC, 12345);
	tail = rings[0].con.tail;
	while (!b->count.full)
		put(0, T0 + b->count.seen, 1000, false);
	ptap_rings_look(&lib);
	ptap_rings_peek(&lib, &few);
	TAP_CHECK(few.records == 5 && few.cut && lib.use[0].held == 5);
	TAP_CHECK(rings[0].con.tail == tail && lib.use[0].records == 0);
	put(0, T0 + 9999, 1000, false);
	TAP_CHECK(b->count.full == 2);
	batch_check(&few, true);
	/* A second peek goes on behind the first; both are released at once. */
	few.max_records = 3;
	ptap_rings_peek(&lib, &few);
	batch_check(&few, true);
	TAP_CHECK(rings[0].con.tail == tail && lib.use[0].held == 8);
	ptap_rings_release(&lib);
	TAP_CHECK(rings[0].con.tail == tail + 8 * (1000 + 32));
	TAP_CHECK(lib.use[0].records == 8 && !lib.use[0].held);
	ptap_rings_release(&lib);
	TAP_CHECK(lib.use[0].records == 8);
	put(0, T0 + 10000, 1000, false);
	TAP_CHECK(b->count.full == 2);
	TAP_CHECK(take() == b->count.captured - 8);
	ptap_rings_exit(&lib);
}

/* An idle ring: what is younger than the hold-back stays. */
static void test_holdback(void)
{
	u64 t = T0 - HOLD / 2;		/* within the hold-back at T0 */

	begin(2, PTAP_FORMAT_PCAPNG, 0);
	put(0, T0 - HOLD - 1, 0, false);
	put(0, t, 0, false);
	put(0, t + 1, 0, false);
	TAP_CHECK(take() == 1);
	fake_now = t + HOLD - 1;
	TAP_CHECK(take() == 0);
	fake_now++;
	TAP_CHECK(take() == 1);
	fake_now += 2;
	TAP_CHECK(take() == 1);
	/* Where every ring has records, the oldest go at once. */
	t = T0;
	fake_now = t + HOLD;
	put(0, t + 100, 0, false);
	put(0, t + 300, 0, false);
	put(1, t + 200, 0, false);
	TAP_CHECK(take() == 2);
	fake_now = t + 300 + HOLD;
	TAP_CHECK(take() == 1);
	ptap_rings_exit(&lib);
}

static void test_busy(void)
{
	begin(2, PTAP_FORMAT_PCAP_NSEC, 0);
	TAP_CHECK(take() == 0);
	/* It was idle at T0, which is all that is known of it now. */
	TAP_CHECK(ptap_prod_enter(&rings[1].ctl));
	fake_now = T0 + 1000000000;
	put(0, T0 - HOLD, 0, false);
	put(0, T0 - HOLD + 1, 0, false);
	TAP_CHECK(take() == 1);
	TAP_CHECK(take() == 0);
	ptap_prod_leave(&rings[1].ctl);
	TAP_CHECK(take() == 1);
	/* Its last record is as good. */
	put(1, T0 + 500, 0, false);
	TAP_CHECK(ptap_prod_enter(&rings[1].ctl));
	fake_now = T0 + 2000000000;
	put(0, T0 + 400, 0, false);
	TAP_CHECK(take() == 2);
	put(0, fake_now - HOLD, 0, false);
	TAP_CHECK(take() == 0);
	/* At the end nobody waits for it. */
	lib.ended = true;
	TAP_CHECK(take() == 1);
	ptap_rings_exit(&lib);
}

/* Busy since before the first look: nothing is known of the ring. */
static void test_busy_first(void)
{
	begin(2, PTAP_FORMAT_PCAP_USEC, 0);
	TAP_CHECK(ptap_prod_enter(&rings[1].ctl));
	put(0, 5000, 0, false);
	TAP_CHECK(take() == 0);
	ptap_prod_leave(&rings[1].ctl);
	TAP_CHECK(take() == 1);
	ptap_rings_exit(&lib);
}

/* Records that are newer than the clock do not wait for it. */
static void test_clock_back(void)
{
	begin(3, PTAP_FORMAT_PCAPNG, 0);
	put(0, T0 - HOLD, 0, false);
	TAP_CHECK(take() == 1);
	put(0, T0 + 3000, 0, false);
	fake_now = T0 / 2;
	TAP_CHECK(take() == 1);
	/* The ring goes on with the clock's new time. */
	last_time_ns = 0;
	put(0, T0 / 2 + 10, 0, false);
	put(1, T0 / 2 + 5, 0, false);
	TAP_CHECK(take() == 2);
	/* A busy ring is waited for all the same, as long as it is busy. */
	put(0, T0 + 5000, 0, false);
	TAP_CHECK(ptap_prod_enter(&rings[2].ctl));
	TAP_CHECK(take() == 0);
	ptap_prod_leave(&rings[2].ctl);
	TAP_CHECK(take() == 1);
	ptap_rings_exit(&lib);
}

/* A packet that came while the rings were looked at is not from the future. */
static void test_clock_goes_on(void)
{
	begin(2, PTAP_FORMAT_PCAPNG, 0);
	put(0, T0 + 2 * AHEAD, 0, false);
	fake_step = 2 * AHEAD;
	TAP_CHECK(take() == 0);
	fake_step = 0;
	fake_now = T0 + 3 * AHEAD;
	TAP_CHECK(take() == 1);
	/* Nor is one that another processor's clock put a little ahead. */
	put(0, fake_now + AHEAD, 0, false);
	TAP_CHECK(take() == 0);
	put(1, fake_now + AHEAD + 1, 0, false);
	TAP_CHECK(take() == 2);
	ptap_rings_exit(&lib);
}

static void test_drain(void)
{
	begin(3, PTAP_FORMAT_PCAPNG, 0);
	put(0, 1000, 400, true);
	put(0, 2000, 0, false);
	put(2, 1500, 0, false);
	TAP_CHECK(rings[0].ctl.head != rings[0].ctl.pending);
	TAP_CHECK(take() == 3);
	TAP_CHECK(rings[0].nr_drains == 1);
	TAP_CHECK(rings[1].nr_drains == 0 && rings[2].nr_drains == 0);
	/* Behind the head, pending means nothing. */
	put(0, 3000, 0, false);
	TAP_CHECK(take() == 1 && rings[0].nr_drains == 1);
	/* Only deferred records, and no time left. */
	put(1, 4000, 100, true);
	put(1, 5000, 100, false);
	lib.ended = true;
	TAP_CHECK(take() == 2);
	TAP_CHECK(rings[0].nr_drains == 1 && rings[1].nr_drains == 1);
	ptap_rings_exit(&lib);
}

static void test_ifaces(void)
{
	begin(2, PTAP_FORMAT_PCAPNG, 0);
	TAP_CHECK(lib.nr_ifaces == 0);
	rings[1].ctl.nr_ifaces = 5;
	rings[0].ctl.nr_ifaces = 2;
	take();
	TAP_CHECK(lib.nr_ifaces == 5);
	rings[0].ctl.nr_ifaces = 4;
	take();
	TAP_CHECK(lib.nr_ifaces == 5);
	rings[0].ctl.nr_ifaces = 6;
	take();
	TAP_CHECK(lib.nr_ifaces == 6);
	ptap_rings_exit(&lib);
}

/* Bounded batches ---------------------------------------------------------- */

/* Records of all rings in turns of 1 to 5, some deferred: their number. */
static u64 fill(u32 *turns)
{
	u32 ring = 0, last = RINGS, i, n = 0;
	u64 time_ns = 2000;

	*turns = 0;
	for (i = 0; i < 120; i++) {
		ring = (ring + 1 + i % 3) % RINGS;
		if (ring != last)
			++*turns;
		last = ring;
		for (n = i % 5 + 1; n; n--, time_ns += 2000)
			put(ring, time_ns, i * 4 % 160, i % 7 == 0);
	}
	for (i = n = 0; i < RINGS; i++)
		n += rings[i].bed.count.captured;
	return n;
}

/* The whole in batches: each is as large as its limits let it be. */
static void batches(u32 fmt, u32 nr_iov, u64 max_bytes, u64 max_records)
{
	struct ptap_batch b = {
		.iov = iov, .nr_iov = nr_iov, .max_bytes = max_bytes,
		.max_records = max_records,
	};
	u64 total, done = 0, largest;
	u32 turns, i;

	begin(RINGS, fmt, 77);
	largest = record_overhead() + RINGS_BODY_MIN + 160;
	total = fill(&turns);
	lib.ended = true;
	do {
		ptap_rings_look(&lib);
		ptap_rings_peek(&lib, &b);
		batch_check(&b, true);
		done += b.records;
		TAP_CHECK(b.cut == (done < total));
		if (b.cut)
			TAP_CHECK(b.nr == nr_iov || b.records == max_records ||
				  b.bytes + largest > max_bytes);
		if (done % 2)
			ptap_rings_release(&lib);
	} while (b.cut && !tap_has_failed());
	ptap_rings_release(&lib);
	TAP_CHECK(done == total);
	if (nr_iov == IOVS && max_bytes == U64_MAX && max_records == U64_MAX)
		TAP_CHECK(b.nr == turns);
	for (i = 0; i < RINGS; i++) {
		TAP_CHECK(rings[i].nr_seen == rings[i].bed.count.captured);
		TAP_CHECK(rings[i].con.tail == rings[i].bed.prod.pos);
		TAP_CHECK(lib.use[i].records == rings[i].nr_seen);
	}
	ptap_rings_exit(&lib);
	if (tap_has_failed())
		tap_note("format %u, %u spans, %llu bytes, %llu records", fmt,
			 nr_iov, (unsigned long long)max_bytes,
			 (unsigned long long)max_records);
}

static void test_batches(void)
{
	static const u32 nr_iov[] = { 1, 2, 3, 10, IOVS };
	static const u64 bytes[] = { 208, 209, 500, 5000, U64_MAX };
	static const u64 records[] = { 1, 2, 3, 7, 50, U64_MAX };
	u32 fmt, i, j, k;

	for (fmt = 0; fmt < 3; fmt++)
		for (i = 0; i < sizeof(nr_iov) / sizeof(*nr_iov); i++)
			for (j = 0; j < sizeof(bytes) / sizeof(*bytes); j++)
				for (k = 0; k < sizeof(records) /
						sizeof(*records); k++)
					batches(fmt, nr_iov[i], bytes[j],
						records[k]);
}

static const struct tap_test tests[] = {
	{ "empty rings", test_empty },
	{ "one ring", test_single },
	{ "memory goes back on release only", test_release },
	{ "hold-back of an idle ring", test_holdback },
	{ "busy ring holds back", test_busy },
	{ "busy at the first look", test_busy_first },
	{ "clock set back", test_clock_back },
	{ "clock goes on during a look", test_clock_goes_on },
	{ "deferred records are drained", test_drain },
	{ "number of interfaces", test_ifaces },
	{ "bounded batches", test_batches },
};

int main(void)
{
	rings_create();
	return TAP_RUN(tests);
}
