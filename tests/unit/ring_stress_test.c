// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The ring protocol under threads: one producer, one drainer, one consumer.
 *
 * Each record carries its number, the number of packets lost before it, a time
 * and bytes that follow from its number, so that the consumer notices a lost,
 * repeated, torn or unfilled record.  It also holds the busy byte to contract
 * (3) of struct ptap_ring_control.  The data is mapped twice in a row between
 * guard pages.
 *
 * A variant runs for PTAP_UNIT_SECONDS (default 1).  ThreadSanitizer does not
 * know that both halves of the mapping are the same memory; it misses races
 * between them, and invents none.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>
#include "ring_bed.h"
#include "ring_map.h"
#include "tap.h"

#define HEAD_LEN	sizeof(struct record)
#define BODY_MAX	4096U
#define POISON		0xdd

struct record {
	u64 seq;
	u64 lost;
	u64 time_ns;
	u64 size;
};

struct variant {
	u64 size;
	u64 start;
	u32 queue;		/* first position of the queue */
	u32 defer_max;
	u32 defer_percent;
	u32 body_max;
	u32 stall_us;		/* the consumer sleeps so long now and then */
	bool no_drainer;	/* only the consumer drains */
	bool interrupts;	/* packets nested in others, by a signal */
	bool hostile;		/* the consumer writes nonsense first */
};

static const struct variant usual = {
	.size = 1 << 20, .queue = -20, .defer_max = 64, .defer_percent = 30,
	.body_max = 2000,
};

static struct variant plan;
static struct bed bed;
static pthread_mutex_t drain_lock = PTHREAD_MUTEX_INITIALIZER;
static bool stop_producer, stop_drainer, stop_consumer;

/* The consumer's, between its threads. */
static struct {
	u64 pos;
	u64 records;
	u64 lost;
	u64 time_ns;
	u64 bound_ns;		/* no record behind bound_pos is older */
	u64 bound_pos;
	u64 idle_seen;
	u64 random;
} cons;

static bool stopped(const bool *stop)
{
	return __atomic_load_n(stop, __ATOMIC_RELAXED) || tap_has_failed();
}

static void set(bool *flag, bool value)
{
	__atomic_store_n(flag, value, __ATOMIC_RELAXED);
}

static u64 now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

static u32 random_u32(u64 *state)
{
	*state = *state * 6364136223846793005ULL + 1442695040888963407ULL;
	return *state >> 33;
}

static void bed_lock(struct bed *b)
{
	(void)b;
	pthread_mutex_lock(&drain_lock);
}

static void bed_unlock(struct bed *b)
{
	(void)b;
	pthread_mutex_unlock(&drain_lock);
}

/* Records ------------------------------------------------------------------ */

static void body_make(u8 *body, u64 seq, u32 len)
{
	u64 word = (seq + 1) * 0x9e3779b97f4a7c15ULL;
	u32 i;

	for (i = 0; i < len; i += sizeof(word), word += 0x0101010101010101ULL)
		memcpy(body + i, &word, sizeof(word));
}

static void bed_write_head(struct bed *b, u64 seq, u64 pos, u32 size)
{
	struct record rec = {
		.seq = seq, .lost = bed_dropped(b), .time_ns = now_ns(),
		.size = size,
	};

	memcpy(bed_at(b, pos), &rec, HEAD_LEN);
	memset(bed_at(b, pos) + HEAD_LEN, POISON, size - HEAD_LEN);
}

static void bed_write_body(struct bed *b, u64 seq, u64 pos, u32 size)
{
	u8 body[BODY_MAX + sizeof(u64)];

	body_make(body, seq, size - HEAD_LEN);
	memcpy(bed_at(b, pos) + HEAD_LEN, body, size - HEAD_LEN);
}

/* Producer ----------------------------------------------------------------- */

static struct bed_packet packet_make(u64 *random)
{
	u32 body = random_u32(random) % plan.body_max;

	return (struct bed_packet){
		.size = HEAD_LEN + body,
		.defer = random_u32(random) % 100 < plan.defer_percent,
		.fault = random_u32(random) % 1000 == 0,
	};
}

