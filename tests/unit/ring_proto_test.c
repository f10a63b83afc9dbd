// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The ring protocol, function by function and step by step, in one thread.
 *
 * Interleavings of producer and drainer that matter are played here in the
 * order in which they would happen; ring_schedule_test.c searches for others.
 */
#include <pthread.h>
#include <semaphore.h>
#include "ring_bed.h"
#include "tap.h"

#define SIZE		256U
#define REC		16U
#define POISON		0xddU

static struct ptap_ring_control control;
static struct ptap_ring_consumer consumer;
static u8 data[2 * SIZE];
static struct bed bed = {
	.ctl = &control, .con = &consumer, .data = data, .defer_max = 4,
};
static struct ptap_prod *const prod = &bed.prod;

static const struct bed_packet small = { .size = REC };
static const struct bed_packet large = { .size = REC, .defer = true };

/* Where positions may wrap, or be taken for negative. */
static const u64 starts[] = {
	0, (1ULL << 32) - 3 * REC, (1ULL << 63) - 3 * REC, 0 - 3ULL * REC,
};

#define NR_STARTS	(sizeof(starts) / sizeof(*starts))
#define for_each_start(s) \
	for ((s) = starts; (s) < starts + NR_STARTS; (s)++)

static void bed_lock(struct bed *b)
{
	(void)b;
}

static void bed_unlock(struct bed *b)
{
	(void)b;
}

static void bed_write_head(struct bed *b, u64 seq, u64 pos, u32 size)
{
	(void)seq;
	memset(bed_at(b, pos), POISON, size);
}

static void bed_write_body(struct bed *b, u64 seq, u64 pos, u32 size)
{
	memset(bed_at(b, pos), seq & 0x7f, size);
}

static void reset(u64 start)
{
	memset(data, 0, sizeof(data));
	bed.window = NULL;
	bed_reset(&bed, SIZE, start, -2);
}

/* Are all records before head filled in? */
static bool head_is_sane(u64 start)
{
	u64 pos;

	for (pos = start; pos != control.head; pos += REC)
		if (*bed_at(&bed, pos) == POISON)
			return false;
	return true;
}

static void test_pos_after(void)
{
	TAP_CHECK(!ptap_pos_after(0, 0));
	TAP_CHECK(ptap_pos_after(1, 0));
	TAP_CHECK(!ptap_pos_after(0, 1));
	TAP_CHECK(ptap_pos_after(0, UINT64_MAX));
	TAP_CHECK(!ptap_pos_after(UINT64_MAX, 0));
	TAP_CHECK(ptap_pos_after(1ULL << 63, (1ULL << 63) - 1));
	TAP_CHECK(!ptap_pos_after((1ULL << 63) - 1, 1ULL << 63));
}

static void test_reserve(void)
{
	const u64 *s;

	for_each_start(s) {
		reset(*s);
		TAP_CHECK(!ptap_prod_reserve(prod, &consumer, SIZE));
		TAP_CHECK(ptap_prod_reserve(prod, &consumer, SIZE + 1) ==
			  PTAP_RESERVE_FULL);
		prod->pos += SIZE - 1;
		TAP_CHECK(!ptap_prod_reserve(prod, &consumer, 1));
		TAP_CHECK(ptap_prod_reserve(prod, &consumer, 2) ==
			  PTAP_RESERVE_FULL);
		ptap_cons_release(&consumer, *s + 1);
		TAP_CHECK(!ptap_prod_reserve(prod, &consumer, 2));
		TAP_CHECK(prod->tail_seen == *s + 1);
		TAP_CHECK(ptap_prod_reserve(prod, &consumer, 3) ==
			  PTAP_RESERVE_FULL);
		ptap_cons_release(&consumer, prod->pos);
		TAP_CHECK(!ptap_prod_reserve(prod, &consumer, SIZE));
		TAP_CHECK(prod->tail_seen == prod->pos);
	}
}

static void test_reserve_cached(void)
{
	reset(0);
	prod->pos = 100;
	/* Room by what is known: the consumer is not even asked. */
	TAP_CHECK(!ptap_prod_reserve(prod, NULL, SIZE - 100));
	consumer.tail = 0x123456789abcdef0;
	TAP_CHECK(!ptap_prod_reserve(prod, &consumer, SIZE - 100));
	TAP_CHECK(prod->tail_seen == 0);
}

