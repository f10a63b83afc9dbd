// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * libptap's rings under threads: a producer for each ring, a drainer, and the
 * library as consumer with random limits, by the real clock.
 *
 * What comes out has to be sorted by time over all rings while they run, each
 * packet once, and its memory unchanged until it is released; the hold-back has
 * to be enough for that.  One ring is idle most of the time, and every producer
 * is held up now and then between the time stamp and the commit.  A format runs
 * for PTAP_UNIT_SECONDS * 0.4.
 */
#define _GNU_SOURCE
#include <sched.h>
#include <unistd.h>
#include "lib_source.h"
#include "lib_rings.h"
#if LIB_SOURCE
#include "rings.c"
#endif

#define IOVS		256U
#define BODY_MAX	2000U

static u64 real_now_ns(void *ctx)
{
	(void)ctx;
	return clock_ns();
}

static const struct ptap_rings_ops ops = {
	.now_ns = real_now_ns,
	.drain = real_drain,
};

static bool stop;
static u64 random_state = 1;
static u64 nr_batches, nr_cut, nr_drains;

static bool stopped(void)
{
	return __atomic_load_n(&stop, __ATOMIC_RELAXED) || tap_has_failed();
}

static u32 rnd(u64 *state, u32 n)
{
	*state = *state * 6364136223846793005ULL + 1442695040888963407ULL;
	return (*state >> 33) % n;
}

/* Its record has a time and is not published: other rings have to wait. */
static void dawdle(struct bed *b)
{
	if (b->count.captured % 101 == 50)
		usleep(600);
}

static void *produce(void *arg)
{
	struct fake_ring *r = arg;
	u64 random = r->ctl.ring + 17, full = 0;
	struct bed_packet pkt = { 0 };

	while (!stopped()) {
		pkt.size = record_overhead() + RINGS_BODY_MIN +
			   4 * rnd(&random, BODY_MAX / 4);
		pkt.defer = rnd(&random, 100) < 20;
		bed_hook(&r->bed, &pkt);
		if (r->bed.count.full != full)
			sched_yield();
		full = r->bed.count.full;
		if (r->ctl.ring == RINGS - 1)
			usleep(700);
		else if (!rnd(&random, 50))
			usleep(rnd(&random, 200));
	}
	return NULL;
}

static void *drain(void *arg)
{
	u32 i;

	while (!stopped()) {
		for (i = 0; i < RINGS; i++)
			bed_drain(&rings[i].bed);
		usleep(400);
	}
	return arg;
}

/* One batch with random limits: number of records. */
static u64 consume(void)
{
	struct iovec iov[IOVS];
	struct ptap_batch b = {
		.iov = iov,
		.nr_iov = 1 + rnd(&random_state, IOVS),
		.max_bytes = 3000 + rnd(&random_state, 60000),
		.max_records = rnd(&random_state, 3) ?
			       U64_MAX : 1 + rnd(&random_state, 50),
	};

	ptap_rings_look(&lib);
	ptap_rings_peek(&lib, &b);
	batch_check(&b, true);
	if (!rnd(&random_state, 16)) {
		/* The producers fill the rings and must not come around. */
		usleep(500);
		batch_check(&b, false);
	}
	ptap_rings_release(&lib);
	nr_batches += b.nr != 0;
	nr_cut += b.cut;
	return b.records;
}

static void check_end(void)
{
	u64 total = 0, dropped = 0;
	struct fake_ring *r;
	u32 i;

	for (i = 0; i < RINGS && !tap_has_failed(); i++) {
		r = &rings[i];
		TAP_CHECK(r->nr_seen == r->bed.count.captured);
		TAP_CHECK(lib.use[i].records == r->nr_seen);
		TAP_CHECK(r->con.tail == r->bed.prod.pos);
		total += r->nr_seen;
		dropped += r->bed.count.full;
		nr_drains += r->nr_drains;
	}
	TAP_CHECK(total > 0);
	tap_note("%llu packets, %llu dropped, %llu batches, %llu cut, %llu drains",
		 (unsigned long long)total, (unsigned long long)dropped,
		 (unsigned long long)nr_batches, (unsigned long long)nr_cut,
		 (unsigned long long)nr_drains);
}

static void run(u32 fmt)
{
	pthread_t threads[RINGS + 1];
	u64 end;
	u32 i;

	rings_begin(RINGS, fmt, 0 - 2000000ULL, &ops);
	nr_batches = nr_cut = nr_drains = 0;
	stop = false;
	for (i = 0; i < RINGS; i++) {
		rings[i].bed.window = dawdle;
		pthread_create(&threads[i], NULL, produce, &rings[i]);
	}
	pthread_create(&threads[RINGS], NULL, drain, NULL);
	end = clock_ns() + tap_seconds() * 400000000;
	while (clock_ns() < end && !stopped())
		if (!consume())
			usleep(50);
	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	for (i = 0; i <= RINGS; i++)
		pthread_join(threads[i], NULL);
	lib.ended = true;
	while (consume() && !tap_has_failed())
		;
	check_end();
	ptap_rings_exit(&lib);
}

static void test_pcapng(void)
{
	run(PTAP_FORMAT_PCAPNG);
}

static void test_nsec(void)
{
	run(PTAP_FORMAT_PCAP_NSEC);
}

static void test_usec(void)
{
	run(PTAP_FORMAT_PCAP_USEC);
}

static const struct tap_test tests[] = {
	{ "several producers, pcapng", test_pcapng },
	{ "several producers, pcap with nanoseconds", test_nsec },
	{ "several producers, pcap with microseconds", test_usec },
};

int main(void)
{
	rings_create();
	return TAP_RUN(tests);
}