static void interrupt(int nr)
{
	static u64 random = 77;
	struct bed_packet pkt = packet_make(&random);

	(void)nr;
	bed_hook(&bed, &pkt);
}

static void *produce(void *arg)
{
	u64 random = 1, full = 0;
	struct bed_packet pkt;

	(void)arg;
	while (!stopped(&stop_producer)) {
		pkt = packet_make(&random);
		bed_hook(&bed, &pkt);
		/* Let the others have the processor when it makes sense. */
		if (bed_dropped(&bed) - full > 16 ||
		    random_u32(&random) % 256 == 0) {
			full = bed_dropped(&bed);
			sched_yield();
		}
	}
	return NULL;
}

/* A packet from a hard interrupt, as seen by the producer's thread. */
static void *interrupt_producer(void *arg)
{
	pthread_t *producer = arg;
	struct timespec pause = { .tv_nsec = 20000 };

	while (!stopped(&stop_drainer)) {
		pthread_kill(*producer, SIGUSR1);
		nanosleep(&pause, NULL);
	}
	return NULL;
}

/* Drainer ------------------------------------------------------------------ */

static void *drain(void *arg)
{
	(void)arg;
	while (!stopped(&stop_drainer))
		if (!bed_drain(&bed))
			sched_yield();
	return NULL;
}

/* Consumer ----------------------------------------------------------------- */

/* One record; false when it is not what it should be. */
static bool check_record(u64 left)
{
	const u8 *at = bed_at(&bed, cons.pos);
	u8 body[BODY_MAX + sizeof(u64)];
	struct record rec;
	bool good;

	if (!TAP_CHECK(left >= HEAD_LEN))
		return false;
	memcpy(&rec, at, HEAD_LEN);
	good = TAP_CHECK(rec.size >= HEAD_LEN && rec.size <= left) &&
	       TAP_CHECK(rec.size <= HEAD_LEN + plan.body_max) &&
	       TAP_CHECK(rec.lost >= cons.lost) &&
	       TAP_CHECK(rec.seq == cons.records + rec.lost) &&
	       TAP_CHECK(rec.time_ns >= cons.time_ns);
	if (!good)
		return false;
	body_make(body, rec.seq, rec.size - HEAD_LEN);
	if (!TAP_CHECK(!memcmp(at + HEAD_LEN, body, rec.size - HEAD_LEN)))
		return false;
	if (!ptap_pos_after(cons.bound_pos, cons.pos) &&
	    !TAP_CHECK(rec.time_ns >= cons.bound_ns))
		return false;
	cons.lost = rec.lost;
	cons.time_ns = rec.time_ns;
	cons.records++;
	cons.pos += rec.size;
	return true;
}

/* Contract (3). */
static u64 look(void)
{
	u64 bound = now_ns() - PTAP_HOLDBACK_NS, head;
	bool busy = ptap_cons_busy(bed.ctl);

	if (ptap_pos_after(ptap_cons_end(bed.ctl), ptap_cons_head(bed.ctl)))
		bed_drain(&bed);
	head = ptap_cons_head(bed.ctl);
	if (!busy) {
		cons.bound_ns = bound;
		cons.bound_pos = head;
		cons.idle_seen++;
	}
	return head;
}

/* Read what is there; false at the first error. */
static bool consume_once(void)
{
	u64 head = look();

	TAP_CHECK(head - bed.con->tail <= plan.size);
	while (cons.pos != head) {
		if (!check_record(head - cons.pos))
			return false;
		if (random_u32(&cons.random) % 8 == 0)
			ptap_cons_release(bed.con, cons.pos);
	}
	ptap_cons_release(bed.con, cons.pos);
	return true;
}

static void *consume(void *arg)
{
	(void)arg;
	while (!stopped(&stop_consumer) && consume_once()) {
		if (plan.stall_us && random_u32(&cons.random) % 64 == 0)
			usleep(random_u32(&cons.random) % plan.stall_us);
		else if (random_u32(&cons.random) % 4 == 0)
			sched_yield();
	}
	return NULL;
}