static void test_reserve_bad_consumer(void)
{
	static const u64 away[] = {	/* from pos */
		1, 2, SIZE, 1ULL << 32, 1ULL << 63, (1ULL << 63) - 1,
		0 - (u64)SIZE - 1, 0 - (1ULL << 32),
	};
	const u64 *s;
	u32 i;

	for_each_start(s) {
		for (i = 0; i < sizeof(away) / sizeof(*away); i++) {
			reset(*s);
			prod->pos += SIZE;
			consumer.tail = prod->pos + away[i];
			TAP_CHECK(ptap_prod_reserve(prod, &consumer, 1) ==
				  PTAP_RESERVE_BAD_CONSUMER);
			TAP_CHECK(prod->tail_seen == *s);
			TAP_CHECK(prod->pos == *s + SIZE);
			consumer.tail = prod->pos - SIZE;
			TAP_CHECK(ptap_prod_reserve(prod, &consumer, 1) ==
				  PTAP_RESERVE_FULL);
			consumer.tail = prod->pos;
			TAP_CHECK(!ptap_prod_reserve(prod, &consumer, SIZE));
		}
	}
}

/* A position that goes back, but stays inside, is believed. */
static void test_reserve_backwards(void)
{
	reset(0);
	prod->pos = SIZE;
	consumer.tail = SIZE / 2;
	TAP_CHECK(!ptap_prod_reserve(prod, &consumer, SIZE / 2));
	consumer.tail = 1;
	TAP_CHECK(ptap_prod_reserve(prod, &consumer, SIZE / 2 + 1) ==
		  PTAP_RESERVE_FULL);
	TAP_CHECK(prod->tail_seen == 1);
	TAP_CHECK(!ptap_prod_reserve(prod, &consumer, 1));
	TAP_CHECK(ptap_prod_reserve(prod, &consumer, 2) == PTAP_RESERVE_FULL);
}

static void nested_packet(struct bed *b)
{
	u64 pos = b->prod.pos;

	TAP_CHECK(ptap_cons_busy(b->ctl));
	TAP_CHECK(!ptap_prod_enter(b->ctl));
	bed_hook(b, &small);
	TAP_CHECK(b->prod.pos == pos);
	TAP_CHECK(ptap_cons_busy(b->ctl));
}

static void test_nested(void)
{
	reset(0);
	TAP_CHECK(!ptap_cons_busy(&control));
	bed.window = nested_packet;
	bed_hook(&bed, &small);
	TAP_CHECK(!ptap_cons_busy(&control));
	TAP_CHECK(bed.count.nested == 1);
	TAP_CHECK(bed.count.seen == 1 && bed.count.captured == 1);
	TAP_CHECK(control.head == REC);
}

static void test_commit_small(void)
{
	const u64 *s;

	for_each_start(s) {
		reset(*s);
		bed_hook(&bed, &small);
		TAP_CHECK(control.head == *s + REC);
		bed_hook(&bed, &small);
		TAP_CHECK(control.head == *s + 2 * REC);
		TAP_CHECK(control.pending == *s);
		TAP_CHECK(ptap_cons_end(&control) == control.head);
		TAP_CHECK(bed_drain(&bed) == 0);
		TAP_CHECK(control.head == *s + 2 * REC);
	}
}

/* Head is the drainer's from the first deferred record to settle. */
static void test_handover(void)
{
	const u64 *s;

	for_each_start(s) {
		reset(*s);
		bed_hook(&bed, &small);
		bed_hook(&bed, &large);
		TAP_CHECK(control.head == *s + REC);
		TAP_CHECK(control.pending == *s + 2 * REC);
		bed_hook(&bed, &small);
		TAP_CHECK(control.head == *s + REC);
		TAP_CHECK(control.pending == *s + 3 * REC);
		TAP_CHECK(ptap_cons_end(&control) == *s + 3 * REC);
		TAP_CHECK(bed_drain(&bed) == 1);
		TAP_CHECK(control.head == *s + 3 * REC);
		TAP_CHECK(head_is_sane(*s));
		TAP_CHECK(bed.deferq.done == bed.deferq.queued);
		/* And back. */
		bed_hook(&bed, &small);
		TAP_CHECK(control.head == *s + 4 * REC);
		TAP_CHECK(control.pending == *s + 3 * REC);
		TAP_CHECK(ptap_cons_end(&control) == *s + 4 * REC);
		TAP_CHECK(bed_drain(&bed) == 0);
		TAP_CHECK(control.head == *s + 4 * REC);
	}
}