/* Positions inside of the ring and outside, new ones and old ones. */
static void *confuse(void *arg)
{
	u64 random = 5, head;

	(void)arg;
	while (!stopped(&stop_consumer)) {
		u64 r = (u64)random_u32(&random) << 32 | random_u32(&random);
		const u64 value[] = {
			r, r % (2 * plan.size), 0 - r % (2 * plan.size),
			0, 1, plan.size, 0 - plan.size, 1ULL << 63,
		};

		head = ptap_cons_end(bed.ctl) +
			(random_u32(&random) % 2 ? plan.start : 0);
		ptap_cons_release(bed.con, head + value[r % 8]);
		if (random_u32(&random) % 2)
			ptap_cons_release(bed.con, ptap_cons_end(bed.ctl));
		if (random_u32(&random) % 64 == 0)
			sched_yield();
	}
	return NULL;
}

/* Runs --------------------------------------------------------------------- */

static void setup(void)
{
	long page = sysconf(_SC_PAGESIZE);

	bed.ctl = aligned_alloc(page, page);
	bed.con = aligned_alloc(page, page);
	memset(bed.ctl, 0, page);
	memset(bed.con, 0, page);
	bed.data = ring_map(plan.size);
	bed.defer_max = plan.defer_max;
	bed_reset(&bed, plan.size, plan.start, plan.queue);
	memset(&cons, 0, sizeof(cons));
	cons.pos = plan.start;
	cons.bound_pos = plan.start;
}

static void teardown(void)
{
	ring_unmap(bed.data, plan.size);
	free(bed.ctl);
	free(bed.con);
}

/* Producer, drainer and @consumer for some time, then quiet. */
static void run_threads(void *(*consumer)(void *), double seconds)
{
	pthread_t producer_id, drainer_id, consumer_id, interrupt_id;

	set(&stop_producer, false);
	set(&stop_drainer, false);
	set(&stop_consumer, false);
	pthread_create(&consumer_id, NULL, consumer, NULL);
	pthread_create(&producer_id, NULL, produce, NULL);
	if (!plan.no_drainer)
		pthread_create(&drainer_id, NULL, drain, NULL);
	if (plan.interrupts)
		pthread_create(&interrupt_id, NULL, interrupt_producer,
			       &producer_id);
	for (; seconds > 0 && !tap_has_failed(); seconds -= 0.05)
		usleep(50000);
	set(&stop_drainer, true);
	if (plan.interrupts)
		pthread_join(interrupt_id, NULL);
	if (!plan.no_drainer)
		pthread_join(drainer_id, NULL);
	set(&stop_producer, true);
	pthread_join(producer_id, NULL);
	set(&stop_consumer, true);
	pthread_join(consumer_id, NULL);
}

/* A last drain publishes everything, and the counters add up. */
static void check_end(void)
{
	const struct bed_counters *n = &bed.count;

	bed_drain(&bed);
	TAP_CHECK(bed.ctl->head == bed.prod.pos);
	TAP_CHECK(bed.ctl->busy == 0);
	TAP_CHECK(bed.deferq.done == bed.deferq.queued);
	TAP_CHECK(bed.deferq.queued == bed.prod.queued);
	TAP_CHECK(n->seen == n->captured + bed_dropped(&bed));
}

/* After nonsense: the consumer mends its position and goes on from there. */
static void run_hostile(double seconds)
{
	run_threads(confuse, seconds);
	check_end();
	tap_note("nonsense: %llu packets, %llu dropped for it",
		 (unsigned long long)bed.count.seen,
		 (unsigned long long)bed.count.bad_consumer);
	TAP_CHECK(bed.count.bad_consumer > 0);
	ptap_cons_release(bed.con, bed.ctl->head);
	cons.pos = bed.ctl->head;
	cons.records = bed.count.captured;
}