/* The drainer's steps by hand, as far as entry number @done. */
static void fill_one(u32 *done)
{
	struct bed_deferred *d = &bed.deferred[*done & (bed.defer_max - 1)];

	bed_fill(&bed, d);
	++*done;
	ptap_drain_filled(&control, &bed.deferq, *done, d->end);
}

static void test_filled(void)
{
	u32 done;

	reset(0);
	done = bed.deferq.done;
	bed_hook(&bed, &large);
	bed_hook(&bed, &large);
	TAP_CHECK(ptap_drain_queued(&bed.deferq) == done + 2);
	fill_one(&done);
	TAP_CHECK(control.head == REC);
	TAP_CHECK(bed.deferq.done == done);
	fill_one(&done);
	TAP_CHECK(control.head == 2 * REC);
	TAP_CHECK(bed.deferq.done == done);
	/* With the last one head is handed back. */
	bed_hook(&bed, &small);
	TAP_CHECK(control.head == 3 * REC);
	TAP_CHECK(ptap_drain_settle(&control, &bed.deferq, done));
	TAP_CHECK(control.head == 3 * REC);
}

/* The producer defers a packet between the drainer's last fill and settle. */
static void test_settle_appended(void)
{
	u32 done;

	reset(0);
	done = bed.deferq.done;
	bed_hook(&bed, &large);
	bed_hook(&bed, &small);
	fill_one(&done);
	bed_hook(&bed, &large);
	TAP_CHECK(!ptap_drain_settle(&control, &bed.deferq, done));
	TAP_CHECK(control.head == REC);
	TAP_CHECK(bed.deferq.done == done);
	/* The queue is not empty: the producer keeps off head. */
	bed_hook(&bed, &small);
	TAP_CHECK(control.head == REC);
	TAP_CHECK(control.pending == 4 * REC);
	TAP_CHECK(bed_drain(&bed) == 1);
	TAP_CHECK(control.head == 4 * REC);
	TAP_CHECK(head_is_sane(0));
}

/* The producer looks at done, then everything is drained, then it commits. */
static void test_done_seen_late(bool drain)
{
	const u64 *s;

	for_each_start(s) {
		reset(*s);
		bed_hook(&bed, &large);
		bed_write_body(&bed, 1, prod->pos, REC);
		prod->pos += REC;
		TAP_CHECK(ptap_prod_deferred(prod, &bed.deferq) == 1);
		TAP_CHECK(bed_drain(&bed) == 1);
		TAP_CHECK(control.head == *s + REC);
		smp_store_release(&control.pending, prod->pos);
		/* Left behind, but seen by the reader. */
		TAP_CHECK(control.head == *s + REC);
		TAP_CHECK(ptap_cons_end(&control) == *s + 2 * REC);
		if (drain) {
			TAP_CHECK(bed_drain(&bed) == 0);
			TAP_CHECK(control.head == *s + 2 * REC);
		} else {
			bed_hook(&bed, &small);
			TAP_CHECK(control.head == *s + 3 * REC);
			TAP_CHECK(bed_drain(&bed) == 0);
			TAP_CHECK(control.head == *s + 3 * REC);
		}
	}
}

static void test_late_then_drain(void)
{
	test_done_seen_late(true);
}

static void test_late_then_packet(void)
{
	test_done_seen_late(false);
}

static void drain_in_window(struct bed *b)
{
	u64 end = b->prod.pos + REC;

	TAP_CHECK(bed_drain(b) == 1);
	TAP_CHECK(control.head == end);
}

/* The drainer is faster than the commit of the record it fills in. */
static void test_queued_not_committed(void)
{
	const u64 *s;

	for_each_start(s) {
		reset(*s);
		bed.window = drain_in_window;
		bed_hook(&bed, &large);
		TAP_CHECK(control.head == *s + REC);
		TAP_CHECK(prod->pos == *s + REC);
		bed_hook(&bed, &large);
		bed.window = NULL;
		bed_hook(&bed, &small);
		TAP_CHECK(control.head == *s + 3 * REC);
		TAP_CHECK(head_is_sane(*s));
	}
}

static void test_publish(void)
{
	u32 done;

	reset(0);
	done = bed.deferq.done;
	/* Nothing to publish. */
	TAP_CHECK(ptap_drain_settle(&control, &bed.deferq, done));
	TAP_CHECK(control.head == 0);
	/* An old pending does not pull head back. */
	prod->pos = 0;
	bed_hook(&bed, &small);
	bed_hook(&bed, &small);
	control.pending = REC;
	TAP_CHECK(ptap_drain_settle(&control, &bed.deferq, done));
	TAP_CHECK(control.head == 2 * REC);
	/* Not with a packet in the queue. */
	bed_hook(&bed, &large);
	TAP_CHECK(!ptap_drain_settle(&control, &bed.deferq, done));
	TAP_CHECK(control.head == 2 * REC);
}

static void test_queue_full(void)
{
	u32 i;

	reset(0);
	for (i = 0; i < bed.defer_max; i++)
		bed_hook(&bed, &large);
	TAP_CHECK(bed.count.cloned == bed.defer_max);
	bed_hook(&bed, &large);
	TAP_CHECK(bed.count.clone_fallback == 1);
	TAP_CHECK(control.head == 0);
	TAP_CHECK(bed_drain(&bed) == bed.defer_max);
	TAP_CHECK(control.head == (bed.defer_max + 1) * REC);
	TAP_CHECK(head_is_sane(0));
	bed_hook(&bed, &large);
	TAP_CHECK(bed.count.cloned == bed.defer_max + 1);
}

static void test_discard(void)
{
	struct bed_packet fault = { .size = REC, .fault = true };

	reset(0);
	bed_hook(&bed, &fault);
	TAP_CHECK(prod->pos == 0 && control.head == 0);
	bed_hook(&bed, &small);
	TAP_CHECK(control.head == REC && head_is_sane(0));
	TAP_CHECK(bed.count.seen == 2 && bed.count.fault == 1);
}

static sem_t paused, go_on;

static void pause_in_window(struct bed *b)
{
	(void)b;
	sem_post(&paused);
	sem_wait(&go_on);
}

static void *produce_one(void *arg)
{
	bed_hook(&bed, arg);
	return NULL;
}

/* Contract (3): a reader sees a producer that stopped before its commit. */
static void test_busy_paused(void)
{
	static struct bed_packet pkts[] = { { .size = REC },
					    { .size = REC, .defer = true } };
	pthread_t thread;
	u64 head;
	u32 i;

	sem_init(&paused, 0, 0);
	sem_init(&go_on, 0, 0);
	for (i = 0; i < 2; i++) {
		reset(0);
		bed.window = pause_in_window;
		TAP_CHECK(!ptap_cons_busy(&control));
		pthread_create(&thread, NULL, produce_one, &pkts[i]);
		sem_wait(&paused);
		TAP_CHECK(ptap_cons_busy(&control));
		bed_drain(&bed);
		head = ptap_cons_head(&control);
		TAP_CHECK(head == (pkts[i].defer ? REC : 0));
		TAP_CHECK(ptap_cons_busy(&control));
		sem_post(&go_on);
		while (ptap_cons_busy(&control))
			;
		/* Idle: all that was committed is seen, after a drain. */
		TAP_CHECK(ptap_cons_end(&control) == REC);
		bed_drain(&bed);
		TAP_CHECK(ptap_cons_head(&control) == REC);
		pthread_join(thread, NULL);
	}
	bed.window = NULL;
}

static const struct tap_test tests[] = {
	{ "positions are compared by difference", test_pos_after },
	{ "reserve: to the last byte", test_reserve },
	{ "reserve: known room does not ask the consumer", test_reserve_cached },
	{ "reserve: consumer outside of the ring", test_reserve_bad_consumer },
	{ "reserve: consumer goes back", test_reserve_backwards },
	{ "nested packet is refused", test_nested },
	{ "commit without deferred packets", test_commit_small },
	{ "head is handed over and back", test_handover },
	{ "filled records are published one by one", test_filled },
	{ "packet deferred before settle", test_settle_appended },
	{ "done seen late, then a drain", test_late_then_drain },
	{ "done seen late, then a packet", test_late_then_packet },
	{ "drained before it is committed", test_queued_not_committed },
	{ "publish", test_publish },
	{ "queue full: copied at once", test_queue_full },
	{ "record given up after its reservation", test_discard },
	{ "reader sees a paused producer", test_busy_paused },
};

int main(void)
{
	return TAP_RUN(tests);
}