static void run(const struct variant *v)
{
	double seconds = tap_seconds();
	u64 bad_consumer = 0;

	plan = *v;
	setup();
	if (plan.hostile) {
		run_hostile(seconds / 2);
		bad_consumer = bed.count.bad_consumer;
		seconds /= 2;
	}
	if (!tap_has_failed())
		run_threads(consume, seconds);
	if (!tap_has_failed()) {
		check_end();
		while (cons.pos != bed.ctl->head && consume_once())
			;
		TAP_CHECK(cons.records == bed.count.captured);
		TAP_CHECK(bed.count.bad_consumer == bad_consumer);
		TAP_CHECK(cons.idle_seen > 0);
		TAP_CHECK(bed.count.captured > 0);
		TAP_CHECK(!plan.defer_percent || bed.count.cloned > 0);
	}
	tap_note("captured %llu (%llu deferred, %llu not for want of room), dropped %llu, nested %llu",
		 (unsigned long long)bed.count.captured,
		 (unsigned long long)bed.count.cloned,
		 (unsigned long long)bed.count.clone_fallback,
		 (unsigned long long)bed_dropped(&bed),
		 (unsigned long long)bed.count.nested);
	teardown();
}

/* A test is the usual variant with these differences. */
#define VARIANT(name, ...)						\
	static void test_##name(void)					\
	{								\
		struct variant v = usual;				\
		const struct variant *u = &v;				\
									\
		__VA_ARGS__;						\
		run(u);							\
	}

VARIANT(no_deferral, v.defer_percent = 0)
VARIANT(all_deferred, v.defer_percent = 100)
VARIANT(mix, v.defer_percent = 30)
VARIANT(rare, v.defer_percent = 1; v.body_max = 100)
VARIANT(small_queue, v.defer_percent = 60; v.defer_max = 2)
VARIANT(no_drainer, v.no_drainer = true; v.defer_max = 4096)
VARIANT(tiny, v.size = 4096; v.body_max = 500)
VARIANT(stall, v.stall_us = 20000; v.defer_percent = 50)
VARIANT(near_32, v.start = (1ULL << 32) - (1 << 19) - 5; v.size = 1 << 16)
VARIANT(near_63, v.start = (1ULL << 63) - (1 << 19) - 5; v.size = 1 << 16)
VARIANT(near_64, v.start = 0 - (1ULL << 19) - 5; v.size = 1 << 16)

/* In user space, the handler is what a hard interrupt is to the hook. */
static void test_interrupts(void)
{
	struct sigaction sa = {
		.sa_handler = interrupt, .sa_flags = SA_RESTART,
	};
	struct variant v = usual;

	v.interrupts = true;
	sigaction(SIGUSR1, &sa, NULL);
	run(&v);
	if (!TAP_TSAN)	/* which calls the handler where nothing can nest */
		TAP_CHECK(bed.count.nested > 0);
}

/*
 * The drainer fills in a record whose space the consumer gave away: that is a
 * race on the bytes of a record, and the consumer's own loss.
 */
static void test_hostile(void)
{
	struct variant v = usual;

	v.hostile = true;
	v.size = 1 << 16;
	v.defer_percent = TAP_TSAN ? 0 : 30;
	run(&v);
	v.start = 0 - (1ULL << 20);
	if (!tap_has_failed())
		run(&v);
}

static const struct tap_test tests[] = {
	{ "no packet is deferred", test_no_deferral },
	{ "every packet is deferred", test_all_deferred },
	{ "some packets are deferred", test_mix },
	{ "few packets are deferred", test_rare },
	{ "queue of two deferred packets", test_small_queue },
	{ "only the consumer drains", test_no_drainer },
	{ "tiny ring", test_tiny },
	{ "consumer that stalls", test_stall },
	{ "positions pass 2^32", test_near_32 },
	{ "positions pass 2^63", test_near_63 },
	{ "positions pass 2^64", test_near_64 },
	{ "packets that interrupt the producer", test_interrupts },
	{ "consumer that writes nonsense", test_hostile },
};

int main(void)
{
	return TAP_RUN(tests);
}
